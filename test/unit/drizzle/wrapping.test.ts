import { entityKind } from 'drizzle-orm';
import { drizzle as onMysql } from 'drizzle-orm/mysql2';
import { drizzle } from 'drizzle-orm/node-postgres';
import { withReplicas } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { expect, test } from 'vitest';
import { databaseOf } from '../../../adapters/drizzle/database.js';
import { withCache } from '../../../adapters/drizzle/index.js';
import { wishOf } from '../../../adapters/drizzle/wish.js';
import { createCache } from '../../../src/index.js';

const cache = createCache();

test('what is no database of drizzle() is refused, with what it is', () => {
  for (const wrong of [undefined, null, 7, {}, new pg.Pool()])
    expect(() => withCache(wrong as never, { cache })).toThrow('Expected `db` to be a database of drizzle(), got');
  const db = drizzle(new pg.Pool({ database: 'app' }));
  expect(() => withCache(db, undefined as never)).toThrow('Expected `options`');
  expect(() => withCache(db, { cache, ttl: 5 } as never)).toThrow('got `ttl`');
  expect(() => withCache(db, {} as never)).toThrow('Expected `cache`');
  expect(() => withCache(withReplicas(db, [db]), { cache })).toThrow('wrap `$primary`');
});

test('a driver that nobody knows is refused, and says so', () => {
  class Session {
    static [entityKind] = 'BunSQLiteSession';
    prepareQuery() {}
  }
  const mock = { session: new Session() } as never;
  expect(() => withCache(mock, { cache })).toThrow('better-sqlite3 or sqlite-proxy, got "BunSQLiteSession"');
});

test('the database is known by its driver, without credentials', () => {
  const of = (db: any) => databaseOf(db.session, undefined);
  const place = of(drizzle(new pg.Pool({ connectionString: 'postgres://me:secret@db:5/app' })));
  expect(place).toMatchObject({ dialect: { name: 'postgres' }, database: 'app' });
  expect(place.address).toContain('db:5/app');
  expect(place.address).not.toContain('secret');
  const mysql = onMysql('mysql://me:secret@db:5/shop');
  expect(of(mysql)).toMatchObject({ dialect: { name: 'mysql' }, database: 'shop' });
  expect(of(mysql).address).not.toContain('secret');
  const nameless = onMysql('mysql://me@db');
  expect(() => of(nameless)).toThrow('Expected the option `database`');
  for (const db of [mysql, nameless]) (db.$client as any).end();
});

test('what $withCache says is taken in our words', () => {
  expect(wishOf(undefined)).toBe(undefined);
  expect(wishOf({ enable: false })).toBe(false);
  expect(wishOf({ enable: true, autoInvalidate: true, config: {} })).toEqual({});
  expect(wishOf({ enable: true, config: { ex: 60 } })).toBe(60_000);
  expect(wishOf({ enable: true, config: { px: 500 } })).toBe(500);
  expect(() => wishOf({ enable: true, config: { ex: 1, px: 1 } })).toThrow('not both');
});
