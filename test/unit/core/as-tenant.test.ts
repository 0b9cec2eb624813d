import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { TenantMissingError } from '../../../src/index.js';
import { aCache, heard, processes } from './a-cache.js';

const whose = async (cache: { getOrSet<T>(read: { key: string; load: () => T }): Promise<T> }, made: string) =>
  cache.getOrSet({ key: 'k', load: () => made });

test('inside of it everything is the tenant’s; outside of it nothing', async () => {
  const { cache } = aCache();
  expect(await whose(cache, 'nobody')).toBe('nobody');
  await cache.runAsTenant('a', async () => {
    expect(await whose(cache, 'a')).toBe('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await whose(cache, 'again')).toBe('a');
  });
  expect(await whose(cache, 'again'), 'a key without a tenant is what it was before').toBe('nobody');
  expect(await whose(cache.tenant('a'), 'again'), 'it is the tenant’s view').toBe('a');
  await cache.tenant('a').clear();
  expect(await cache.runAsTenant('a', () => whose(cache, 'new'))).toBe('new');
});

test('a key outside of it is one with that of a process that never called it', async () => {
  const { here, there } = processes();
  await there.set('k', 1);
  await here.runAsTenant('a', () => here.get('k'));
  expect(await here.get('k')).toBe(1);
  await here.delete('k');
  expect(await there.get('k')).toBeUndefined();
});

test('the inner one counts, a view before it, the option after it', async () => {
  const request = new AsyncLocalStorage<string>();
  const { cache } = aCache({ tenant: () => request.getStore() });
  const names = ['option', 'outer', 'inner', 'view'];
  for (const name of names) await cache.tenant(name).set('k', name);
  const got = await request.run('option', () => [
    cache.get('k'),
    cache.runAsTenant('outer', () => cache.get('k')),
    cache.runAsTenant('outer', () => cache.runAsTenant('inner', () => cache.get('k'))),
    cache.runAsTenant('outer', () => cache.runAsTenant('inner', () => cache.tenant('view').get('k'))),
  ]);
  expect(await Promise.all(got)).toEqual(names);
});

test('of two caches each has its own', async () => {
  const [{ cache: one }, { cache: other }] = [aCache(), aCache()];
  await one.runAsTenant('a', () =>
    other.runAsTenant('b', async () => {
      await one.set('k', 'one');
      await other.set('k', 'other');
    }),
  );
  expect([await one.tenant('a').get('k'), await other.tenant('b').get('k')]).toEqual(['one', 'other']);
  expect([await one.get('k'), await one.tenant('b').get('k')]).toEqual([undefined, undefined]);
});

test('it gives what the function gives, and fails as it does', () => {
  const { cache } = aCache();
  expect(cache.runAsTenant(7, () => 'sync')).toBe('sync');
  expect(() =>
    cache.runAsTenant(7, () => {
      throw new Error('own');
    }),
  ).toThrow('own');
  expect(() => cache.runAsTenant('', () => 1)).toThrow('Expected `tenant` to be a non-empty text or a number');
  expect(() => cache.runAsTenant('a', 'b' as never)).toThrow('Expected `fn` to be a function');
});

test('what was started in it and goes on still belongs to the tenant', async () => {
  const { cache } = aCache({ tenancy: 'required' });
  let later = Promise.resolve<unknown>(undefined);
  cache.runAsTenant('a', () => {
    later = new Promise((resolve) => setTimeout(resolve, 5)).then(() => whose(cache, 'a'));
  });
  expect(await later).toBe('a');
  expect(await cache.tenant('a').get('k')).toBe('a');
});

test('where a tenant is required, a lost context is an error and not somebody else’s', async () => {
  const { cache } = aCache({ tenancy: 'required' });
  const queue: (() => void)[] = [];
  const lost = new Promise((resolve, reject) => queue.push(() => whose(cache, 'lost').then(resolve, reject)));
  await cache.runAsTenant('a', () => whose(cache, 'a'));
  // As a pool of connections does: the callback runs in the context of whoever drains the queue.
  for (const fn of queue) fn();
  await expect(lost).rejects.toThrow(TenantMissingError);
});

test('events tell whose read it was', async () => {
  const { cache } = aCache();
  const events = heard(cache, 'hit', 'miss', 'load');
  for (let i = 0; i < 2; i++) await cache.runAsTenant('a', () => whose(cache, 'a'));
  for (let i = 0; i < 2; i++) await whose(cache, 'nobody');
  expect(events.map((event) => [event.type, event.tenant])).toEqual([
    ['load', 'a'],
    ['miss', 'a'],
    ['hit', 'a'],
    ['load', undefined],
    ['miss', undefined],
    ['hit', undefined],
  ]);
});
