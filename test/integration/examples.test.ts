import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';

// The examples, as a reader starts them. Those of adapters begin and end a server of their own.

const run = promisify(execFile);
const { postgres, mysql } = inject('services');
const start = async (file: string) => {
  const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', `examples/${file}.ts`], {
    timeout: 60_000,
  });
  expect(stderr).not.toMatch(/Error|Unhandled/);
  return stdout;
};

describe('an example runs to its end and says what it shows:', () => {
  test.each([
    ['quickstart', /200 calls: Ada, 1 query\nafter the write: Ada Lovelace, 2 queries/],
    ['service', /after the rollback +1: 70, 2: 30/],
    ['batch', /cold +1 queries[\s\S]*warm +0 queries[\s\S]*yes, no, maybe/],
    ['tree', /still 4 queries[\s\S]*the same object: true/],
    ['warm', /30 reads of team 2, of which \d+ had to wait/],
    ['tenants', /acme zeta 2 queries\nTenantMissingError\nacme reads its 300 pages again: 0 queries/],
  ])('%s', { timeout: 70_000 }, async (file, says) => {
    expect(await start(file)).toMatch(says);
  });

  test.skipIf(postgres === undefined).each(['knex', 'typeorm', 'drizzle', 'kysely', 'pg'])(
    '%s',
    { timeout: 70_000 },
    async (adapter) => {
      expect(await start(`${adapter}/main`)).toMatch(/0 (statements|taken)|cache/);
    },
  );

  test.skipIf(mysql === undefined)('mysql2', { timeout: 70_000 }, async () => {
    expect(await start('mysql2/main')).toMatch(/0 taken from the pool/);
  });
});
