import { describe, expect, test } from 'vitest';
import { Tags } from '../../../src/core/tags.js';
import { aCache, partsOf } from './a-cache.js';

describe('memory', () => {
  test('holds at most maxEntries, the least recently used go first', async () => {
    const { cache } = aCache({ memory: { maxEntries: 2 } });
    await cache.set('a', 1);
    await cache.set('b', 2);
    await cache.getOrSet({ key: 'a', load: () => 0 });
    await cache.set('c', 3);
    expect([await cache.get('a'), await cache.get('b'), await cache.get('c')]).toEqual([1, undefined, 3]);
  });

  test('holds at most maxBytes', async () => {
    const { cache } = aCache({ memory: { maxBytes: '100kb' } });
    for (let i = 0; i < 100; i++) await cache.set(['a', i], 'x'.repeat(10_000));
    expect(cache.stats().bytes).toBeLessThanOrEqual(100 * 1024);
    expect(cache.stats().entries).toBeGreaterThanOrEqual(4);
    expect(cache.stats().entries).toBeLessThanOrEqual(10);
  });

  test('a value larger than all of it is handed out and not kept', async () => {
    const { cache } = aCache({ memory: { maxBytes: '10kb' } });
    await cache.set('small', 1);
    expect(await cache.getOrSet({ key: 'large', load: () => 'x'.repeat(100_000) })).toHaveLength(100_000);
    expect([await cache.has('large'), await cache.has('small')]).toEqual([false, true]);
  });

  test('memory: false keeps no values in this process', async () => {
    const { memoryStore } = await import('../../../src/testing/index.js');
    const { cache } = aCache({ memory: false, store: memoryStore() });
    await cache.getOrSet({ key: 'a', load: () => 1 });
    expect(cache.stats().entries).toBe(0);
    expect(await cache.read({ key: 'a', load: () => 2 })).toMatchObject({ value: 1, source: 'store' });
  });

  test('12,000 distinct keys with tags and names of their own leave a bounded rest', async () => {
    const { cache } = aCache({ memory: { maxEntries: 500 } });
    for (let batch = 0; batch < 12_000; batch += 1000)
      await Promise.all(
        Array.from({ length: 1000 }, (_, i) => {
          const n = batch + i;
          return cache.getOrSet({ key: [`name ${n}`, n], tags: [`tag ${n}`, `row ${n}`], load: () => n });
        }),
      );
    const { tags, near, flights, closing } = partsOf(cache);
    expect(near.size).toBe(500);
    expect(tags.size).toBeLessThanOrEqual(20_000 + 500 * 4);
    expect(flights.size + closing.size).toBe(0);
    expect(cache.stats().counts()).toEqual({ hits: 0, misses: 12_000, loads: 12_000 });
  });

  test('100,000 distinct invalidations leave a bounded rest, and all of them count', async () => {
    const { cache } = aCache();
    await cache.getOrSet({ key: 'early', tags: ['tag 7'], load: () => 1 });
    await cache.getOrSet({ key: 'kept', tags: ['another'], load: () => 1 });
    for (let batch = 0; batch < 100_000; batch += 1000)
      await cache.invalidate(...Array.from({ length: 1000 }, (_, i) => `tag ${batch + i}`));
    expect(partsOf(cache).tags.size).toBeLessThanOrEqual(20_100);
    expect([await cache.has('early'), await cache.has('kept')]).toEqual([false, true]);
  });
});

describe('Tags', () => {
  const authoritative = () => new Tags(true);
  const fed = () => new Tags(false);

  test('without a store a cell is born with a version, and touching gives it one that nobody has seen', () => {
    const tags = authoritative();
    const seen = new Set([tags.cell('a').version]);
    for (let i = 0; i < 5; i++) {
      tags.touch('a');
      seen.add(tags.cell('a').version);
    }
    expect(seen.size).toBe(6);
    expect(seen.has(undefined)).toBe(false);
  });

  test('a cell that was dropped for room does not come back with an old version', () => {
    const tags = authoritative();
    tags.touch('a');
    const before = tags.cell('a').version;
    tags.touch('a');
    for (let i = 0; i < 25_000; i++) tags.cell(`t${i}`);
    expect(tags.size).toBeLessThanOrEqual(20_000);
    expect(tags.cell('a').version).not.toBe(before);
  });

  test('a cell that an entry holds is never dropped', () => {
    const tags = authoritative();
    const cell = tags.cell('held');
    tags.hold(cell);
    for (let i = 0; i < 25_000; i++) tags.touch(`t${i}`);
    expect(tags.cell('held')).toBe(cell);
    tags.release(cell);
    for (let i = 0; i < 25_000; i++) tags.touch(`u${i}`);
    expect(tags.cell('held')).not.toBe(cell);
  });

  test('a dropped cell that is held after all proves nothing', () => {
    const tags = authoritative();
    const cell = tags.cell('a');
    const version = cell.version;
    for (let i = 0; i < 25_000; i++) tags.cell(`t${i}`);
    tags.hold(cell);
    expect(cell.version === undefined || tags.cell('a') === cell).toBe(true);
    if (tags.cell('a') !== cell) expect(cell.version).not.toBe(version);
  });

  test('touching all of them changes every version, also of tags that come later', () => {
    const tags = authoritative();
    const before = [tags.cell('a').version, tags.cell('b').version];
    tags.touchAll();
    expect(before).not.toContain(tags.cell('a').version);
    expect(before).not.toContain(tags.cell('b').version);
    expect(before).not.toContain(tags.cell('c').version);
  });

  test('unchangedSince knows the version only while nothing happened', () => {
    const tags = authoritative();
    const mark = tags.mark;
    expect(tags.unchangedSince(mark, 'a')).toBe(tags.cell('a').version);
    tags.touch('b');
    expect(tags.unchangedSince(mark, 'a')).toBe(tags.cell('a').version);
    expect(tags.unchangedSince(mark, 'b')).toBeUndefined();
    tags.touchAll();
    expect(tags.unchangedSince(mark, 'a')).toBeUndefined();
    expect(tags.unchangedSince(mark, 'never seen')).toBeUndefined();
  });

  test('unchangedSince is careful with what was dropped meanwhile', () => {
    const tags = authoritative();
    const mark = tags.mark;
    tags.touch('a');
    for (let i = 0; i < 25_000; i++) tags.cell(`t${i}`);
    expect(tags.unchangedSince(mark, 'a')).toBeUndefined();
  });

  test('with a store it says nothing: somebody else may have changed it', () => {
    const tags = fed();
    expect(tags.cell('a').version).toBeUndefined();
    expect(tags.unchangedSince(tags.mark, 'a')).toBeUndefined();
  });

  test('a version that was asked for before a change is not learned', () => {
    const tags = fed();
    const cell = tags.cell('a');
    const mark = tags.mark;
    tags.touch('a');
    tags.learn(cell, 'v1', 10, mark);
    expect(cell.version).toBeUndefined();
    tags.learn(cell, 'v2', 20, tags.mark);
    expect(cell).toMatchObject({ version: 'v2', readAt: 20 });
    tags.touchAll();
    expect(cell.version).toBeUndefined();
  });

  test('a version is good for what was proven, or for when it was read', () => {
    const tags = fed();
    const cell = tags.cell('a');
    tags.learn(cell, 'v1', 100, tags.mark);
    expect([tags.isVerified(cell, 100), tags.isVerified(cell, 101)]).toEqual([true, false]);
    tags.proven = 500;
    expect([tags.isVerified(cell, 500), tags.isVerified(cell, 501)]).toEqual([true, false]);
    tags.touchAll();
    tags.learn(cell, 'v2', 100, tags.mark);
    expect(tags.isVerified(cell, 500)).toBe(false);
  });

  test('distrust holds the cell until it is taken back', () => {
    const tags = authoritative();
    tags.distrust('a', true);
    tags.distrust('a', true);
    const cell = tags.cell('a');
    for (let i = 0; i < 25_000; i++) tags.cell(`t${i}`);
    expect(tags.cell('a')).toBe(cell);
    expect(cell.distrusted).toBe(true);
    tags.distrust('a', false);
    tags.distrust('a', false);
    expect([cell.distrusted, cell.holders]).toEqual([false, 0]);
  });
});
