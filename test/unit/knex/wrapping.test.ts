import Knex, { type Knex as Instance } from 'knex';
import { afterEach, expect, test } from 'vitest';
import { unwrap, withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

function aCache() {
  const cache = createCache();
  cleanups.push(() => cache.close());
  return cache;
}

/** Not connected: nothing here sends a statement. */
function aKnex(config: Instance.Config = { client: 'pg', connection: 'postgres://ada@db/app' }): Instance {
  const knex = Knex(config);
  cleanups.push(() => knex.destroy());
  return knex;
}

test('the instance itself is wrapped, and no other', () => {
  const [knex, other] = [aKnex(), aKnex()];
  expect(withCache(knex, { cache: aCache() })).toBe(knex);
  expect(typeof knex('users').cache).toBe('function');
  expect(other('users').cache).toBeUndefined();
  expect(other.raw('select 1').cache).toBeUndefined();
});

test('unwrap gives back what was there before', () => {
  const knex = aKnex();
  const before = Object.getPrototypeOf(knex.client);
  expect(unwrap(withCache(knex, { cache: aCache() }))).toBe(knex);
  expect(Object.getPrototypeOf(knex.client)).toBe(before);
  expect(knex('users').cache).toBeUndefined();
  expect(() => unwrap(knex)).toThrow(/Expected `knex` to be one that was wrapped/);
});

test('wrapping again does nothing, and throws when it would mean something else', () => {
  const [knex, cache] = [aKnex(), aCache()];
  withCache(knex, { cache, tables: { users: { ttl: '1m' } } });
  const wrapped = Object.getPrototypeOf(knex.client);
  withCache(knex, { cache, tables: { users: { ttl: '1m' } } });
  expect(Object.getPrototypeOf(knex.client)).toBe(wrapped);
  expect(() => withCache(knex, { cache, tables: { users: { ttl: '2m' } } })).toThrow(/wrapped already/);
  expect(() => withCache(knex, { cache: aCache(), tables: { users: { ttl: '1m' } } })).toThrow(/wrapped already/);
  unwrap(knex);
  withCache(knex, { cache });
});

test('what .cache says goes into a clone, and into no other builder', () => {
  const knex = withCache(aKnex(), { cache: aCache() });
  const query = knex('users').where({ id: 7 }).cache('1m');
  const said = (builder: object) => (builder as { _single: { cacheFor?: unknown } })._single.cacheFor;
  expect(said(query.clone())).toBe('1m');
  expect(said(query.clone().cache(false))).toBe(false);
  expect(said(query)).toBe('1m');
  expect(said(knex('users'))).toBeUndefined();
  expect(query.toQuery()).toBe(`select * from "users" where "id" = 7`);
});

test('builders of an extension, and those inside of others, stay what they are', () => {
  const knex = withCache(aKnex(), { cache: aCache() });
  const query = knex
    .with('some', knex('users').cache('1m'))
    .from('some')
    .union(knex.raw('select ?', [1]));
  expect(query.toQuery()).toBe('with "some" as (select * from "users") select * from "some" union select 1');
});

const aKnexFor = (client: string) => Knex({ client });
const wrong: [string, () => unknown, RegExp][] = [
  ['what is no instance', () => ({}), /Expected `knex` to be an instance of Knex/],
  ['a configuration', () => ({ client: 'pg' }), /Expected `knex` to be an instance of Knex/],
  ['nothing', () => undefined, /Expected `knex` to be an instance of Knex/],
  ['a database that nobody here can read', () => aKnexFor('mssql'), /PostgreSQL, MySQL, MariaDB or SQLite/],
  ['one that only looks like PostgreSQL', () => aKnexFor('cockroachdb'), /PostgreSQL, MySQL, MariaDB or SQLite/],
  ['a connection that is a function', () => Knex({ client: 'pg', connection: () => ({}) }), /the option `database`/],
  [
    'a connection to no database',
    () => Knex({ client: 'mysql2', connection: { host: 'db' } }),
    /the option `database`/,
  ],
];
test.each(wrong)('%s is refused', (_, given, message) => {
  expect(() => withCache(given() as Instance, { cache: aCache() })).toThrow(message);
});

test('a transaction is refused', () => {
  const trx = Object.assign(() => {}, { client: {}, isTransaction: true });
  expect(() => withCache(trx as never, { cache: aCache() })).toThrow(/not one of its transactions/);
});

test('options that are wrong are refused, and nothing is wrapped then', () => {
  const knex = aKnex();
  expect(() => withCache(knex, undefined as never)).toThrow(TypeError);
  expect(() => withCache(knex, {} as never)).toThrow(/`cache`/);
  expect(() => withCache(knex, { cache: aCache(), tabels: {} } as never)).toThrow(/tabels/);
  expect(knex('users').cache).toBeUndefined();
});

test('an instance of which somebody has replaced a method is refused: its statements would go past', () => {
  const knex = aKnex();
  const { query } = knex.client;
  knex.client.query = query;
  expect(() => withCache(knex, { cache: aCache() })).toThrow(/nobody has replaced client.query/);
});
