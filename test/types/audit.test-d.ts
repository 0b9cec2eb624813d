import { type AuditCounts, type CacheOptions, createCache, type Version } from 'unstale';
import { expectTypeOf, test } from 'vitest';

const cache = createCache({ audit: 0.001 });

test('audit is a share', () => {
  expectTypeOf<CacheOptions['audit']>().toEqualTypeOf<number | undefined>();
  // @ts-expect-error: no switch
  createCache({ audit: true });
  // @ts-expect-error: of the cache, and not of a read
  void cache.getOrSet({ key: 'a', load: () => 1, audit: 0.1 });
});

test('what audits found is counted, and told without the values', () => {
  expectTypeOf(cache.stats().audits).toEqualTypeOf<AuditCounts>();
  expectTypeOf<keyof AuditCounts>().toEqualTypeOf<'audited' | 'mismatches' | 'undecided' | 'failed' | 'skipped'>();
  cache.on('mismatch', ({ by, tags, versions, stored, loaded, tenant }) => {
    expectTypeOf(by).toEqualTypeOf<'audit' | 'shadow'>();
    expectTypeOf(tags).toEqualTypeOf<readonly string[]>();
    expectTypeOf(versions).toEqualTypeOf<readonly Version[]>();
    expectTypeOf([stored, loaded]).toEqualTypeOf<string[]>();
    expectTypeOf(tenant).toEqualTypeOf<string | number | undefined>();
  });
});
