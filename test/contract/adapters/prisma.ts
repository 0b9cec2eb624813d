import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { cached, withCache } from '../../../adapters/prisma/index.js';
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
import { type Prisma, prismaOf } from '../../prisma/client.js';
import { prismaIdioms } from '../../transparency/idioms/prisma.js';
import type { Idiomatic } from '../../transparency/idioms.js';
import { mysqlServer } from './mysql-server.js';
import { numbered, type Spy, spiedClient } from './pg.js';
import { postgresServer } from './postgres-server.js';
import { spiedAdapter, spiedPool } from './prisma-spies.js';
import { sqliteServer } from './sqlite.js';

interface Made {
  /** A driver adapter that nobody wrapped. */
  readonly adapter: any;
  acquired(): number;
  close(): Promise<void>;
}

interface Place {
  readonly version: string;
  readonly lacks: Partial<Record<AdapterFeature, string>>;
  readonly fails: Record<string, string>;
  make(filling: readonly string[] | undefined): Promise<{
    name: string;
    filled?: boolean;
    open(spy: Spy): Made;
    drop(): Promise<void>;
  }>;
}

const requireOf = createRequire(fileURLToPath(new URL('../../prisma/package.json', import.meta.url)));

/** Prisma on its driver adapters for `pg`, `mariadb` and `better-sqlite3`. */
export async function prismaDriver(o: { dialect: AdapterDialect; url?: string }): Promise<AdapterDriver> {
  const { dialect, url = '' } = o;
  const prisma = await prismaOf(dialect);
  const place = await places[dialect](prisma, url);
  return {
    name: 'prisma',
    server: place.version,
    dialect,
    pool: dialect !== 'sqlite',
    lacks: {
      connection: 'Prisma gives a connection to transactions only',
      stream: 'Prisma has no streams',
      using: 'a query of Prisma is made by the transaction that it belongs to',
      save: 'Prisma has no save()',
      twice: 'a driver adapter that is wrapped already is refused',
      ...place.lacks,
    },
    fails: place.fails,
    ...(dialect === 'sqlite' && { refuses: 'under `strict`: Prisma has one connection to SQLite' }),
    async database(filling): Promise<AdapterDatabase> {
      const { name, filled = false, open, drop } = await place.make(filling);
      const made = open({ sent: [], hooks: [] });
      const bare = new prisma.PrismaClient({ adapter: made.adapter });
      return {
        filled,
        open: async (options) => aClient(prisma, dialect, name, open, options),
        bare: async (sql, params = []) => rowsOf(bare, dialect, sql, params),
        async drop() {
          await bare.$disconnect();
          await made.close();
          await drop();
        },
      };
    },
  };
}

function rowsOf(at: any, dialect: AdapterDialect, sql: string, params: readonly unknown[] = []): Promise<AdapterRow[]> {
  return at.$queryRawUnsafe(dialect === 'postgres' ? numbered(sql) : sql, ...params);
}

async function written(
  at: any,
  dialect: AdapterDialect,
  sql: string,
  params: readonly unknown[] = [],
): Promise<AdapterResult> {
  if (/\breturning\b/i.test(sql)) return { rows: await rowsOf(at, dialect, sql, params), count: undefined };
  const count: number = await at.$executeRawUnsafe(dialect === 'postgres' ? numbered(sql) : sql, ...params);
  return { rows: [], count };
}

function aClient(
  { PrismaClient }: Prisma,
  dialect: AdapterDialect,
  database: string,
  open: (spy: Spy) => Made,
  { cache, twice: _, ...rules }: AdapterOptions,
): AdapterClient {
  const spy: Spy = { sent: [], hooks: [] };
  const made = open(spy);
  const adapter = withCache(made.adapter, { cache, database, ...rules });
  const client: any = withCache(new PrismaClient({ adapter }) as any);
  // Of its own for each: Prisma writes into it.
  const patience = () => ({ maxWait: 10_000, timeout: 15_000 });
  const statements = (at: any): Idiomatic => ({
    async read(sql, params, per) {
      const read = () => rowsOf(at, dialect, sql, params);
      return per === undefined ? read() : cached(per, read);
    },
    write: (sql, params) => written(at, dialect, sql, params),
    builders: buildersOf(at),
    idioms: (per) => prismaIdioms(at, per),
    transaction: (fn) => at.$transaction((tx: any) => fn({ ...statements(tx), handle: tx }), patience()),
  });
  return {
    ...statements(client),
    batch: (members) =>
      client.$transaction(
        members.map(({ sql, params, per }) => {
          const read = () => rowsOf(client, dialect, sql, params);
          return per === undefined ? read() : read();
        }),
      ),
    acquired: made.acquired,
    sent: () => spy.sent,
    around(matches, run) {
      spy.hooks.push({ matches, run });
    },
    async close() {
      await client.$disconnect();
      await made.close();
    },
  };
}

function buildersOf(at: any): AdapterBuilders {
  const of = (table: string) => at[table.replace(/s$/, '')];
  return {
    find: (table, where, per) => of(table).findMany({ where, ...(per !== undefined && { cache: per }) }),
    insert: (table, rows) =>
      Array.isArray(rows) ? of(table).createMany({ data: rows }) : of(table).create({ data: rows }),
    update: (table, where, set) =>
      'id' in where ? of(table).update({ where, data: set }) : of(table).updateMany({ where, data: set }),
    remove: (table, where) => of(table).deleteMany({ where }),
    upsert: (table, row, conflict) =>
      of(table).upsert({
        where: Object.fromEntries(conflict.map((name) => [name, row[name]])),
        create: row,
        update: row,
      }),
  };
}

const places: Record<AdapterDialect, (prisma: Prisma, url: string) => Promise<Place>> = {
  async postgres(prisma, url) {
    const server = await postgresServer(url);
    const { Pool } = requireOf('pg');
    return {
      version: server.version,
      lacks: {},
      fails: Object.fromEntries(
        ['interval', 'point', 'range', 'an array of numbers'].map((type) => [
          `values: ${type}:`,
          `Prisma cannot read or write ${type} in raw SQL`,
        ]),
      ),
      async make(filling) {
        const { config, filled, drop } = await server.make(filling);
        const open = (spy: Spy): Made => {
          const pool = new Pool({ ...config, max: 6, Client: spiedClient(spy) });
          pool.on('error', () => {});
          pool.on('connect', (client: any) => client.on('error', () => {}));
          // A pool calls back, which nobody can hold.
          pool.query = async (...args: unknown[]) => {
            const client = await pool.connect();
            try {
              const result = await client.query(...args);
              client.release();
              return result;
            } catch (error) {
              client.release(error);
              throw error;
            }
          };
          let acquired = 0;
          pool.on('acquire', () => {
            acquired += 1;
          });
          return { adapter: prisma.adapter(pool), acquired: () => acquired, close: () => pool.end() };
        };
        return { name: String(config.database), filled, open, drop };
      },
    };
  },
  async mysql(prisma, url) {
    const server = await mysqlServer(url);
    const { createPool } = requireOf('mariadb');
    return {
      version: server.version,
      lacks: { ...server.lacks, several: 'multipleStatements is off' },
      fails: { 'values: time:': 'Prisma makes an invalid Date of a time in raw SQL' },
      async make(filling) {
        const { config, filled, drop } = await server.make(filling);
        const open = (spy: Spy): Made => {
          const { host, port, user, database } = config;
          const pool = createPool({ host, port, user, database, connectionLimit: 6, prepareCacheLength: 0 });
          let acquired = 0;
          pool.on('acquire', () => {
            acquired += 1;
          });
          return { adapter: prisma.adapter(spiedPool(pool, spy)), acquired: () => acquired, close: () => pool.end() };
        };
        return { name: String(config.database), filled, open, drop };
      },
    };
  },
  async sqlite(prisma) {
    const { version, lacks, make } = await sqliteServer();
    return {
      version,
      lacks: { ...lacks, acquired: 'there is no pool' },
      fails: {
        'schemas: a column that was added':
          'the driver adapter asks for the names of columns before it runs a statement',
      },
      async make() {
        const { file, drop } = await make();
        const open = (spy: Spy): Made => ({
          adapter: spiedAdapter(prisma.adapter({ url: `file:${file}` }), spy),
          acquired: () => 0,
          close: async () => {},
        });
        return { name: file, open, drop };
      },
    };
  },
};
