import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Cache, type CacheOptions, createCache } from 'unstale';
import { type PrismaOptions, withCache } from 'unstale/prisma';
import type { AdapterDialect } from '../../../src/testing/adapter-contract.js';
import { mysqlServer } from '../../contract/adapters/mysql-server.js';
import type { Spy } from '../../contract/adapters/pg.js';
import { spiedClient } from '../../contract/adapters/pg.js';
import { postgresServer } from '../../contract/adapters/postgres-server.js';
import { spiedAdapter, spiedPool } from '../../contract/adapters/prisma-spies.js';
import { sqliteServer } from '../../contract/adapters/sqlite.js';
import { type Prisma, prismaOf } from '../../prisma/client.js';

const requireOf = createRequire(fileURLToPath(new URL('../../prisma/package.json', import.meta.url)));

/** A database with the tables of `test/prisma/schema.prisma`. */
export interface PrismaWorld {
  readonly prisma: Prisma;
  /** Another driver adapter for it, whose statements are seen. */
  adapter(max?: number): { adapter: any; sent: string[]; pool: any };
  /** A cache, a driver adapter that is wrapped for it, a bare client of that, and an extended one. */
  open(
    options?: Omit<Partial<PrismaOptions>, 'cache'>,
    more?: { cache?: CacheOptions; client?: object; max?: number; extended?: false },
  ): Opened;
  /** Ends everything. */
  end(): Promise<void>;
  /** Puts the rows back that there are in the beginning. */
  refill(): Promise<void>;
}

export interface Opened {
  readonly cache: Cache;
  readonly adapter: any;
  readonly base: any;
  readonly prisma: any;
  /** What has reached the database, without what the adapter asks for itself. */
  sent(): string[];
  readonly pool: any;
}

export async function prismaWorld(dialect: AdapterDialect, url = ''): Promise<PrismaWorld> {
  const prisma = await prismaOf(dialect);
  const { config, file, drop } = await place(dialect, url);
  const ends: (() => Promise<unknown>)[] = [];
  const adapter = (max = 6) => {
    const spy: Spy = { sent: [], hooks: [] };
    if (dialect === 'sqlite')
      return { adapter: spiedAdapter(prisma.adapter({ url: `file:${file}` }), spy), sent: spy.sent, pool: undefined };
    const pool = dialect === 'postgres' ? postgresPool(config, max, spy) : mysqlPool(config, max, spy);
    ends.push(() => pool.end());
    return { adapter: prisma.adapter(pool), sent: spy.sent, pool };
  };
  const open: PrismaWorld['open'] = (options, { cache: settings, client, max, extended } = {}) => {
    const made = adapter(max);
    const cache = createCache({ ttl: '1h', jitter: 0, ...settings });
    const name = String(config?.database ?? file);
    const wrapped = withCache(made.adapter, { cache, database: name, ...options });
    const base = new prisma.PrismaClient({ adapter: wrapped, ...client });
    ends.push(async () => {
      await base.$disconnect();
      await cache.close();
    });
    const sent = () =>
      made.sent.filter((sql) => !/pg_class|information_schema|sqlite_master|pragma_|has_function/.test(sql));
    return {
      cache,
      adapter: wrapped,
      base,
      prisma: extended === false ? undefined : withCache(base),
      sent,
      pool: made.pool,
    };
  };
  const { base } = open();
  const kept = ends.length;
  for (const sql of tables[dialect]) await base.$executeRawUnsafe(sql);
  return {
    prisma,
    adapter,
    open,
    async refill() {
      for (const end of ends.splice(kept)) await end();
      await base.user.deleteMany();
      await base.tag.deleteMany();
      await base.post.deleteMany();
      await base.user.createMany({
        data: [
          { id: 1, email: 'ada@x', name: 'Ada', orgId: 1, balance: '12.3400', visits: 2n ** 60n, born: new Date(0) },
          { id: 2, email: 'bob@x', name: 'Bob', orgId: 1 },
          { id: 3, email: 'cleo@x', name: 'Cleo', orgId: 2 },
        ],
      });
      await base.post.create({ data: { id: 1, title: 'one', authorId: 1, tags: { create: { id: 1, name: 'red' } } } });
    },
    async end() {
      for (const end of ends) await end();
      await drop();
    },
  };
}

async function place(
  dialect: AdapterDialect,
  url: string,
): Promise<{ config?: any; file?: string; drop(): Promise<void> }> {
  if (dialect === 'sqlite') return (await sqliteServer()).make();
  return dialect === 'postgres' ? (await postgresServer(url)).make() : (await mysqlServer(url)).make();
}

function postgresPool(config: object, max: number, spy: Spy): any {
  const { Pool } = requireOf('pg');
  const pool = new Pool({ ...config, max, Client: spiedClient(spy) });
  pool.on('error', () => {});
  return pool;
}

function mysqlPool({ host, port, user, database }: any, max: number, spy: Spy): any {
  const { createPool } = requireOf('mariadb');
  return spiedPool(createPool({ host, port, user, database, connectionLimit: max, prepareCacheLength: 0 }), spy);
}

const joined = (types: { int: string; text: string; json: string; bytes: string; decimal: string; time: string }) => [
  `create table users (id ${types.int} not null primary key, email ${types.text} not null unique, name ${types.text} not null,
    org_id ${types.int} not null default 1, balance ${types.decimal}, meta ${types.json}, photo ${types.bytes},
    visits bigint, born ${types.time})`,
  `create table posts (id ${types.int} not null primary key, title ${types.text} not null, author_id ${types.int},
    foreign key (author_id) references users (id) on delete cascade)`,
  `create table tags (id ${types.int} not null primary key, name ${types.text} not null unique)`,
];

const tables: Record<AdapterDialect, readonly string[]> = {
  postgres: [
    ...joined({
      int: 'integer',
      text: 'text',
      json: 'jsonb',
      bytes: 'bytea',
      decimal: 'numeric(20, 6)',
      time: 'timestamp(3)',
    }),
    `create table "_PostToTag" ("A" integer not null references posts on delete cascade, "B" integer not null references tags on delete cascade, primary key ("A", "B"))`,
  ],
  mysql: [
    ...joined({
      int: 'integer',
      text: 'varchar(100)',
      json: 'json',
      bytes: 'longblob',
      decimal: 'decimal(20, 6)',
      time: 'datetime(3)',
    }),
    'create table _PostToTag (A integer not null, B integer not null, unique (A, B), foreign key (A) references posts (id) on delete cascade, foreign key (B) references tags (id) on delete cascade)',
  ],
  sqlite: [
    ...joined({ int: 'integer', text: 'text', json: 'jsonb', bytes: 'blob', decimal: 'decimal', time: 'datetime' }),
    'create table _PostToTag (A integer not null references posts on delete cascade, B integer not null references tags on delete cascade, unique (A, B))',
  ],
};
