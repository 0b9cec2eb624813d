import { expect, test } from 'vitest';
import { aCache } from './a-cache.js';

async function wear(cache: ReturnType<typeof aCache>['cache'], times: number, hits = 0): Promise<void> {
  for (let i = 0; i < times; i++) {
    await cache.getOrSet({ key: 'worn', tags: ['t'], load: () => 1 });
    for (let hit = 0; hit < hits; hit++) await cache.getOrSet({ key: 'worn', tags: ['t'], load: () => 1 });
    await cache.invalidate('t');
  }
}

const read = (cache: ReturnType<typeof aCache>['cache']) => cache.read({ key: 'worn', tags: ['t'], load: () => 1 });

test('a value that is written and never read stops being stored for a while, and says so', async () => {
  const { cache, clock } = aCache();
  await wear(cache, 101);
  expect(await read(cache)).toMatchObject({
    value: 1,
    stored: false,
    reason: 'it was invalidated 100 times in a row without a hit',
  });
  await clock.advance(10_000);
  expect(await read(cache)).toMatchObject({ stored: true });
});

test('a value that is read now and then goes on being stored', async () => {
  const { cache } = aCache();
  await wear(cache, 300, 1);
  expect(await read(cache)).toMatchObject({ stored: true });
});

test('a value that only ages is not counted', async () => {
  const { cache, clock } = aCache({ ttl: 100 });
  for (let i = 0; i < 150; i++) {
    await read(cache);
    await clock.advance(100);
  }
  expect(await read(cache)).toMatchObject({ stored: true });
});
