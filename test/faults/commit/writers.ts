import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable } from 'drizzle-orm/pg-core';
import Knex from 'knex';
import { Kysely, PostgresDialect, sql as raw } from 'kysely';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { withCache as withDrizzle } from '../../../adapters/drizzle/index.js';
import { withCache as withKnex } from '../../../adapters/knex/index.js';
import { withCache as withKysely } from '../../../adapters/kysely/index.js';
import { withCache as withMysql2 } from '../../../adapters/mysql2/index.js';
import { withCache as withPg } from '../../../adapters/pg/index.js';
import { withCache as withPrisma } from '../../../adapters/prisma/index.js';
import { withCache as withTypeorm } from '../../../adapters/typeorm/index.js';
import type { Cache } from '../../../src/index.js';
import { hasPrisma, prismaOf } from '../../prisma/client.js';

/** A wrapped client, on a table `counts` with a value for each id. */
export interface Client {
  read(id: number): Promise<number>;
  /** Adds one to the value, by a statement alone or in a transaction. */
  add(id: number, how: How): Promise<void>;
  close(): Promise<unknown>;
}

export const hows = ['statement', 'transaction'] as const;
export type How = (typeof hows)[number];

type Open = (url: string, cache: Cache) => Client | Promise<Client>;

/** By the name of what is wrapped; Prisma where `npm run setup` has brought it. */
export const writers: Readonly<Record<string, { readonly database: 'postgres' | 'mysql'; readonly open: Open }>> = {
  knex: { database: 'postgres', open: openKnex },
  pg: { database: 'postgres', open: openPg },
  mysql2: { database: 'mysql', open: openMysql2 },
  drizzle: { database: 'postgres', open: openDrizzle },
  kysely: { database: 'postgres', open: openKysely },
  typeorm: { database: 'postgres', open: openTypeorm },
  ...(hasPrisma && { prisma: { database: 'postgres', open: openPrisma } }),
};

function openKnex(connection: string, cache: Cache): Client {
  const knex = withKnex(Knex({ client: 'pg', connection, pool: { min: 0, max: 4 }, log: { warn() {} } }), { cache });
  const add = (at: Pick<typeof knex, 'table'>, id: number) => at.table('counts').where({ id }).increment('value', 1);
  return {
    read: async (id) => (await knex('counts').where({ id }).first('value')).value,
    async add(id, how) {
      if (how === 'statement') await add(knex, id);
      else await knex.transaction(async (trx) => void (await add(trx, id)));
    },
    close: () => knex.destroy(),
  };
}

const increment = 'update counts set value = value + 1 where id = $1';

function aPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 4 });
  pool.on('error', () => {});
  // One that breaks while nobody waits for it tells nobody else.
  pool.on('connect', (client) => void client.on('error', () => {}));
  return pool;
}

function openPg(url: string, cache: Cache): Client {
  const pool = withPg(aPool(url), { cache });
  return {
    read: async (id) => (await pool.query('select value from counts where id = $1', [id])).rows[0].value,
    async add(id, how) {
      if (how === 'statement') return void (await pool.query(increment, [id]));
      const client = await pool.connect();
      try {
        await client.query('begin');
        await client.query(increment, [id]);
        await client.query('commit');
      } finally {
        client.release(true);
      }
    },
    close: () => pool.end(),
  };
}

function openMysql2(uri: string, cache: Cache): Client {
  const pool = withMysql2(mysql.createPool({ uri, connectionLimit: 4 }), { cache });
  const text = increment.replace('$1', '?');
  return {
    async read(id) {
      const [rows] = await pool.query<mysql.RowDataPacket[]>('select value from counts where id = ?', [id]);
      return rows[0]?.value;
    },
    async add(id, how) {
      if (how === 'statement') return void (await pool.query(text, [id]));
      const connection = await pool.getConnection();
      try {
        await connection.beginTransaction();
        await connection.query(text, [id]);
        await connection.commit();
      } finally {
        connection.destroy();
      }
    },
    close: () => pool.end(),
  };
}

const counts = pgTable('counts', { id: integer().primaryKey(), value: integer().notNull() });

function openDrizzle(url: string, cache: Cache): Client {
  const pool = aPool(url);
  const db = withDrizzle(drizzle(pool), { cache });
  const add = (at: Pick<typeof db, 'update'>, id: number) =>
    at
      .update(counts)
      .set({ value: sql`${counts.value} + 1` })
      .where(eq(counts.id, id));
  return {
    read: async (id) => (await db.select().from(counts).where(eq(counts.id, id)))[0]?.value as number,
    async add(id, how) {
      if (how === 'statement') await add(db, id);
      else await db.transaction(async (tx) => void (await add(tx, id)));
    },
    close: () => pool.end(),
  };
}

function openKysely(url: string, cache: Cache): Client {
  const dialect = withKysely(new PostgresDialect({ pool: aPool(url) }), { cache, database: 'counts' });
  const db = new Kysely<{ counts: { id: number; value: number } }>({ dialect });
  const add = (at: Pick<typeof db, 'updateTable'>, id: number) =>
    at.updateTable('counts').set({ value: raw<number>`value + 1` }).where('id', '=', id).execute();
  return {
    read: async (id) =>
      (await db.selectFrom('counts').select('value').where('id', '=', id).executeTakeFirstOrThrow()).value,
    async add(id, how) {
      if (how === 'statement') await add(db, id);
      else await db.transaction().execute((trx) => add(trx, id));
    },
    close: () => db.destroy(),
  };
}

async function openTypeorm(url: string, cache: Cache): Promise<Client> {
  const ds = new DataSource({ type: 'postgres', url, extra: { max: 4 }, poolErrorHandler: () => {} });
  withTypeorm(await ds.initialize(), { cache });
  return {
    read: async (id) => (await ds.query('select value from counts where id = $1', [id]))[0].value,
    async add(id, how) {
      if (how === 'statement') await ds.query(increment, [id]);
      else await ds.transaction(async (manager) => void (await manager.query(increment, [id])));
    },
    close: () => ds.destroy(),
  };
}

async function openPrisma(url: string, cache: Cache): Promise<Client> {
  const { PrismaClient, adapter } = await prismaOf('postgres');
  const seen = withPrisma(adapter({ connectionString: url, max: 4 }), { cache });
  const client: any = withPrisma(new PrismaClient({ adapter: seen }));
  const add = (at: any, id: number) => at.$executeRawUnsafe(increment, id);
  return {
    read: async (id) => (await client.$queryRawUnsafe('select value from counts where id = $1', id))[0].value,
    async add(id, how) {
      if (how === 'statement') await add(client, id);
      else await client.$transaction((tx: any) => add(tx, id));
    },
    close: () => client.$disconnect(),
  };
}
