import { describe, expectTypeOf, test } from 'vitest';
import { type CacheEvents, createCache, type FenceSql, type FenceUnavailableError, fenceSql } from '../../src/index.js';
import { memoryStore } from '../../src/testing/index.js';

describe('strict', () => {
  test('is on or off, and so is what cannot be fenced', () => {
    createCache({ strict: true, store: memoryStore(), onFenceUnavailable: 'degrade' });
    // @ts-expect-error there are no degrees of it
    createCache({ strict: 'very' });
    // @ts-expect-error one refuses, or degrades
    createCache({ onFenceUnavailable: 'wait' });
  });

  test('tells what was not fenced', () => {
    expectTypeOf<CacheEvents['unfenced']>().toEqualTypeOf<{
      readonly tags: readonly string[];
      readonly reason: string;
    }>();
    expectTypeOf<FenceUnavailableError['tags']>().toEqualTypeOf<readonly string[]>();
  });

  test('has two migrations for MySQL, and none for others', () => {
    expectTypeOf(fenceSql('mysql')).toEqualTypeOf<FenceSql>();
    // @ts-expect-error PostgreSQL needs no table
    fenceSql('postgres');
  });
});
