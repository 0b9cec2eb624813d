import { describe, expect, test } from 'vitest';
import { TenantMissingError } from '../../../src/core/errors.js';
import { aCache, counting, partsOf, processes } from './a-cache.js';

describe('namespace', () => {
  test('has keys, statistics and a clear of its own', async () => {
    const { cache } = aCache();
    const reports = cache.namespace('reports');
    await cache.set('a', 'outside');
    await reports.set('a', 'inside');
    expect([await cache.get('a'), await reports.get('a')]).toEqual(['outside', 'inside']);
    await reports.clear();
    expect([await cache.has('a'), await reports.has('a')]).toEqual([true, false]);
  });

  test('shares tags, which name facts of the database', async () => {
    const { cache } = aCache();
    const reports = cache.namespace('reports');
    await reports.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
    await cache.invalidate('t');
    expect(await reports.has('a')).toBe(false);
  });

  test('the same name is the same namespace, in another process too', async () => {
    const { here, there } = processes();
    await here.namespace('n').set('a', 1);
    expect(await there.namespace('n').get('a')).toBe(1);
    await there.namespace('n').clear();
    expect(await here.namespace('n').get('a')).toBeUndefined();
  });

  test('may be nested', async () => {
    const { cache } = aCache();
    const inner = cache.namespace('a').namespace('b');
    await inner.set('x', 1);
    expect(await cache.namespace('a').has('x')).toBe(false);
    expect(await cache.namespace('b').has('x')).toBe(false);
    expect(await cache.namespace('a').namespace('b').get('x')).toBe(1);
  });

  test('no key of the cache can be taken for one of a namespace', async () => {
    const { cache } = aCache();
    await cache.namespace('n').set('a', 'inside');
    for (const key of [...partsOf(cache).near.keys()]) {
      expect(await cache.has(key)).toBe(false);
      await cache.set(key, 'outside');
    }
    expect(await cache.namespace('n').get('a')).toBe('inside');
  });

  test('functions of the same name do not meet', async () => {
    const { cache } = aCache();
    const outside = cache.withCache(async () => 'outside', { name: 'f' });
    const inside = cache.namespace('n').withCache(async () => 'inside', { name: 'f' });
    expect([await outside(), await inside()]).toEqual(['outside', 'inside']);
  });
});

describe('tenants', () => {
  test('have keys and a clear of their own; the number 1 is not the text', async () => {
    const { cache } = aCache();
    for (const id of ['1', 1, 'acme'] as const) await cache.tenant(id).set('a', typeof id);
    expect(await cache.tenant('1').get('a')).toBe('string');
    expect(await cache.tenant(1).get('a')).toBe('number');
    expect(await cache.has('a')).toBe(false);
    await cache.tenant(1).clear();
    expect([await cache.tenant('1').has('a'), await cache.tenant(1).has('a')]).toEqual([true, false]);
  });

  test('the `tenant` option says whose request it is, at each call', async () => {
    let current: string | undefined;
    const { cache } = aCache({ tenant: () => current });
    const read = () => cache.getOrSet({ key: 'a', load: () => `of ${current}` });
    current = 'acme';
    expect(await read()).toBe('of acme');
    current = 'umbrella';
    expect(await read()).toBe('of umbrella');
    current = undefined;
    expect(await read()).toBe('of undefined');
    current = 'acme';
    expect(await read()).toBe('of acme');
    await cache.tenant('acme').clear();
    expect(await cache.has('a')).toBe(false);
    current = 'umbrella';
    expect(await cache.has('a')).toBe(true);
  });

  test('cache.tenant goes before the option', async () => {
    const { cache } = aCache({ tenant: () => 'current' });
    await cache.tenant('other').set('a', 1);
    expect(await cache.has('a')).toBe(false);
    expect(await cache.tenant('other').has('a')).toBe(true);
  });

  test("tenancy: 'required': whoever reads or writes without one is told, and nothing is loaded", async () => {
    const { cache } = aCache({ tenancy: 'required' });
    const load = counting();
    const f = cache.withCache(load, { name: 'f' });
    const many = { inputs: [1], key: (n: number) => ['n', n] as const, load: async () => [1] };
    const calls = {
      getOrSet: () => cache.getOrSet({ key: ['user', 7], load }),
      read: () => cache.read({ key: 'user', load }),
      getOrSetMany: () => cache.getOrSetMany(many),
      get: () => cache.get('user'),
      has: () => cache.has('user'),
      set: () => cache.set('user', 1),
      delete: () => cache.delete('user'),
      explain: () => cache.explain('user'),
      'a wrapped function': () => f(),
    };
    for (const [what, call] of Object.entries(calls)) {
      const outcome = await call().then(() => 'resolved', (error: unknown) => error); // biome-ignore format: a line
      expect(outcome, what).toBeInstanceOf(TenantMissingError);
      expect(outcome, what).toMatchObject({
        code: 'TENANT_MISSING',
        message: expect.stringMatching(/cache\.tenant\(id\)/),
      });
    }
    expect(load).not.toHaveBeenCalled();
    expect(await cache.tenant('acme').getOrSet({ key: 'user', load })).toBe(1);
  });

  test('inside a namespace: both count, and clear is the tenant’s', async () => {
    const { cache } = aCache();
    const view = cache.namespace('n').tenant('acme');
    await view.set('a', 1);
    await cache.namespace('n').set('a', 2);
    await cache.tenant('acme').set('a', 3);
    expect([await view.get('a'), await cache.namespace('n').get('a'), await cache.tenant('acme').get('a')]).toEqual([
      1, 2, 3,
    ]);
    await view.clear();
    expect(await cache.namespace('n').has('a')).toBe(true);
    expect(await view.has('a')).toBe(false);
  });
});

describe('vary', () => {
  test('is part of every key, whatever data it is', async () => {
    let locale: unknown = 'de';
    const { cache } = aCache({ vary: () => locale as never });
    const read = () => cache.getOrSet({ key: 'a', load: () => `in ${JSON.stringify(locale)}` });
    expect(await read()).toBe('in "de"');
    locale = { role: 'admin', locale: 'en' };
    expect(await read()).toBe('in {"role":"admin","locale":"en"}');
    locale = 'de';
    expect(await read()).toBe('in "de"');
  });

  test('delete and wrapped functions go by it too', async () => {
    let locale = 'de';
    const { cache } = aCache({ vary: () => locale });
    const f = cache.withCache(async (id: number) => `${locale} ${id}`, { name: 'f' });
    expect(await f(1)).toBe('de 1');
    locale = 'en';
    expect(await f(1)).toBe('en 1');
    await f.invalidate(1);
    expect(await cache.has(f.key(1))).toBe(false);
    locale = 'de';
    expect(await cache.has(f.key(1))).toBe(true);
  });
});

describe('version', () => {
  test('processes of two releases share invalidations and no values', async () => {
    const { here: old, clock } = processes({ version: 1 });
    const store = partsOf(old).settings.store;
    const next = aCache({ version: 2, clock, ...(store && { store }) }).cache;
    const read = (cache: typeof old, shape: string) => cache.getOrSet({ key: 'a', tags: ['t'], load: () => shape });
    expect([await read(old, 'old shape'), await read(next, 'new shape')]).toEqual(['old shape', 'new shape']);
    expect([await read(old, '?'), await read(next, '?')]).toEqual(['old shape', 'new shape']);
    await next.invalidate('t');
    expect([await old.has('a'), await next.has('a')]).toEqual([false, false]);
    await read(old, 'again');
    await next.delete('a');
    expect(await old.has('a')).toBe(false);
  });
});

test('caches of other names share nothing but the store', async () => {
  const { here, clock } = processes({ name: 'one' });
  const store = partsOf(here).settings.store;
  const other = aCache({ name: 'two', clock, ...(store && { store }) }).cache;
  await here.getOrSet({ key: 'a', tags: ['t'], load: () => 1 });
  expect(await other.has('a')).toBe(false);
  await other.invalidate('t');
  expect(await here.has('a')).toBe(true);
});
