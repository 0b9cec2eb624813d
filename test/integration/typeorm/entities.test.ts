import { describeEntities } from './entities.js';

describeEntities('1');
