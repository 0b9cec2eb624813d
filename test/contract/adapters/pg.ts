import { createHash } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';
import { type Per, withCache } from '../../../adapters/pg/index.js';
import type {
  AdapterClient,
  AdapterDatabase,
  AdapterDriver,
  AdapterOptions,
  AdapterResult,
  AdapterRow,
  AdapterStatements,
} from '../../../src/testing/adapter-contract.js';
import type { Idiomatic } from '../../transparency/idioms.js';
import { begun, savepoint } from './begun.js';
import { postgresServer } from './postgres-server.js';

/** node-postgres: a pool, its clients, and `new pg.Query()` for rows one by one. */
export async function pgDriver({ url = '' }: { url?: string }): Promise<AdapterDriver> {
  const server = await postgresServer(url);
  return {
    name: 'pg',
    server: server.version,
    dialect: 'postgres',
    pool: true,
    lacks: {
      builders: 'pg has no builders',
      batch: 'pg has no batches',
      save: 'pg has no save()',
    },
    async database(filling): Promise<AdapterDatabase> {
      const { config, filled, drop } = await server.make(filling);
      const bare = quiet(new pg.Pool({ ...config, max: 1 }));
      return {
        filled,
        open: async (options) => aClient(config, options),
        bare: async (sql, params = []) => resultOf(await bare.query(numbered(sql), [...params])).rows,
        async drop() {
          await bare.end();
          await drop();
        },
      };
    },
  };
}

/** What the suite sees of a client's statements, and where it holds them. */
export interface Spy {
  readonly sent: string[];
  hooks: { matches(sql: string): boolean; run(send: () => Promise<void>): Promise<void> }[];
}

/** The client that `pg` would make by itself, seen from below whatever an adapter does above. */
export function spiedClient(spy: Spy): typeof pg.Client {
  return class extends pg.Client {
    override query(...args: any[]): any {
      const [config, values] = args;
      const sql: string = typeof config === 'string' ? config : (config.text ?? config.name);
      spy.sent.push(sql);
      const hook = spy.hooks.find(({ matches }) => matches(sql));
      if (hook === undefined || typeof config.submit === 'function') return (super.query as any)(...args);
      spy.hooks = spy.hooks.filter((one) => one !== hook);
      return this.#hooked(hook, Array.isArray(values) ? [config, values] : [config]);
    }

    async #hooked(hook: Spy['hooks'][0], args: any[]): Promise<unknown> {
      let result: unknown;
      try {
        await hook.run(async () => {
          result = await (super.query as any)(...args);
        });
        return result;
      } catch (error) {
        (this as any).connection.stream.destroy();
        throw error;
      }
    }
  } as typeof pg.Client;
}

/** A pool of which losing a connection is no accident. */
export function quiet(pool: pg.Pool): pg.Pool {
  pool.on('error', () => {});
  return pool.on('connect', (client) => void client.on('error', () => {}));
}

/** `$1` for `?`. */
export function numbered(sql: string): string {
  let n = 0;
  return sql.replace(/\?/g, () => `$${++n}`);
}

function aClient(config: pg.PoolConfig, { cache, twice, ...rules }: AdapterOptions): AdapterClient {
  const spy: Spy = { sent: [], hooks: [] };
  const options = { cache, ...rules };
  const pool = withCache(quiet(new pg.Pool({ ...config, max: 6, Client: spiedClient(spy) })), options);
  if (twice) withCache(pool, { ...options });
  let acquired = 0;
  pool.on('acquire', () => {
    acquired += 1;
  });
  const held = async <T>(fn: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let failed: Error | undefined;
    try {
      return await fn(client);
    } catch (error) {
      failed = error as Error;
      throw error;
    } finally {
      client.release(failed);
    }
  };
  const begin = (
    client: pg.PoolClient,
    fn: Parameters<AdapterStatements['transaction']>[0],
    depth: number,
  ): Promise<any> => {
    const send = (sql: string) => client.query(sql);
    const whole = { start: () => send('BEGIN'), commit: () => send('COMMIT'), rollback: () => send('ROLLBACK') };
    const inside = { ...statements(client, (inner) => begin(client, inner, depth + 1)), handle: client };
    return begun(depth === 0 ? whole : savepoint(depth, send), () => cache.within(client, () => fn(inside)));
  };
  return {
    ...statements(pool, (fn) => held((client) => begin(client, fn, 0))),
    connection: (fn) =>
      held((client) => fn(async (sql, params = []) => resultOf(await client.query(numbered(sql), [...params])).rows)),
    async *stream(sql, params = []) {
      const client = await pool.connect();
      try {
        const query = client.query(new pg.Query(numbered(sql), [...params]));
        const rows: AdapterRow[] = [];
        query.on('row', (row) => rows.push(row));
        await once(query, 'end');
        yield* rows;
      } finally {
        client.release();
      }
    },
    using: (handle) => statements(handle as pg.PoolClient, () => Promise.reject(new Error('it is one already'))),
    acquired: () => acquired,
    sent: () => spy.sent,
    around(matches, run) {
      spy.hooks.push({ matches, run });
    },
    close: () => pool.end(),
  };
}

function statements(
  at: Pick<pg.Pool, 'query'>,
  transaction: (fn: any) => Promise<any>,
): Omit<Idiomatic, 'idioms' | 'builders'> {
  return {
    async read(sql, params = [], per) {
      // A text without values goes by the simple protocol, which takes several statements.
      const values = params.length === 0 ? {} : { values: [...params] };
      return resultOf(await at.query({ text: numbered(sql), ...values, cache: per as Per })).rows;
    },
    async prepared(sql, params, per) {
      const text = numbered(sql);
      const name = createHash('sha1').update(text).digest('hex');
      const given: pg.QueryArrayConfig & { cache: Per | undefined } = {
        ...{ name, text, values: [...params], rowMode: 'array', cache: per as Per },
      };
      const { fields, rows } = await at.query(given);
      return rows.map((row) => Object.fromEntries(fields.map((field, i) => [field.name, row[i]])));
    },
    write: async (sql, params = []) =>
      resultOf(await (params.length === 0 ? at.query(sql) : at.query(numbered(sql), [...params]))),
    transaction,
  };
}

function resultOf(result: any): AdapterResult {
  const last = Array.isArray(result) ? result[0] : result;
  return { rows: last.rows, count: last.rowCount ?? undefined };
}
