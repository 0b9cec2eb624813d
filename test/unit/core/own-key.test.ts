import { expect, test } from 'vitest';
import { aCache } from './a-cache.js';

test('a load that reads its own key is told so at once', async () => {
  const { cache } = aCache();
  const read = (): Promise<unknown> => cache.getOrSet({ key: 'a', load: () => read() });
  await expect(read()).rejects.toThrow('The load of a reads its own key, and would wait for itself');
});

test('also by way of another key', async () => {
  const { cache } = aCache();
  const a = (): Promise<unknown> => cache.getOrSet({ key: 'a', load: () => b() });
  const b = (): Promise<unknown> => cache.getOrSet({ key: 'b', load: () => a() });
  await expect(a()).rejects.toThrow('reads its own key');
});

test('a load that lands after a fresh one does not take its place', async () => {
  const { cache } = aCache();
  let row = 'old';
  let land: (value: string) => void = () => {};
  const slow = cache.read({
    key: 'a',
    load: () =>
      new Promise<string>((resolve) => {
        land = () => resolve(seen);
        const seen = row;
      }),
  });
  await Promise.resolve();
  row = 'new';
  expect(await cache.getOrSet({ key: 'a', fresh: true, load: async () => row })).toBe('new');
  land('');
  expect(await slow).toMatchObject({ value: 'old', stored: false, reason: 'a younger value is stored' });
  expect(await cache.get('a')).toBe('new');
});
