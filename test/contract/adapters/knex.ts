import { randomUUID } from 'node:crypto';
import Knex, { type Knex as Instance } from 'knex';
import mysql from 'mysql2/promise';
import pg from 'pg';
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
  AdapterStatements,
  AdapterTransaction,
} from '../../../src/testing/adapter-contract.js';
import { aSqliteFile, sqliteDriver } from '../../services/sqlite.js';

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
  const isMariadb = /mariadb/i.test(place.version);
  const lacks: Partial<Record<AdapterFeature, string>> = {
    batch: 'Knex has no batches',
    save: 'Knex has no save()',
    ...(dialect === 'postgres' && { stream: 'pg-query-stream is not installed' }),
    ...(dialect === 'mysql' && {
      several: 'multipleStatements is off',
      returning: `${isMariadb ? 'MariaDB' : 'MySQL'} has no UPDATE … RETURNING`,
      merge: 'no MERGE',
      ...(isMariadb && { lateral: 'MariaDB has no LATERAL' }),
    }),
    ...(dialect === 'sqlite' && {
      wire: 'there is no connection to lose',
      'two writers': 'SQLite has one writer at a time',
      several: 'better-sqlite3 takes one statement at a time',
      lateral: 'SQLite has no LATERAL',
      merge: 'SQLite has no MERGE',
    }),
  };
  return {
    name: 'knex',
    server: place.version,
    dialect,
    pool: dialect !== 'sqlite',
    lacks,
    async database(): Promise<AdapterDatabase> {
      const { config, drop } = await place.make();
      const bare = Knex.knex({ ...config, pool: { ...config.pool, min: 0, max: 1 } });
      return {
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
  make(): Promise<{ config: Instance.Config; drop(): Promise<void> }>;
}

const places: Record<AdapterDialect, (url: string) => Promise<Place>> = {
  async postgres(url) {
    const run = async (sql: string, database?: string) => {
      const at = new URL(url);
      if (database) at.pathname = database;
      const admin = new pg.Client(at.href);
      await admin.connect();
      try {
        return (await admin.query(sql)).rows;
      } finally {
        await admin.end();
      }
    };
    const [row] = await run('show server_version');
    const { hostname: host, port, username: user } = new URL(url);
    // To make one takes longer than most cases, so what was emptied is used again.
    const free: string[] = [];
    return {
      version: `PostgreSQL ${String(row.server_version).split(' ')[0]}`,
      async make() {
        const database = free.pop() ?? aName();
        if ((await run(`select 1 from pg_database where datname = '${database}'`)).length === 0)
          await run(`create database ${database} template template0`);
        return {
          config: {
            client: spied('pg'),
            // Whoever waits for a lock in a test waits for ever.
            connection: { host, port: Number(port), user, database, options: '-c lock_timeout=500ms' },
            pool: { min: 0, max: 6 },
          },
          async drop() {
            await run(emptying, database);
            free.push(database);
          },
        };
      },
    };
  },
  async mysql(url) {
    const run = async (sql: string) => {
      const admin = await mysql.createConnection(url);
      try {
        return (await admin.query(sql))[0] as AdapterRow[];
      } finally {
        await admin.end();
      }
    };
    const [row] = await run('select version() as version');
    const { hostname: host, port, username: user } = new URL(url);
    const version = String(row?.version);
    return {
      version: /mariadb/i.test(version) ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`,
      async make() {
        const database = aName();
        await run(`create database ${database} character set utf8mb4`);
        return {
          config: {
            client: spied('mysql2'),
            connection: { host, port: Number(port), user, database },
            pool: { min: 0, max: 6, afterCreate: impatient },
          },
          drop: async () => void (await run(`drop database ${database}`)),
        };
      },
    };
  },
  async sqlite() {
    const probe = aSqliteFile();
    const [row] = probe.open().prepare('select sqlite_version() as version').all() as AdapterRow[];
    probe.remove();
    return {
      version: `SQLite ${row?.version}`,
      async make() {
        const { file, remove } = aSqliteFile(`${aName()}.db`);
        const afterCreate = (
          connection: { pragma(text: string): unknown },
          done: (error: unknown, it: unknown) => void,
        ) => {
          for (const text of ['journal_mode = wal', 'synchronous = off', 'foreign_keys = on', 'busy_timeout = 1000'])
            connection.pragma(text);
          done(null, connection);
        };
        return {
          config: {
            client: spied('better-sqlite3'),
            connection: { filename: file },
            useNullAsDefault: true,
            pool: { min: 0, max: 1, afterCreate },
          },
          drop: async () => remove(),
        };
      },
    };
  },
};

/** The least that MySQL waits for a lock is a second. */
function impatient(connection: any, done: (error: unknown, connection: unknown) => void): void {
  connection.query('set session innodb_lock_wait_timeout = 1', (error: unknown) => done(error, connection));
}

/** Ends what still works in a database, and removes everything in it. */
const emptying = `
  select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
  do $$ declare one text; begin
    for one in select nspname from pg_namespace where nspname !~ '^(pg_|information_schema)' loop
      execute format('drop schema %I cascade', one);
    end loop;
  end $$;
  create schema public;
  grant usage on schema public to public`;

function aName(): string {
  return `contract_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
}

/** What the suite sees of a client's statements, and where it holds them. */
interface Spy {
  readonly sent: string[];
  hooks: { matches(sql: string): boolean; run(send: () => Promise<void>): Promise<void> }[];
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

function statements(knex: Instance, ways: Omit<Wrapped, 'knex'>): AdapterStatements {
  const begin = ways.transaction ?? ((from: Instance, fn) => from.transaction(fn));
  return {
    async read(sql, params = [], per) {
      if (ways.read) return resultOf(await ways.read(knex, sql, params, per)).rows;
      const query = knex.raw(sql, params as never);
      return resultOf(await (per === undefined ? query : query.cache(per))).rows;
    },
    write: async (sql, params = []) => resultOf(await knex.raw(sql, params as never)),
    builders: buildersOf(knex),
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
