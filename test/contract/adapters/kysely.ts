import { CompiledQuery, type Dialect, Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely';
import mysql from 'mysql2';
import pg from 'pg';
import { cached, withCache, within } from '../../../adapters/kysely/index.js';
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
} from '../../../src/testing/adapter-contract.js';
import { sqliteDriver } from '../../services/sqlite.js';
import { kyselyIdioms } from '../../transparency/idioms/kysely.js';
import type { Idiomatic } from '../../transparency/idioms.js';
import { begun } from './begun.js';
import { mysqlServer } from './mysql-server.js';
import { spyOn } from './mysql2.js';
import { numbered, quiet, type Spy, spiedClient } from './pg.js';
import { postgresServer } from './postgres-server.js';
import { sqliteServer, tuned } from './sqlite.js';

interface Made {
  readonly dialect: Dialect;
  acquired(): number;
}
interface Place {
  readonly version: string;
  readonly lacks: Partial<Record<AdapterFeature, string>>;
  make(
    filling: readonly string[] | undefined,
  ): Promise<{ name: string; filled?: boolean; open(spy: Spy | undefined): Made; drop(): Promise<void> }>;
}

/** Kysely on `pg`, `mysql2` and `better-sqlite3`. */
export async function kyselyDriver(o: { dialect: AdapterDialect; url?: string }): Promise<AdapterDriver> {
  const place = await places[o.dialect](o.url ?? '');
  return {
    name: 'kysely',
    server: place.version,
    dialect: o.dialect,
    pool: o.dialect !== 'sqlite',
    lacks: {
      batch: 'Kysely has no batches',
      save: 'Kysely has no save()',
      twice: 'a dialect that is wrapped already is refused',
      ...place.lacks,
    },
    async database(filling): Promise<AdapterDatabase> {
      const { name, filled = false, open, drop } = await place.make(filling);
      const bare = new Kysely<any>({ dialect: open(undefined).dialect });
      return {
        filled,
        open: async (options) => aClient(o.dialect, name, open, options),
        bare: async (sql, params = []) => (await run(bare, o.dialect, sql, params)).rows,
        async drop() {
          await bare.destroy();
          await drop();
        },
      };
    },
  };
}

async function run(
  db: Kysely<any>,
  dialect: AdapterDialect,
  sql: string,
  params: readonly unknown[] = [],
): Promise<AdapterResult> {
  const given =
    dialect === 'sqlite' ? params.map((value) => (typeof value === 'boolean' ? Number(value) : value)) : params;
  const compiled = CompiledQuery.raw(dialect === 'postgres' ? numbered(sql) : sql, [...given]);
  const { rows, numAffectedRows } = await db.executeQuery<AdapterRow>(compiled);
  return { rows, count: numAffectedRows === undefined ? undefined : Number(numAffectedRows) };
}

function aClient(
  dialect: AdapterDialect,
  database: string,
  open: (spy: Spy) => Made,
  { cache, twice: _, ...rules }: AdapterOptions,
): AdapterClient {
  const spy: Spy = { sent: [], hooks: [] };
  const made = open(spy);
  const db = new Kysely<any>({ dialect: withCache(made.dialect, { cache, database, ...rules }) });
  const statements = (at: Kysely<any>, transaction: (fn: any) => Promise<any>): Idiomatic => ({
    read: async (sql, params, per) => {
      const read = () => run(at, dialect, sql, params);
      return (await (per === undefined ? read() : cached(per, read))).rows;
    },
    write: (sql, params) => run(at, dialect, sql, params),
    builders: buildersOf(at, dialect),
    idioms: (per) => kyselyIdioms(at, dialect, per),
    transaction,
  });
  const nested = (trx: any, fn: any, depth: number): Promise<any> => {
    const name = `depth_${depth}`;
    const saying = {
      start: () => trx.savepoint(name).execute(),
      commit: () => trx.releaseSavepoint(name).execute(),
      rollback: () => trx.rollbackToSavepoint(name).execute(),
    };
    return begun(saying, () => within(trx, () => fn(inside(trx, depth + 1))));
  };
  const inside = (trx: any, depth: number) => ({
    ...statements(trx, (fn) => nested(trx, fn, depth)),
    handle: trx,
  });
  const transaction = async (fn: any) => {
    const trx = await db.startTransaction().execute();
    let result: unknown;
    try {
      result = await within(trx, () => fn(inside(trx, 0)));
    } catch (error) {
      await trx
        .rollback()
        .execute()
        .catch(() => {});
      throw error;
    }
    try {
      await trx.commit().execute();
    } catch (error) {
      await trx
        .rollback()
        .execute()
        .catch(() => {});
      throw error;
    }
    return result;
  };
  return {
    ...statements(db, transaction),
    connection: (fn) =>
      db.connection().execute((at) => fn(async (sql, params = []) => (await run(at, dialect, sql, params)).rows)),
    stream: (sql, params = []) => streamed(db, CompiledQuery.raw(sql, [...params])),
    using: (handle) => statements(handle as Kysely<any>, () => Promise.reject(new Error('it is one already'))),
    acquired: made.acquired,
    sent: () => spy.sent,
    around(matches, hook) {
      spy.hooks.push({ matches, run: hook });
    },
    close: () => db.destroy(),
  };
}

async function* streamed(db: Kysely<any>, query: CompiledQuery): AsyncIterable<AdapterRow> {
  for await (const { rows } of db.getExecutor().stream(query, 10)) yield* rows as AdapterRow[];
}

function buildersOf(db: Kysely<any>, dialect: AdapterDialect): AdapterBuilders {
  const all = (query: any, where: AdapterRow) =>
    Object.entries(where).reduce((it, [name, value]) => it.where(name, value === null ? 'is' : '=', value), query);
  return {
    async find(table, where, per) {
      const query = all(db.selectFrom(table).selectAll(), where);
      return per === undefined ? query.execute() : cached(per, () => query.execute());
    },
    insert: (table, rows) =>
      db
        .insertInto(table)
        .values(rows as any)
        .execute(),
    update: (table, where, set) => all(db.updateTable(table).set(set), where).execute(),
    remove: (table, where) => all(db.deleteFrom(table), where).execute(),
    async upsert(table, row, conflict) {
      const query = db.insertInto(table).values(row);
      if (dialect === 'mysql') return query.onDuplicateKeyUpdate(row).execute();
      return query.onConflict((on) => on.columns([...conflict]).doUpdateSet(row)).execute();
    },
  };
}

const places: Record<AdapterDialect, (url: string) => Promise<Place>> = {
  async postgres(url) {
    const server = await postgresServer(url);
    return {
      version: server.version,
      lacks: { stream: 'pg-cursor is not installed', several: 'Kysely sends one statement at a time' },
      async make(filling) {
        const { config, filled, drop } = await server.make(filling);
        const open = (spy: Spy | undefined): Made => {
          const pool = quiet(new pg.Pool({ ...config, max: spy ? 6 : 1, ...(spy && { Client: spiedClient(spy) }) }));
          let acquired = 0;
          pool.on('acquire', () => {
            acquired += 1;
          });
          return { dialect: new PostgresDialect({ pool }), acquired: () => acquired };
        };
        return { name: String(config.database), filled, open, drop };
      },
    };
  },
  async mysql(url) {
    const server = await mysqlServer(url);
    return {
      version: server.version,
      lacks: { ...server.lacks, several: 'multipleStatements is off' },
      async make(filling) {
        const { config, filled, drop } = await server.make(filling);
        const open = (spy: Spy | undefined): Made => {
          const pool = mysql.createPool({ ...config, connectionLimit: spy ? 6 : 1 });
          if (spy) spyOn(pool, spy);
          let acquired = 0;
          pool.on('acquire', () => {
            acquired += 1;
          });
          return { dialect: new MysqlDialect({ pool }), acquired: () => acquired };
        };
        return { name: String(config.database), filled, open, drop };
      },
    };
  },
  async sqlite() {
    const { version, lacks, make } = await sqliteServer();
    return {
      version,
      lacks: {
        ...lacks,
        acquired: 'there is no pool',
        stream: 'on SQLite Kysely streams builders only',
      },
      async make() {
        const { file, drop } = await make();
        const open = (spy: Spy | undefined): Made => {
          const database: any = tuned(new (sqliteDriver())(file));
          return { dialect: spiedSqlite(new SqliteDialect({ database }), spy), acquired: () => 0 };
        };
        return { name: file, open, drop };
      },
    };
  },
};

/** The dialect with its one connection seen from below. */
function spiedSqlite(dialect: Dialect, spy: Spy | undefined): Dialect {
  if (spy === undefined) return dialect;
  const createDriver = () => {
    const driver = dialect.createDriver();
    const { acquireConnection } = driver;
    const seen = new WeakSet<object>();
    driver.acquireConnection = async () => {
      const connection = await acquireConnection.call(driver);
      if (seen.has(connection)) return connection;
      seen.add(connection);
      const { executeQuery, streamQuery } = connection;
      connection.executeQuery = async (query) => {
        spy.sent.push(query.sql);
        const hook = spy.hooks.find(({ matches }) => matches(query.sql));
        if (hook === undefined) return executeQuery.call(connection, query) as any;
        spy.hooks = spy.hooks.filter((one) => one !== hook);
        let result: unknown;
        await hook.run(async () => {
          result = await executeQuery.call(connection, query);
        });
        return result as any;
      };
      connection.streamQuery = (query, size) => {
        spy.sent.push(query.sql);
        return streamQuery.call(connection, query, size) as any;
      };
      return connection;
    };
    return driver;
  };
  return Object.assign(Object.create(dialect), { createDriver }) as Dialect;
}
