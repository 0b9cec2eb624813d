import { Readable } from 'node:stream';
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
} from '../../../src/testing/adapter-contract.js';
import { sqliteDriver } from '../../services/sqlite.js';
import { entities, typeormIdioms } from '../../transparency/idioms/typeorm.js';
import type { Idiomatic } from '../../transparency/idioms.js';
import { mysqlServer } from './mysql-server.js';
import type { Spy } from './pg.js';
import { postgresServer } from './postgres-server.js';
import { sqliteServer, tuned } from './sqlite.js';

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
  return {
    name: version === '1' ? 'typeorm' : `typeorm ${version}`,
    server: place.version,
    dialect,
    pool: dialect !== 'sqlite',
    lacks: { batch: 'TypeORM has no batches', ...place.lacks },
    ...(dialect === 'sqlite' && { refuses: 'under `strict`: TypeORM has one connection to SQLite' }),
    async database(filling): Promise<AdapterDatabase> {
      const { options, filled = false, drop } = await place.make(filling);
      const bare = await new orm.DataSource(options).initialize();
      return {
        filled,
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
  readonly lacks: Partial<Record<AdapterFeature, string>>;
  make(
    filling: readonly string[] | undefined,
  ): Promise<{ options: DataSourceOptions; filled?: boolean; drop(): Promise<void> }>;
}

const places: Record<AdapterDialect, (url: string) => Promise<Place>> = {
  async postgres(url) {
    const { version, make } = await postgresServer(url);
    return {
      version,
      lacks: {},
      async make(filling) {
        const { config, filled, drop } = await make(filling);
        const { host, port, user: username, database, options } = config as any;
        const where = { host, port, username, database, poolSize: 6, installExtensions: false, extra: { options } };
        return { options: { type: 'postgres', ...where }, filled, drop };
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
        const { host, port, user: username, database } = config as any;
        const type = version.startsWith('MariaDB') ? 'mariadb' : 'mysql';
        return { options: { type, ...{ host, port, username, database, poolSize: 6 } }, filled, drop };
      },
    };
  },
  async sqlite() {
    const { version, lacks, make } = await sqliteServer();
    return {
      version,
      lacks: {
        ...lacks,
        acquired: 'there is one connection, which nobody takes',
        stream: 'TypeORM does not stream from SQLite',
      },
      async make() {
        const { file, drop } = await make();
        const where = { database: file, driver: sqliteDriver(), timeout: 1000, prepareDatabase: tuned as never };
        return { options: { type: 'better-sqlite3', ...where }, drop };
      },
    };
  },
};

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
  const ds = new orm.DataSource({ ...given, entities: entities.map((one) => new orm.EntitySchema(one)) });
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

function statements(manager: EntityManager): Idiomatic {
  const run = async (sql: string, params: readonly unknown[] = []) =>
    resultOf(await manager.query(native(manager.connection, sql), [...params]));
  return {
    read: async (sql, params, per) =>
      (await (per === undefined ? run(sql, params) : cached(per, () => run(sql, params)))).rows,
    write: run,
    builders: buildersOf(manager),
    idioms: (per) => typeormIdioms(manager, per),
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
