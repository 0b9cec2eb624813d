import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { createCache, TenantMissingError } from '../../src/index.js';
import { memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { signal, turn } from '../support/database.js';
import { naiveWorld, type Subject } from '../support/world.js';

// One method, two tenants whose requests run at the same time. Its arguments do not name the tenant.

auditAfterEach();

const tenant = new AsyncLocalStorage<string>();
const current = () => tenant.getStore();

async function together(cache: Subject) {
  const go = signal();
  const read = (who: string) =>
    tenant.run(who, () =>
      cache.getOrSet({
        key: 'settings',
        load: async () => {
          const mine = current();
          await go.fired;
          return mine;
        },
      }),
    );
  const flights = [read('acme'), read('globex'), read('acme')];
  await turn();
  go.fire();
  expect(await Promise.all(flights)).toEqual(['acme', 'globex', 'acme']);
  await turn();
  expect(await Promise.all([read('globex'), read('acme')])).toEqual(['globex', 'acme']);
}

describe('two tenants never share what one method loads', () => {
  const named = {
    'by the option `tenant`': { tenant: current },
    'by `vary`': { vary: () => current() },
    'by `vary` that says more': { vary: () => ({ tenant: current(), locale: 'de' }) },
  };
  for (const [how, options] of Object.entries(named)) {
    test(`${how}, in memory`, () => together(watch(createCache(options))));
    test(`${how}, on a store`, async () => {
      const store = memoryStore();
      await together(watch(createCache({ ...options, store })));
      await together(watch(createCache({ ...options, store })));
    });
  }

  test('through a view of each', async () => {
    const cache = watch(createCache({ store: memoryStore(), tenancy: 'required' }));
    const read = (id: string | number) => cache.tenant(id).getOrSet({ key: 'settings', load: async () => id });
    for (let i = 0; i < 2; i++) expect(await Promise.all([read('1'), read(1), read('2')])).toEqual(['1', 1, '2']);
  });

  test('also when ids and namespaces are made to look alike', async () => {
    const cache = watch(createCache());
    const views: [string, ReturnType<typeof createCache>][] = [
      ['a', cache.tenant('a')],
      ['a in n', cache.namespace('n').tenant('a')],
      ['namespace a', cache.namespace('a')],
      ['none', cache],
      ['quoted', cache.tenant('a"]|k')],
      ['pipe', cache.tenant('a|')],
    ];
    for (let i = 0; i < 2; i++)
      for (const [name, view] of views) expect(await view.getOrSet({ key: 'k', load: async () => name })).toBe(name);
    expect(await cache.getOrSet({ key: '|k', load: async () => 'other' })).toBe('other');
  });

  test('nor a wrapped function, a decorated method, a batch or a direct set', async () => {
    const cache = watch(createCache({ store: memoryStore(), tenant: current, tenancy: 'required' }));
    const wrapped = cache.withCache(async (id: number) => `${current()}:${id}`, { name: 'wrapped' });
    class Service {
      @cache.withCache()
      async find(id: number) {
        return `${current()}:${id}`;
      }
    }
    const service = new Service();
    for (let i = 0; i < 2; i++)
      for (const who of ['acme', 'globex'])
        await tenant.run(who, async () => {
          expect(await wrapped(1)).toBe(`${who}:1`);
          expect(await service.find(1)).toBe(`${who}:1`);
          const many = cache.getOrSetMany({
            inputs: [1, 2],
            key: (id) => ['many', id],
            load: async (missing) => missing.map((id) => `${current()}:${id}`),
          });
          expect(await many).toEqual([`${who}:1`, `${who}:2`]);
          if (i === 0) await cache.set('own', who);
          expect(await cache.get('own')).toBe(who);
        });
    await tenant.run('acme', () => cache.delete('own'));
    expect(await tenant.run('globex', () => cache.get('own'))).toBe('globex');
    expect(await tenant.run('acme', () => cache.get('own'))).toBeUndefined();
  });

  test('but they do in a cache that leaves the tenant out of the key', async () => {
    await expect(together(naiveWorld(['leaves the tenant out of the key'], 0, current).here)).rejects.toThrow(/equal/);
    await together(naiveWorld([], 0, current).here);
  });
});

describe("under `tenancy: 'required'`", () => {
  test('whatever reads or stores without a tenant fails, and loads nothing', async () => {
    const cache = watch(createCache({ tenant: current, tenancy: 'required' }));
    let loads = 0;
    const load = async () => ++loads;
    const wrapped = cache.withCache(load, { name: 'wrapped' });
    const attempts: (() => Promise<unknown>)[] = [
      () => cache.getOrSet({ key: 'k', load }),
      () => cache.read({ key: 'k', load }),
      () => cache.getOrSet({ key: 'k', fresh: true, load }),
      () => cache.getOrSetMany({ inputs: [1], key: String, load: async () => [++loads] }),
      () => cache.get('k'),
      () => cache.has('k'),
      () => cache.set('k', 1),
      () => cache.delete('k'),
      () => cache.namespace('n').getOrSet({ key: 'k', load }),
      () => cache.transaction(() => cache.getOrSet({ key: 'k', load })),
      () => wrapped(),
      () => wrapped.fresh(),
    ];
    for (const [i, attempt] of attempts.entries())
      await expect(attempt(), `attempt ${i}`).rejects.toThrow(TenantMissingError);
    expect(loads).toBe(0);
  });

  test('a load that loses its async context does not find the tenant of somebody else', async () => {
    const cache = watch(createCache({ tenant: current, tenancy: 'required' }));
    const inner = () => cache.getOrSet({ key: 'inner', load: async () => 1 });
    const outer = tenant.run('acme', () => cache.getOrSet({ key: 'outer', load: () => tenant.exit(() => inner()) }));
    await expect(outer).rejects.toThrow(TenantMissingError);
  });
});
