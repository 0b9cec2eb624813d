import { describePeer } from './typeorm.js';

describePeer('1');
