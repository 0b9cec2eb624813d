import { describe, inject, test } from 'vitest';
import { hasPrisma, tellOfNoPrisma } from '../../prisma/client.js';
import { declareContract } from './declare.js';
import { driversOf } from './drivers.js';

if (hasPrisma) declareContract(await driversOf(inject('services'), 'prisma'));
else describe('prisma', () => test.skip(tellOfNoPrisma()));
