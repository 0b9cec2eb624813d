import { and, DrizzleQueryError, eq, is, type SQL, sql } from 'drizzle-orm';
import { MySqlDatabase } from 'drizzle-orm/mysql-core';
import { drizzle as onMysql } from 'drizzle-orm/mysql2';
import { drizzle as onPostgres } from 'drizzle-orm/node-postgres';
import { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { cached, unwrap, withCache } from '../../../adapters/drizzle/index.js';
import type {
  AdapterBuilders,
  AdapterClient,
  AdapterDatabase,
  AdapterDialect,
  AdapterDriver,
  AdapterOptions,
  AdapterResult,
  AdapterRow,
} from '../../../src/testing/adapter-contract.js';
import { drizzleIdioms, schemas } from '../../transparency/idioms/drizzle.js';
import type { Idiomatic, Idioms } from '../../transparency/idioms.js';
import { mysqlServer } from './mysql-server.js';
import { numbered, quiet, type Spy, spiedClient } from './pg.js';
import { postgresServer } from './postgres-server.js';

const oneConnection = 'under `strict`: what is wrapped is one connection, and nobody else could ask the database';

/** Drizzle over `pg`: a pool, or one client, on which a transaction is the whole database. */
export async function drizzlePgDriver({ url, on }: { url: string; on: 'pool' | 'client' }): Promise<AdapterDriver> {
  const server = await postgresServer(url);
  return {
    name: on === 'pool' ? 'drizzle, pg.Pool' : 'drizzle, pg.Client',
    server: server.version,
    dialect: 'postgres',
    pool: on === 'pool',
    lacks: {
      stream: 'Drizzle has no streams of pg',
      batch: 'Drizzle has no batches of pg',
      save: 'Drizzle has no save()',
      ...(on === 'client' && { acquired: 'there is no pool' }),
    },
    refuses: on === 'client' ? oneConnection : { connection: oneConnection },
    async database(filling): Promise<AdapterDatabase> {
      const { config, filled, drop } = await server.make(filling);
      const bare = quiet(new pg.Pool({ ...config, max: 1 }));
      return {
        filled,
        open: (options) => (on === 'pool' ? aPgPool(config, options) : aPgClient(config, options)),
        bare: async (text, params = []) => (await bare.query(numbered(text), [...params])).rows,
        async drop() {
          await bare.end();
          await drop();
        },
      };
    },
  };
}

async function aPgPool(config: pg.PoolConfig, options: AdapterOptions): Promise<AdapterClient> {
  const spy: Spy = { sent: [], hooks: [] };
  const pool = quiet(new pg.Pool({ ...config, max: 6, Client: spiedClient(spy) }));
  let acquired = 0;
  pool.on('acquire', () => {
    acquired += 1;
  });
  return {
    ...statements(wrapped(onPostgres(pool, { schema: schemas.postgres }), options)),
    async connection(fn) {
      const client = await pool.connect();
      const db = wrapped(onPostgres(client, { schema: schemas.postgres }), options);
      try {
        return await fn(async (text, params) => (await statements(db).write(text, params)).rows);
      } finally {
        unwrap(db);
        client.release();
      }
    },
    ...common(spy),
    acquired: () => acquired,
    close: () => pool.end(),
  };
}

/**
 * A client is in one transaction at a time, and whoever else asks it meanwhile is in there, too. So whoever does not mean
 * that has another client.
 */
async function aPgClient(config: pg.PoolConfig, options: AdapterOptions): Promise<AdapterClient & Idiomatic> {
  const spy: Spy = { sent: [], hooks: [] };
  const opened: pg.Client[] = [];
  const free = new Set<any>();
  const open = async () => {
    const client = new (spiedClient(spy))(config);
    opened.push(client);
    await client.connect();
    const db = wrapped(onPostgres(client, { schema: schemas.postgres }), options);
    client.on('error', () => free.delete(db));
    free.add(db);
    return db;
  };
  const idle = async () => [...free][0] ?? (await open());
  await open();
  const alone = async <T>(fn: (db: any) => Promise<T>): Promise<T> => {
    const db = await idle();
    free.delete(db);
    try {
      return await fn(db);
    } finally {
      if (!db.$client._ending && db.$client._queryable) free.add(db);
    }
  };
  const through = (name: 'find' | 'insert' | 'update' | 'remove' | 'upsert') =>
    ((...args: unknown[]) => idle().then((db) => (buildersOf(db) as any)[name](...args))) as any;
  return {
    read: async (...args) => statements(await idle()).read(...args),
    write: async (...args) => statements(await idle()).write(...args),
    builders: {
      find: through('find'),
      insert: through('insert'),
      update: through('update'),
      remove: through('remove'),
      upsert: through('upsert'),
    },
    idioms: (per) =>
      new Proxy({} as Idioms, {
        get:
          (_, name: keyof Idioms) =>
          async (...args: unknown[]) =>
            (drizzleIdioms(await idle(), 'postgres', per) as any)[name](...args),
      }),
    transaction: (fn) => alone((db) => statements(db).transaction(fn)),
    connection: (fn) => alone((db) => fn(async (text, params) => (await statements(db).write(text, params)).rows)),
    ...common(spy),
    async close() {
      for (const client of opened) await client.end().catch(() => {});
    },
  };
}

/** Drizzle over a pool of `mysql2`. */
export async function drizzleMysqlDriver({ url }: { url: string }): Promise<AdapterDriver> {
  const server = await mysqlServer(url);
  return {
    name: 'drizzle, mysql2',
    server: server.version,
    dialect: 'mysql',
    pool: true,
    refuses: { connection: oneConnection },
    lacks: {
      batch: 'Drizzle has no batches of mysql2',
      save: 'Drizzle has no save()',
      stream: 'Drizzle streams its builders only: see test/integration/drizzle',
      several: 'multipleStatements is off',
      ...server.lacks,
    },
    async database(filling): Promise<AdapterDatabase> {
      const { config, filled, drop } = await server.make(filling);
      const bare = await mysql.createConnection(config);
      return {
        filled,
        open: async (options) => aMysqlPool(config, options),
        bare: async (text, params = []) => (await bare.query(text, [...params]))[0] as AdapterRow[],
        async drop() {
          await bare.end();
          await drop();
        },
      };
    },
  };
}

// The other mode joins laterally, which MariaDB cannot.
const mysqlSchema = { schema: schemas.mysql, mode: 'planetscale' } as const;

function aMysqlPool(config: mysql.PoolOptions, options: AdapterOptions): AdapterClient {
  const spy: Spy = { sent: [], hooks: [] };
  const pool = mysql.createPool({ ...config, connectionLimit: 6 });
  let acquired = 0;
  pool.on('acquire', () => {
    acquired += 1;
  });
  pool.on('connection', (connection) => {
    // The least that MySQL waits for a lock is a second.
    connection.query('set session innodb_lock_wait_timeout = 1');
    spyOn(connection, spy);
  });
  return {
    ...statements(wrapped(onMysql(pool, mysqlSchema), options)),
    async connection(fn) {
      const connection = await pool.getConnection();
      const db = wrapped(onMysql(connection as never, mysqlSchema), options);
      try {
        return await fn(async (text, params) => (await statements(db).write(text, params)).rows);
      } finally {
        unwrap(db);
        connection.release();
      }
    },
    ...common(spy),
    acquired: () => acquired,
    close: () => pool.end(),
  };
}

/** Sees what a connection of `mysql2` sends, below whatever an adapter does above. */
function spyOn(connection: any, spy: Spy): void {
  const send = connection.query;
  connection.query = (options: any, params: unknown, back: any) => {
    const text = options.sql ?? options;
    spy.sent.push(text);
    const hook = spy.hooks.find(({ matches }) => matches(text));
    if (hook === undefined || back === undefined) return send.call(connection, options, params, back);
    spy.hooks = spy.hooks.filter((one) => one !== hook);
    let answer: unknown[] = [];
    const sent = () =>
      new Promise<void>((resolve, reject) =>
        send.call(connection, options, params, (error: unknown, ...rest: unknown[]) => {
          answer = rest;
          error ? reject(error) : resolve();
        }),
      );
    void hook.run(sent).then(
      () => back(null, ...answer),
      (error) => {
        connection.destroy();
        back(error);
      },
    );
  };
}

export function wrapped<D extends Parameters<typeof withCache>[0]>(
  db: D,
  { cache, twice, ...rules }: AdapterOptions,
): D {
  const options = { cache, ...rules };
  withCache(db, options);
  return twice ? withCache(db, { ...options }) : db;
}

function common(spy: Spy): Pick<AdapterClient, 'using' | 'sent' | 'around'> {
  return {
    using: (handle) => statements(handle),
    sent: () => spy.sent,
    around(matches, run) {
      spy.hooks.push({ matches, run });
    },
  };
}

/** `sql` with parameters where question marks are. */
export function query(text: string, params: readonly unknown[] = []): SQL {
  const parts = text.split('?').map((part) => sql.raw(part));
  return sql.join(parts.flatMap((part, at) => (at === 0 ? [part] : [sql.param(params[at - 1]), part])));
}

function statements(db: any): Idiomatic {
  const run = async (text: string, params?: readonly unknown[]) =>
    resultOf(await bared(db.execute(query(text, params))));
  return {
    async read(text, params, per) {
      const read = async () => (await run(text, params)).rows;
      return per === undefined ? read() : cached(per, read);
    },
    write: run,
    builders: buildersOf(db),
    idioms: (per) => drizzleIdioms(db, dialectOf(db), per),
    transaction: (fn) => bared(db.transaction((tx: object) => fn({ ...statements(tx), handle: tx }))),
  };
}

/** Drizzle puts the error of the database into one of its own. */
export async function bared<T>(running: Promise<T>): Promise<T> {
  try {
    return await running;
  } catch (error) {
    throw error instanceof DrizzleQueryError ? error.cause : error;
  }
}

function dialectOf(db: object): AdapterDialect {
  if (is(db, BaseSQLiteDatabase)) return 'sqlite';
  return is(db, MySqlDatabase) ? 'mysql' : 'postgres';
}

export function buildersOf(db: any): AdapterBuilders {
  const dialect = dialectOf(db);
  const table = schemas[dialect].accounts;
  const those = (where: AdapterRow) => and(...Object.entries(where).map(([name, value]) => eq(table[name], value)));
  return {
    async find(_, where, per) {
      const select = db.select().from(table).where(those(where));
      if (per === undefined) return select;
      return per === false ? select.$withCache(false) : select.$withCache({ config: { ex: 3600 } });
    },
    insert: async (_, rows) => db.insert(table).values(rows),
    update: async (_, where, set) => db.update(table).set(set).where(those(where)),
    remove: async (_, where) => db.delete(table).where(those(where)),
    upsert: async (_, row, conflict) => {
      const insert = db.insert(table).values(row);
      if (dialect === 'mysql') return insert.onDuplicateKeyUpdate({ set: row });
      return insert.onConflictDoUpdate({ target: conflict.map((name) => table[name]), set: row });
    },
  };
}

/** What `execute` gives, which is the driver's own: a result, or rows and fields. */
function resultOf(result: any): AdapterResult {
  if (Array.isArray(result)) {
    const [rows] = result;
    if (result.length === 2 && (Array.isArray(rows) || rows?.affectedRows !== undefined))
      return Array.isArray(rows) ? { rows, count: undefined } : { rows: [], count: rows.affectedRows };
    return resultOf(rows);
  }
  return { rows: result.rows, count: result.rowCount ?? undefined };
}
