import { PostgresDialect } from 'kysely';
import pg from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { survivesBreaks } from '../../../adapters/kysely/breaks.js';

const { postgres } = inject('services');

describe.skipIf(!postgres)('a connection of Kysely that is borrowed', () => {
  test('may break while nobody asks it anything, and the next one is another', async () => {
    const pool = new pg.Pool({ connectionString: postgres?.url as string, max: 1 });
    pool.on('error', () => {});
    const driver = new PostgresDialect({ pool }).createDriver();
    await driver.init();
    const ask = async (on: Awaited<ReturnType<typeof driver.acquireConnection>>) =>
      (await on.executeQuery<{ id: number }>({ sql: 'select pg_backend_pid() as id', parameters: [] } as never)).rows;
    const killer = new pg.Client(postgres?.url);
    await killer.connect();
    const connection = await driver.acquireConnection();
    const end = await survivesBreaks(connection);
    const [first] = await ask(connection);
    await killer.query('select pg_terminate_backend($1)', [first?.id]);
    // It is the statement that says so.
    await expect(until(() => ask(connection))).rejects.toThrow(/terminat|not queryable|ECONNRESET/);
    end();
    await driver.releaseConnection(connection);
    // The pool may hear of it a moment after the statement.
    await expect.poll(() => pool.totalCount).toBe(0);
    const next = await driver.acquireConnection();
    const [second] = await ask(next);
    expect(second?.id).not.toBe(first?.id);
    await driver.releaseConnection(next);
    await killer.end();
    await driver.destroy();
  });
});

/** Asks for two seconds, or until it throws. */
async function until(fn: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 200; n++) {
    await fn();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
