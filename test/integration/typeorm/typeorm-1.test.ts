import { describeTraps } from './traps.js';

describeTraps('1');
