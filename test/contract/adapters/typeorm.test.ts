import { inject } from 'vitest';
import { declareContract } from './declare.js';
import { driversOf } from './drivers.js';

// Both versions are wrapped at the same places.
declareContract(
  await driversOf(inject('services'), 'typeorm', 'typeorm-0.3'),
  ({ name, dialect }) => name === 'typeorm 0.3' || dialect !== 'sqlite',
);
