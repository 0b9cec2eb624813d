import { expect, test } from 'vitest';
import { aCache } from './a-cache.js';

test('a trace has the reads of its request in order', async () => {
  const { cache } = aCache();
  const other = aCache().cache;
  const read = (key: string) => cache.getOrSet({ key, load: () => key });
  await read('before');
  await cache.trace(async () => {
    await read('a');
    await read('a');
    await cache.getOrSet({ key: 'skipped', load: (context) => (context.skip('why'), 1) });
    await other.getOrSet({ key: 'of another cache', load: () => 1 });
    await cache.transaction(() => read('a'));
    expect(cache.trace().map(({ source, value, stored }) => [source, value, stored])).toEqual([
      ['load', 'a', true],
      ['near', 'a', true],
      ['load', 1, false],
      ['database', 'a', false],
    ]);
  });
});

test('a request that goes on after its function has returned, as in Express, keeps its trace', async () => {
  const { cache } = aCache();
  let done: (keys: unknown[]) => void = () => {};
  const answered = new Promise<unknown[]>((resolve) => {
    done = resolve;
  });
  const next = () => {
    setImmediate(async () => {
      await cache.getOrSet({ key: 'late', load: () => 'late' });
      done(cache.trace().map(({ value }) => value));
    });
  };
  cache.trace(next);
  expect(await answered).toEqual(['late']);
});

test('requests at the same time have traces of their own', async () => {
  const { cache } = aCache();
  const serve = (key: string) =>
    cache.trace(async () => {
      await Promise.all([1, 2].map((n) => cache.getOrSet({ key: [key, n], load: async () => `${key}${n}` })));
      return cache.trace().map(({ value }) => value);
    });
  expect(await Promise.all([serve('a'), serve('b')])).toEqual([
    ['a1', 'a2'],
    ['b1', 'b2'],
  ]);
});

test('a trace does not grow for ever', async () => {
  const { cache } = aCache();
  await cache.trace(async () => {
    for (let i = 0; i < 1500; i++) await cache.getOrSet({ key: 'a', load: () => 1 });
    expect(cache.trace()).toHaveLength(1000);
  });
});

test('without a trace nothing is collected', async () => {
  const { cache } = aCache();
  await cache.getOrSet({ key: 'a', load: () => 1 });
  expect(cache.trace()).toEqual([]);
});
