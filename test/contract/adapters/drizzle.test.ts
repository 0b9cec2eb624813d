import { inject } from 'vitest';
import { declareContract } from './declare.js';
import { driversOf } from './drivers.js';

declareContract(await driversOf(inject('services'), 'drizzle', 'drizzle-client', 'drizzle-at-once'));
