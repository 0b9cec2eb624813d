import { describeTraps } from './traps.js';

describeTraps('0.3');
