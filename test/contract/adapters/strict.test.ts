import { describe, inject, test } from 'vitest';
import { adapterContract } from '../../../src/testing/index.js';
import { apart } from './declare.js';
import { driversOf } from './drivers.js';

// The two whose transactions are the least like those of others: Prisma begins its own around a statement, and Drizzle hands
// connections on. All cases of any adapter, by name: UNSTALE_SAFETY=strict (or outbox) npx vitest run --project integration
// test/contract/adapters/<name>.test.ts

const cases = /^(transactions|savepoints|COMMIT|schemas): (?!one that is carried out some time after)/;

const { postgres, mysql } = inject('services');
const drivers = [
  ...(await driversOf({ ...(postgres && { postgres }) }, 'prisma')),
  ...(await driversOf({ ...(mysql && { mysql }) }, 'drizzle')),
];

describe.concurrent.each(drivers)('strict: $name, $server', (driver) => {
  const all = apart(adapterContract(driver, { strict: true })).filter(({ name }) => cases.test(name));
  for (const { name, skip, run } of all) test.skipIf(skip !== undefined)(skip ? `${name}: ${skip}` : name, () => run());
});
