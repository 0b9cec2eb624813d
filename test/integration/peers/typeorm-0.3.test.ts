import { describePeer } from './typeorm.js';

describePeer('0.3');
