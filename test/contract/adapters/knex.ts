import Knex, { type Knex as Instance } from 'knex';
import { type Per, withCache } from '../../../adapters/knex/index.js';
import type {
  AdapterBuilders,
  AdapterClient,
  AdapterDatabase,
  AdapterDialect,
  AdapterDriver,
  AdapterFeature,
  AdapterOptions,
  AdapterResult,
  AdapterRow,
  AdapterTransaction,
} from '../../../src/testing/adapter-contract.js';
import { sqliteDriver } from '../../services/sqlite.js';
import { knexIdioms } from '../../transparency/idioms/knex.js';
import type { Idiomatic } from '../../transparency/idioms.js';
import { mysqlServer } from './mysql-server.js';
import type { Spy } from './pg.js';
import { postgresServer } from './postgres-server.js';
import { sqliteServer, tuned } from './sqlite.js';

/** What makes an instance another than the one that the suite would get by itself: the naive ones of `naive.ts`. */
export type Wrap = (knex: Instance, options: AdapterOptions) => Wrapped;

/** How a wrapped instance reads and runs transactions, where that is not Knex's own way. */
export interface Wrapped {
  readonly knex: Instance;
  read?(knex: Instance, sql: string, params: readonly unknown[], per: Per | undefined): Promise<unknown>;
  transaction?<T>(knex: Instance, fn: (trx: Instance.Transaction) => Promise<T>): Promise<T>;
}

const adapter: Wrap = (knex, { cache, twice, ...rules }) => {
  const options = { cache, ...rules };
  const wrapped = withCache(knex, options);
  return { knex: twice ? withCache(wrapped, { ...options }) : wrapped };
};

/** Knex on a PostgreSQL, a MariaDB or MySQL, or files of SQLite. */
export async function knexDriver(
  server: { dialect: AdapterDialect; url?: string },
  wrap: Wrap = adapter,
): Promise<AdapterDriver> {
  const { dialect, url = '' } = server;
  const place = await places[dialect](url);
  return {
    name: 'knex',
    server: place.version,
    dialect,
    pool: dialect !== 'sqlite',
    lacks: { batch: 'Knex has no batches', save: 'Knex has no save()', ...place.lacks },
    async database(filling): Promise<AdapterDatabase> {
      const { config, filled = false, drop } = await place.make(filling);
      const bare = Knex.knex({ ...config, pool: { ...config.pool, min: 0, max: 1 } });
      return {
        filled,
        open: async (options) => aClient(config, options, wrap),
        bare: async (sql, params = []) => resultOf(await bare.raw(sql, params as never)).rows,
        async drop() {
          await bare.destroy();
          await drop();
        },
      };
    },
  };
}

interface Place {
  readonly version: string;
  readonly lacks: Partial<Record<AdapterFeature, string>>;
  make(
    filling: readonly string[] | undefined,
  ): Promise<{ config: Instance.Config; filled?: boolean; drop(): Promise<void> }>;
}

const places: Record<AdapterDialect, (url: string) => Promise<Place>> = {
  async postgres(url) {
    const { version, make } = await postgresServer(url);
    return {
      version,
      lacks: { stream: 'pg-query-stream is not installed' },
      async make(filling) {
        const { config, filled, drop } = await make(filling);
        const pool = { min: 0, max: 6 };
        return { config: { client: spied('pg'), connection: config as object, pool }, filled, drop };
      },
    };
  },
  async mysql(url) {
    const { version, lacks, make } = await mysqlServer(url);
    return {
      version,
      lacks: { several: 'multipleStatements is off', ...lacks },
      async make(filling) {
        const { config, filled, drop } = await make(filling);
        const pool = { min: 0, max: 6, afterCreate: impatient };
        return { config: { client: spied('mysql2'), connection: config as object, pool }, filled, drop };
      },
    };
  },
  async sqlite() {
    const { version, lacks, make } = await sqliteServer();
    return {
      version,
      lacks,
      async make() {
        const { file, drop } = await make();
        const afterCreate = (connection: any, done: (error: unknown, it: unknown) => void) =>
          done(null, tuned(connection));
        return {
          config: {
            client: spied('better-sqlite3'),
            connection: { filename: file },
            useNullAsDefault: true,
            pool: { min: 0, max: 1, afterCreate },
          },
          drop,
        };
      },
    };
  },
};

/** The least that MySQL waits for a lock is a second. */
function impatient(connection: any, done: (error: unknown, connection: unknown) => void): void {
  connection.query('set session innodb_lock_wait_timeout = 1', (error: unknown) => done(error, connection));
}

/** The client that Knex would make by itself, seen from below whatever an adapter does above. */
function spied(name: 'pg' | 'mysql2' | 'better-sqlite3'): any {
  const Original = Knex.knex({ client: name, useNullAsDefault: true }).client.constructor;
  return class extends Original {
    _driver() {
      return name === 'better-sqlite3' ? sqliteDriver() : super._driver();
    }

    async _query(connection: any, query: { sql: string }) {
      const spy: Spy | undefined = this.config.spy;
      const { sql } = query;
      spy?.sent.push(sql);
      const hook = spy?.hooks.find(({ matches }) => matches(sql));
      if (spy === undefined || hook === undefined) return super._query(connection, query);
      spy.hooks = spy.hooks.filter((one) => one !== hook);
      const send = async () => void (await super._query(connection, query));
      try {
        await hook.run(send);
        return query;
      } catch (error) {
        connection.__knex__disposed = error;
        if (name === 'pg') connection.connection.stream.destroy();
        else connection.destroy();
        throw error;
      }
    }

    _stream(connection: unknown, query: { sql: string }, ...rest: unknown[]) {
      this.config.spy?.sent.push(query.sql);
      return super._stream(connection, query, ...rest);
    }
  };
}

async function aClient(config: Instance.Config, options: AdapterOptions, wrap: Wrap): Promise<AdapterClient> {
  const spy: Spy = { sent: [], hooks: [] };
  const { knex, ...ways } = wrap(Knex.knex({ ...config, spy } as Instance.Config), options);
  let acquired = 0;
  knex.client.pool.on('acquireSuccess', () => {
    acquired += 1;
  });
  return {
    ...statements(knex, ways),
    async connection(fn) {
      const connection = await knex.client.acquireConnection();
      try {
        const run = async (sql: string, params: readonly unknown[] = []) =>
          resultOf(await knex.raw(sql, params as never).connection(connection)).rows;
        return await fn(run);
      } finally {
        await knex.client.releaseConnection(connection);
      }
    },
    stream: (sql, params = []) => knex.raw(sql, params as never).stream() as unknown as AsyncIterable<AdapterRow>,
    using: (handle) => ({
      async read(sql, params = [], per) {
        const query = knex.raw(sql, params as never).transacting(handle as Instance.Transaction);
        return resultOf(await (per === undefined ? query : (query.cache?.(per) ?? query))).rows;
      },
      write: async (sql, params = []) =>
        resultOf(await knex.raw(sql, params as never).transacting(handle as Instance.Transaction)),
    }),
    acquired: () => acquired,
    sent: () => spy.sent,
    around(matches, run) {
      spy.hooks.push({ matches, run });
    },
    close: () => knex.destroy(),
  };
}

function statements(knex: Instance, ways: Omit<Wrapped, 'knex'>): Idiomatic {
  const begin = ways.transaction ?? ((from: Instance, fn) => from.transaction(fn));
  return {
    async read(sql, params = [], per) {
      if (ways.read) return resultOf(await ways.read(knex, sql, params, per)).rows;
      const query = knex.raw(sql, params as never);
      return resultOf(await (per === undefined ? query : query.cache(per))).rows;
    },
    write: async (sql, params = []) => resultOf(await knex.raw(sql, params as never)),
    builders: buildersOf(knex),
    idioms: (per) => knexIdioms(knex, per),
    transaction: (fn) => begin(knex, (trx) => fn(aTransaction(trx, ways))),
  };
}

function aTransaction(trx: Instance.Transaction, ways: Omit<Wrapped, 'knex'>): AdapterTransaction {
  return { ...statements(trx, ways), handle: trx };
}

function buildersOf(knex: Instance): AdapterBuilders {
  return {
    async find(table, where, per) {
      const query = knex(table).where(where);
      return (await (per === undefined ? query : (query.cache?.(per) ?? query))) as AdapterRow[];
    },
    insert: async (table, rows) => knex(table).insert(rows as AdapterRow),
    update: async (table, where, set) => knex(table).where(where).update(set),
    remove: async (table, where) => knex(table).where(where).delete(),
    upsert: async (table, row, conflict) =>
      knex(table)
        .insert(row)
        .onConflict([...conflict])
        .merge(),
  };
}

/** What `raw` gives, which is the driver's own: a result, rows and fields, or rows. */
function resultOf(result: any): AdapterResult {
  if (Array.isArray(result?.rows)) return { rows: result.rows, count: result.rowCount ?? undefined };
  const [first] = Array.isArray(result) ? result : [result];
  // mysql2: rows, or a header, and the columns.
  if (Array.isArray(result) && result.length === 2 && (Array.isArray(first) || first?.affectedRows !== undefined))
    return Array.isArray(first) ? { rows: first, count: undefined } : { rows: [], count: first.affectedRows };
  if (Array.isArray(result)) return first?.rows ? resultOf(first) : { rows: result, count: undefined };
  return { rows: [], count: result?.changes ?? result?.affectedRows };
}
