import { inject } from 'vitest';
import { declareContract, inBothForms } from './declare.js';
import { driversOf } from './drivers.js';

declareContract(await driversOf(inject('services'), 'knex'), inBothForms);
