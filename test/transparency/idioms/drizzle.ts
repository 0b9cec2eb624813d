import { and, asc, eq, inArray, relations } from 'drizzle-orm';
import * as my from 'drizzle-orm/mysql-core';
import * as postgres from 'drizzle-orm/pg-core';
import * as sqlite from 'drizzle-orm/sqlite-core';
import { cached } from '../../../adapters/drizzle/index.js';
import type { AdapterDialect, AdapterRow } from '../../../src/testing/adapter-contract.js';
import { type For, flat, type Idioms } from '../idioms.js';

const ofPostgres = {
  accounts: postgres.pgTable('accounts', {
    id: postgres.integer().primaryKey(),
    org: postgres.varchar().notNull(),
    name: postgres.varchar().notNull(),
    email: postgres.varchar().notNull(),
    seen: postgres.integer().notNull().default(0),
  }),
  notes: postgres.pgTable('notes', {
    id: postgres.integer().primaryKey(),
    account_id: postgres.integer().notNull(),
    org: postgres.varchar().notNull(),
    body: postgres.varchar().notNull(),
  }),
};

const ofMysql = {
  accounts: my.mysqlTable('accounts', {
    id: my.int().primaryKey(),
    org: my.varchar({ length: 20 }).notNull(),
    name: my.varchar({ length: 50 }).notNull(),
    email: my.varchar({ length: 100 }).notNull(),
    seen: my.int().notNull().default(0),
  }),
  notes: my.mysqlTable('notes', {
    id: my.int().primaryKey(),
    account_id: my.int().notNull(),
    org: my.varchar({ length: 20 }).notNull(),
    body: my.varchar({ length: 100 }).notNull(),
  }),
};

const ofSqlite = {
  accounts: sqlite.sqliteTable('accounts', {
    id: sqlite.integer().primaryKey(),
    org: sqlite.text().notNull(),
    name: sqlite.text().notNull(),
    email: sqlite.text().notNull(),
    seen: sqlite.integer().notNull().default(0),
  }),
  notes: sqlite.sqliteTable('notes', {
    id: sqlite.integer().primaryKey(),
    account_id: sqlite.integer().notNull(),
    org: sqlite.text().notNull(),
    body: sqlite.text().notNull(),
  }),
};

interface Schema extends Record<string, unknown> {
  accounts: any;
  notes: any;
}

/** Tables with their relations, for `drizzle(…, { schema })`. */
export const schemas: Readonly<Record<AdapterDialect, Schema>> = {
  postgres: withRelations(ofPostgres),
  mysql: withRelations(ofMysql),
  sqlite: withRelations(ofSqlite),
};

function withRelations(tables: Schema): Schema {
  const { accounts, notes } = tables;
  return {
    ...tables,
    accountsRelations: relations(accounts, ({ many }) => ({ notes: many(notes) })),
    notesRelations: relations(notes, ({ one }) => ({
      account: one(accounts, { fields: [notes.account_id], references: [accounts.id] }),
    })),
  };
}

/** Builders and relational queries of Drizzle. */
export function drizzleIdioms(db: any, dialect: AdapterDialect, per?: For): Idioms {
  const { accounts, notes } = schemas[dialect];
  const those = (where: AdapterRow) => and(...Object.entries(where).map(([name, value]) => eq(accounts[name], value)));
  const timed = <T>(read: () => PromiseLike<T>): Promise<T> =>
    per === undefined ? Promise.resolve(read()) : cached(per, read);
  const short = { id: accounts.id, name: accounts.name };
  return {
    find: (where) => timed(() => db.select().from(accounts).where(those(where))),
    among: (ids) =>
      timed(() =>
        db
          .select(short)
          .from(accounts)
          .where(inArray(accounts.id, [...ids])),
      ),
    count: async (where) => [{ n: String(await timed(() => db.$count(accounts, those(where)))) }],
    page: (org) =>
      timed(() =>
        db.query.accounts.findMany({
          columns: { id: true, name: true },
          where: eq(accounts.org, org),
          orderBy: [asc(accounts.name), asc(accounts.id)],
          limit: 2,
        }),
      ),
    withNotes: async (where) =>
      flat(await timed(() => db.query.accounts.findMany({ where: those(where), with: { notes: true } }))),
    joined: (org) =>
      timed(() =>
        db
          .select({ name: accounts.name, body: notes.body })
          .from(accounts)
          .innerJoin(notes, eq(notes.account_id, accounts.id))
          .where(eq(notes.org, org)),
      ),
    insert: async (rows) => db.insert(accounts).values(rows),
    update: async (where, set) => db.update(accounts).set(set).where(those(where)),
    remove: async (where) => db.delete(accounts).where(those(where)),
    async upsert(row) {
      const insert = db.insert(accounts).values(row);
      if (dialect === 'mysql') return insert.onDuplicateKeyUpdate({ set: row });
      return insert.onConflictDoUpdate({ target: accounts.id, set: row });
    },
    rename: async (id, name) => db.update(accounts).set({ name }).where(eq(accounts.id, id)),
    addNote: async (account_id, note) => db.insert(notes).values({ ...note, account_id }),
  };
}
