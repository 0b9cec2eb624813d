import { AsyncResource } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { aCache } from './a-cache.js';

/** A request: an async context of its own, as a server gives each. */
const request = <T>(fn: () => Promise<T>): Promise<T> => new AsyncResource('REQUEST').runInAsyncScope(fn);

test('a trace has the reads of its request in order, from its first call on', async () => {
  const { cache } = aCache();
  const other = aCache().cache;
  const read = (key: string) => cache.getOrSet({ key, load: () => key });
  await request(async () => {
    await read('before');
    const trace = cache.trace();
    await read('a');
    await read('a');
    await cache.getOrSet({ key: 'skipped', load: (context) => (context.skip('why'), 1) });
    await other.getOrSet({ key: 'of another cache', load: () => 1 });
    await cache.transaction(() => read('a'));
    expect(cache.trace()).toBe(trace);
    expect(trace.map(({ source, value, stored }) => [source, value, stored])).toEqual([
      ['load', 'a', true],
      ['near', 'a', true],
      ['load', 1, false],
      ['database', 'a', false],
    ]);
  });
});

test('requests at the same time have traces of their own', async () => {
  const { cache } = aCache();
  const serve = (key: string) =>
    request(async () => {
      const trace = cache.trace();
      await Promise.all([1, 2].map((n) => cache.getOrSet({ key: [key, n], load: async () => `${key}${n}` })));
      return trace.map(({ value }) => value);
    });
  expect(await Promise.all([serve('a'), serve('b')])).toEqual([
    ['a1', 'a2'],
    ['b1', 'b2'],
  ]);
});

test('without a trace nothing is collected', async () => {
  const { cache } = aCache();
  await request(async () => {
    await cache.getOrSet({ key: 'a', load: () => 1 });
    expect(cache.trace()).toEqual([]);
  });
});
