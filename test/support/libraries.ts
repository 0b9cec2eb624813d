import type { Knex as KnexInstance } from 'knex';
import type mysql from 'mysql2';
import type pg from 'pg';
import type { WrapOptions } from '../../src/adapter/index.js';

/** A client of a library, as its users open it, on the shop's accounts. */
export interface LibraryClient {
  /** The account with that id, in the way in which the library's users ask for it. */
  find(id: number): Promise<{ id: number; name: string } | undefined>;
  rename(id: number, name: string): Promise<unknown>;
  /** Holds a connection in a transaction of the library's own while `fn` runs; rolled back if it throws. */
  transaction(fn: (tx: Pick<LibraryClient, 'find' | 'rename'>) => Promise<unknown>): Promise<unknown>;
  /** What users hold of it, and what hangs on that: where a wrapping might leave something. */
  readonly parts: readonly object[];
  /** Where `withCache` changes the thing itself, and gives it back; others make a wrapped one of it. */
  readonly inPlace?: { wrap(options: WrapOptions): void; unwrap(): void };
  close(): Promise<void>;
}

export interface Library {
  readonly name: string;
  /** Opens a client; wrapped, if there are options for it. */
  open(at: OpenAt, wrap?: WrapOptions): Promise<LibraryClient>;
}

export interface OpenAt {
  /** What `pg` or `mysql2` takes. */
  readonly config: any;
  /** How many connections it may have. */
  readonly max: number;
  /** What `pg` makes connections with; PostgreSQL only. */
  readonly Client?: typeof pg.Client | undefined;
}

type Row = { id: number; name: string };
const short = (row: Row | null | undefined): Row | undefined => (row ? { id: row.id, name: row.name } : undefined);

/** Knex on what `config` says. */
export function knexLibrary(client: 'pg' | 'mysql2'): Library {
  return {
    name: 'knex',
    async open({ config, max, Client }, wrap) {
      const { default: Knex } = await import('knex');
      const { withCache, unwrap } = await import('../../adapters/knex/index.js');
      const knex = Knex({ client, connection: config, pool: { min: 0, max } });
      if (Client) knex.client.driver = { ...knex.client.driver, Client };
      if (wrap) withCache(knex, wrap);
      const on = (at: KnexInstance) => ({
        find: async (id: number) => at<Row>('accounts').select('id', 'name').where({ id }).first(),
        rename: async (id: number, name: string) => at('accounts').where({ id }).update({ name }),
      });
      return {
        ...on(knex),
        transaction: (fn) => knex.transaction((trx) => fn(on(trx))),
        parts: [knex, knex.client],
        inPlace: { wrap: (options) => void withCache(knex, options), unwrap: () => void unwrap(knex) },
        close: () => knex.destroy(),
      };
    },
  };
}

/** Kysely over a pool that is given. */
export function kyselyLibrary(client: 'pg' | 'mysql2'): Library {
  return {
    name: 'kysely',
    async open(at, wrap) {
      const { Kysely, PostgresDialect, MysqlDialect } = await import('kysely');
      const { withCache } = await import('../../adapters/kysely/index.js');
      const bare =
        client === 'pg'
          ? new PostgresDialect({ pool: await pgPool(at) })
          : new MysqlDialect({ pool: (await mysqlPool(at)) as never });
      const dialect = wrap ? withCache(bare, { database: at.config.database, ...wrap }) : bare;
      const db = new Kysely<{ accounts: Row }>({ dialect });
      const on = (from: typeof db) => ({
        find: (id: number) =>
          from.selectFrom('accounts').select(['id', 'name']).where('id', '=', id).executeTakeFirst(),
        rename: (id: number, name: string) =>
          from.updateTable('accounts').set({ name }).where('id', '=', id).executeTakeFirst(),
      });
      return {
        ...on(db),
        transaction: (fn) => db.transaction().execute((trx) => fn(on(trx))),
        parts: [db, db.getExecutor(), bare],
        close: () => db.destroy(),
      };
    },
  };
}

/** Drizzle over a pool that is given. */
export function drizzleLibrary(client: 'pg' | 'mysql2'): Library {
  return {
    name: 'drizzle',
    async open(at, wrap) {
      const { eq } = await import('drizzle-orm');
      const { schemas } = await import('../transparency/idioms/drizzle.js');
      const { withCache, unwrap } = await import('../../adapters/drizzle/index.js');
      const pool: any = client === 'pg' ? await pgPool(at) : await mysqlPool(at);
      const db: any =
        client === 'pg'
          ? (await import('drizzle-orm/node-postgres')).drizzle(pool)
          : (await import('drizzle-orm/mysql2')).drizzle(pool);
      if (wrap) withCache(db, wrap);
      const { accounts } = schemas[client === 'pg' ? 'postgres' : 'mysql'];
      const columns = { id: accounts.id, name: accounts.name };
      const on = (from: any) => ({
        find: async (id: number) => (await from.select(columns).from(accounts).where(eq(accounts.id, id)))[0],
        rename: (id: number, name: string) => from.update(accounts).set({ name }).where(eq(accounts.id, id)),
      });
      return {
        ...on(db),
        transaction: (fn) => db.transaction((tx: unknown) => fn(on(tx))),
        parts: [db, db.session, db.dialect, pool],
        inPlace: { wrap: (options) => void withCache(db, options), unwrap: () => void unwrap(db) },
        close: async () => {
          await (client === 'pg' ? pool.end() : pool.promise().end());
        },
      };
    },
  };
}

export async function pgPool({ config, max, Client }: OpenAt): Promise<pg.Pool> {
  const { default: pg } = await import('pg');
  const { quiet } = await import('../contract/adapters/pg.js');
  return quiet(new pg.Pool({ ...config, max, ...(Client && { Client }) }));
}

export async function mysqlPool({ config, max }: OpenAt): Promise<mysql.Pool> {
  return (await import('mysql2')).default.createPool({ ...config, connectionLimit: max });
}

/** TypeORM of either version, by repositories. */
export function typeormLibrary(client: 'pg' | 'mysql2', version: '1' | '0.3'): Library {
  return {
    name: version === '1' ? 'typeorm' : 'typeorm 0.3',
    async open({ config, max, Client }, wrap) {
      const { default: pg } = await import('pg');
      const { versions } = await import('../contract/adapters/typeorm.js');
      const { entities } = await import('../transparency/idioms/typeorm.js');
      const { withCache, unwrap } = await import('../../adapters/typeorm/index.js');
      const { DataSource, EntitySchema } = versions[version];
      const { host, port, user: username, database } = config;
      const driver = Client && { driver: { ...pg, Pool: poolOf(pg.Pool, Client) } };
      const type = client === 'pg' ? ('postgres' as const) : ('mariadb' as const);
      const ds = new DataSource({
        ...({ type, host, port, username, database, poolSize: max, installExtensions: false, ...driver } as any),
        entities: entities.map((one) => new EntitySchema(one)),
      });
      if (wrap) withCache(ds, wrap);
      await ds.initialize();
      const on = (at: Pick<typeof ds, 'getRepository'>) => ({
        find: async (id: number) =>
          short(await at.getRepository<Row>('accounts').findOne({ select: { id: true, name: true }, where: { id } })),
        rename: (id: number, name: string) => at.getRepository<Row>('accounts').update({ id }, { name }),
      });
      const repository = ds.getRepository('accounts');
      return {
        ...on(ds),
        transaction: (fn) => ds.transaction((manager) => fn(on(manager))),
        parts: [ds, ds.driver, ds.manager, repository, repository.createQueryBuilder('a')],
        inPlace: { wrap: (options) => void withCache(ds, options), unwrap: () => void unwrap(ds) },
        close: () => ds.destroy(),
      };
    },
  };
}

function poolOf(Pool: typeof pg.Pool, Client: typeof pg.Client): typeof pg.Pool {
  return class extends Pool {
    constructor(options: pg.PoolConfig) {
      super({ ...options, Client } as pg.PoolConfig);
    }
  } as typeof pg.Pool;
}
