import { DataSource, type DataSourceOptions } from 'typeorm';
import { DataSource as DataSource03 } from 'typeorm03';
import { afterAll, describe, expect, test } from 'vitest';
import { unwrap, withCache } from '../../../adapters/typeorm/index.js';
import { type Cache, createCache, table } from '../../../src/index.js';

const caches: Cache[] = [];
const aCache = (): Cache => {
  const cache = createCache();
  caches.push(cache);
  return cache;
};
afterAll(() => Promise.all(caches.map((cache) => cache.close())));

const made = {
  'TypeORM 1': (options: object = {}) =>
    new DataSource({ type: 'postgres', database: 'app', ...options } as DataSourceOptions),
  'TypeORM 0.3': (options: object = {}) =>
    new DataSource03({ type: 'postgres', database: 'app', ...options } as never) as unknown as DataSource,
};

describe.each(Object.entries(made))('wrapping a data source of %s', (_, make) => {
  test('gives back the same data source, and leaves its class and its options as they are', () => {
    const given = { type: 'postgres', database: 'app' };
    const ds = make(given);
    const before = Object.getOwnPropertyNames(Object.getPrototypeOf(ds));
    const { createQueryRunner } = Object.getPrototypeOf(ds);
    expect(withCache(ds, { cache: aCache() })).toBe(ds);
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(ds))).toEqual(before);
    expect(Object.getPrototypeOf(ds).createQueryRunner).toBe(createQueryRunner);
    expect({ ...ds.options }).toEqual(given);
    expect(Object.keys(given)).toEqual(['type', 'database']);
    expect(make().queryResultCache).toBeUndefined();
  });

  test('again with the same options changes nothing; with others it is refused', () => {
    const cache = aCache();
    const ds = withCache(make(), { cache, tables: { users: { ttl: '1m' } } });
    const { createQueryRunner } = ds;
    withCache(ds, { cache, tables: { users: { ttl: '1m' } } });
    expect(ds.createQueryRunner).toBe(createQueryRunner);
    expect(() => withCache(ds, { cache })).toThrow(/unwrap it first/);
    expect(() => withCache(ds, { cache: aCache(), tables: { users: { ttl: '1m' } } })).toThrow(TypeError);
  });

  test('unwrap takes everything back', () => {
    const ds = make();
    const before = Object.getOwnPropertyDescriptors(ds);
    const own = Object.getOwnPropertyNames(ds.manager);
    unwrap(withCache(ds, { cache: aCache() }));
    expect(Object.getOwnPropertyDescriptors(ds)).toEqual(before);
    expect(Object.getOwnPropertyNames(ds.manager)).toEqual(own);
    expect(() => unwrap(ds)).toThrow(/Expected `dataSource` to be one that was wrapped by withCache/);
  });

  test('what is no data source, or of another database, or has a cache of its own, is refused', () => {
    const cache = aCache();
    for (const wrong of [undefined, null, {}, 'postgres', make().manager])
      expect(() => withCache(wrong as never, { cache })).toThrow(
        /Expected `dataSource` to be a data source of TypeORM/,
      );
    for (const [type, driver] of [
      ['cockroachdb', 'postgres'],
      ['mssql', 'sqlserver'],
    ])
      expect(() =>
        withCache({ ...make(), driver: { options: { type, driver } }, createQueryRunner() {} } as never, { cache }),
      ).toThrow(/Expected `dataSource` to be one of type postgres, mysql, mariadb or better-sqlite3, got/);
    const own = make({ cache: { provider: () => ({}) } });
    expect(() => withCache(own, { cache })).toThrow(/without a cache of its own/);
  });

  test('wrong options are refused', () => {
    expect(() => withCache(make(), undefined as never)).toThrow(/Expected `options` to be an object/);
    expect(() => withCache(make(), { cache: {} as never })).toThrow(/Expected `cache`/);
    expect(() => withCache(make(), { cache: aCache(), tabels: {} } as never)).toThrow(/got `tabels`/);
    expect(() => withCache(make(), { cache: aCache(), default: 'soon' as never })).toThrow(TypeError);
  });

  test('its database is known before it is initialized', async () => {
    const names: Record<string, object> = {
      app: {},
      'from url': { database: undefined, url: 'postgres://me@localhost/from%20url' },
      master: {
        database: undefined,
        replication: { master: { database: 'master' }, slaves: [{ database: 'master' }] },
      },
      me: { database: undefined, username: 'me' },
    };
    for (const [name, options] of Object.entries(names)) {
      const cache = aCache();
      withCache(make(options), { cache });
      const raised: string[] = [];
      cache.on('invalidate', ({ tags }) => raised.push(...tags));
      await cache.invalidate(table('users'));
      expect(raised.join()).toContain(`table:${name === 'from url' ? 'from' : name}`);
    }
  });

  test('what TypeORM asks of a cache', async () => {
    const cache = aCache();
    const ds = withCache(make(), { cache });
    let runs = 0;
    const read = () => cache.getOrSet({ key: 'x', tags: ['x'], load: async () => ++runs });
    await read();
    await ds.queryResultCache?.clear();
    expect(await read()).toBe(2);
    await expect(ds.queryResultCache?.remove(['id'])).rejects.toThrow(/cache\.invalidate\(table/);
  });
});
