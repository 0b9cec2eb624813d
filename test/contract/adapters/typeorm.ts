import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { DataSource, DataSourceOptions, EntityManager, ObjectLiteral } from 'typeorm';
import * as typeorm1 from 'typeorm';
import * as typeorm03 from 'typeorm03';
import { cached, withCache } from '../../../adapters/typeorm/index.js';
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
} from '../../../src/testing/adapter-contract.js';
import { aSqliteFile, sqliteDriver } from '../../services/sqlite.js';

/** Both are used by the types of the newer one: what is used of them is the same. */
export const versions = { '1': typeorm1, '0.3': typeorm03 as unknown as typeof typeorm1 };
export type TypeormVersion = keyof typeof versions;

/** TypeORM on a PostgreSQL, a MariaDB or MySQL, or files of SQLite. */
export async function typeormDriver(server: {
  dialect: AdapterDialect;
  url?: string;
  version?: TypeormVersion;
}): Promise<AdapterDriver> {
  const { dialect, url = '', version = '1' } = server;
  const orm = versions[version];
  const place = await places[dialect](url);
  const isMariadb = /mariadb/i.test(place.version);
  const lacks: Partial<Record<AdapterFeature, string>> = {
    batch: 'TypeORM has no batches',
    ...(dialect === 'mysql' && {
      several: 'multipleStatements is off',
      returning: `${isMariadb ? 'MariaDB' : 'MySQL'} has no UPDATE … RETURNING`,
      merge: 'no MERGE',
      ...(isMariadb && { lateral: 'MariaDB has no LATERAL' }),
    }),
    ...(dialect === 'sqlite' && {
      wire: 'there is no connection to lose',
      acquired: 'there is one connection, which nobody takes',
      stream: 'TypeORM does not stream from SQLite',
      'two writers': 'SQLite has one writer at a time',
      several: 'better-sqlite3 takes one statement at a time',
      lateral: 'SQLite has no LATERAL',
      merge: 'SQLite has no MERGE',
    }),
  };
  return {
    name: version === '1' ? 'typeorm' : `typeorm ${version}`,
    server: place.version,
    dialect,
    pool: dialect !== 'sqlite',
    lacks,
    async database(): Promise<AdapterDatabase> {
      const { options, drop } = await place.make();
      const bare = await new orm.DataSource(options).initialize();
      return {
        open: async (given) => aClient(orm, options, given),
        bare: async (sql, params = []) => resultOf(await bare.query(native(bare, sql), [...params])).rows,
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
  make(): Promise<{ options: DataSourceOptions; drop(): Promise<void> }>;
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
    const { hostname: host, port, username } = new URL(url);
    // To make one takes longer than most cases, so what was emptied is used again.
    const free: string[] = [];
    return {
      version: `PostgreSQL ${String(row.server_version).split(' ')[0]}`,
      async make() {
        const database = free.pop() ?? aName();
        if ((await run(`select 1 from pg_database where datname = '${database}'`)).length === 0)
          await run(`create database ${database} template template0`);
        return {
          options: {
            type: 'postgres',
            ...{ host, port: Number(port), username, database, poolSize: 6, installExtensions: false },
            // Whoever waits for a lock in a test waits for ever.
            extra: { options: '-c lock_timeout=500ms' },
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
    const { hostname: host, port, username } = new URL(url);
    const version = String(row?.version);
    const isMariadb = /mariadb/i.test(version);
    return {
      version: isMariadb ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`,
      async make() {
        const database = aName();
        await run(`create database ${database} character set utf8mb4`);
        return {
          options: {
            type: isMariadb ? 'mariadb' : 'mysql',
            ...{ host, port: Number(port), username, database, poolSize: 6 },
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
        const prepareDatabase = (connection: { pragma(text: string): unknown }) => {
          for (const text of ['journal_mode = wal', 'synchronous = off']) connection.pragma(text);
        };
        return {
          options: {
            type: 'better-sqlite3',
            ...{ database: file, driver: sqliteDriver(), timeout: 1000, prepareDatabase: prepareDatabase as never },
          },
          drop: async () => remove(),
        };
      },
    };
  },
};

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

/** Sees the runners of a driver from below, whatever an adapter does above. */
export function spyOn(ds: DataSource): Spy {
  const spy: Spy = { sent: [], hooks: [] };
  const driver = ds.driver as any;
  const { createQueryRunner } = driver;
  const seen = new WeakSet<object>();
  driver.createQueryRunner = (mode: string) => {
    const runner = createQueryRunner.call(driver, mode);
    if (seen.has(runner)) return runner;
    seen.add(runner);
    const { query, stream } = runner;
    runner.query = async (sql: string, ...rest: unknown[]) => {
      spy.sent.push(sql);
      const hook = spy.hooks.find(({ matches }) => matches(sql));
      if (hook === undefined) return query.call(runner, sql, ...rest);
      spy.hooks = spy.hooks.filter((one) => one !== hook);
      let result: unknown;
      try {
        await hook.run(async () => {
          result = await query.call(runner, sql, ...rest);
        });
        return result;
      } catch (error) {
        const { databaseConnection } = runner;
        if (databaseConnection?.connection?.stream) databaseConnection.connection.stream.destroy();
        else databaseConnection?.destroy?.();
        throw error;
      }
    };
    runner.stream = (sql: string, ...rest: unknown[]) => {
      spy.sent.push(sql);
      return stream.call(runner, sql, ...rest);
    };
    return runner;
  };
  if (ds.options.type === 'postgres') driver.loadStreamDependency = () => aQueryStream;
  return spy;
}

/** What `pg-query-stream` is to TypeORM, which is not installed: the rows of a query of `pg` one by one. */
function aQueryStream(text: string, values: unknown[] = []): any {
  const query = new pg.Query({ text, values }) as any;
  const stream = new Readable({ objectMode: true, read() {} });
  query.on('row', (row: unknown) => stream.push(row));
  query.on('end', () => stream.push(null));
  query.on('error', (error: Error) => stream.destroy(error));
  for (const name of ['submit', ...handlers]) (stream as any)[name] = query[name].bind(query);
  return stream;
}
const handlers = ['RowDescription', 'DataRow', 'PortalSuspended', 'EmptyQuery', 'CommandComplete', 'ReadyForQuery']
  .concat('Error', 'CopyInResponse', 'CopyData')
  .map((name) => `handle${name}`);

async function aClient(
  orm: typeof typeorm1,
  given: DataSourceOptions,
  { cache, twice, ...rules }: AdapterOptions,
): Promise<AdapterClient> {
  const accounts = new orm.EntitySchema<AdapterRow>({
    name: 'accounts',
    columns: {
      id: { type: 'integer', primary: true },
      ...Object.fromEntries(['org', 'name', 'email'].map((name) => [name, { type: 'varchar' as const }])),
      seen: { type: 'integer', default: 0 },
    },
  });
  const ds = new orm.DataSource({ ...given, entities: [accounts] });
  const spy = spyOn(ds);
  withCache(ds, { cache, ...rules });
  if (twice) withCache(ds, { cache, ...rules });
  await ds.initialize();
  let acquired = 0;
  const { master, pool } = ds.driver as any;
  (master ?? pool)?.on('acquire', () => {
    acquired += 1;
  });
  return {
    ...statements(ds.manager),
    async connection(fn) {
      const runner = ds.createQueryRunner();
      await runner.connect();
      try {
        return await fn(async (sql, params = []) => resultOf(await runner.query(native(ds, sql), [...params])).rows);
      } finally {
        await runner.release();
      }
    },
    async *stream(sql, params = []) {
      const runner = ds.createQueryRunner();
      try {
        yield* (await runner.stream(native(ds, sql), [...params])) as unknown as AsyncIterable<AdapterRow>;
      } finally {
        await runner.release();
      }
    },
    using: (handle) => statements(handle as EntityManager),
    async save(table, id, change, per) {
      const repository = ds.getRepository(table);
      const act = async () => {
        const row = await repository.findOneByOrFail({ id });
        change(row);
        await repository.save(row);
      };
      await (per === undefined ? act() : cached(per, act));
    },
    acquired: () => acquired,
    sent: () => spy.sent,
    around(matches, run) {
      spy.hooks.push({ matches, run });
    },
    close: () => ds.destroy(),
  };
}

function statements(manager: EntityManager): AdapterStatements {
  const run = async (sql: string, params: readonly unknown[] = []) =>
    resultOf(await manager.query(native(manager.connection, sql), [...params]));
  return {
    read: async (sql, params, per) =>
      (await (per === undefined ? run(sql, params) : cached(per, () => run(sql, params)))).rows,
    write: run,
    builders: buildersOf(manager),
    transaction: (fn) => manager.transaction((inner) => fn({ ...statements(inner), handle: inner })),
  };
}

function buildersOf(manager: EntityManager): AdapterBuilders {
  return {
    async find(table, where, per) {
      const milliseconds = per === '1h' ? 3_600_000 : per;
      return manager.find<ObjectLiteral>(table, {
        where,
        ...(milliseconds !== undefined && { cache: milliseconds as number | false }),
      });
    },
    insert: (table, rows) => manager.insert<ObjectLiteral>(table, rows as AdapterRow),
    update: (table, where, set) => manager.update<ObjectLiteral>(table, where, set),
    remove: (table, where) => manager.delete<ObjectLiteral>(table, where),
    upsert: (table, row, conflict) => manager.upsert<ObjectLiteral>(table, row, [...conflict]),
  };
}

/** Statements of the suite have `?` for parameters. */
function native(ds: { options: { type: string } }, sql: string): string {
  let n = 0;
  return ds.options.type === 'postgres' ? sql.replace(/'[^']*'|\?/g, (it) => (it === '?' ? `$${++n}` : it)) : sql;
}

/** What `query` gives: rows; of PostgreSQL's UPDATE and DELETE rows and their number; or what the driver says. */
function resultOf(result: any): AdapterResult {
  if (Array.isArray(result) && result.length === 2 && Array.isArray(result[0]) && !Array.isArray(result[1]))
    return { rows: result[0], count: result[1] };
  if (Array.isArray(result)) return { rows: result, count: undefined };
  return { rows: [], count: result?.affectedRows };
}
