import { describeEntities } from './entities.js';

describeEntities('0.3');
