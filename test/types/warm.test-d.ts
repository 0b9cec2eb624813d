import { describe, expectTypeOf, test } from 'vitest';
import { type CountedBy, cacheOf, createCache, type WarmCall, type Warmed } from '../../src/index.js';

const cache = createCache();
const dashboard = cache.withCache(async (team: number, locale?: string) => ({ team, locale }), { name: 'dashboard' });
class Service {
  @cache.withCache()
  async find(id: string) {
    return id;
  }
}
const find = cacheOf(new Service().find, new Service());

describe('warm', () => {
  test('calls have the arguments of their function', () => {
    cache.warm('w', {
      every: '10m',
      keys: (call) => {
        expectTypeOf(call(dashboard, 7)).toEqualTypeOf<WarmCall>();
        call(dashboard, 7, 'de');
        call(find, 'a');
        // @ts-expect-error a text where a number belongs
        call(dashboard, '7');
        // @ts-expect-error too few
        call(dashboard);
        // @ts-expect-error too many
        call(find, 'a', 'b');
        // @ts-expect-error not cached
        call(async (n: number) => n, 7);
        return [call(dashboard, 7), call(find, 'a')];
      },
    });
  });

  test('lists of any origin, and cycles by hand', () => {
    cache.warm('w', { cron: '0 3 * * *', keys: async (call) => new Set([1, 2].map((n) => call(dashboard, n))) });
    const warmer = cache.warm('w', {
      every: 1000,
      run: ({ each, signal }) => {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return each(['a', 'b'], (one) => expectTypeOf(one).toEqualTypeOf<string>());
      },
    });
    expectTypeOf(warmer.now()).resolves.toEqualTypeOf<Warmed | undefined>();
    expectTypeOf(warmer.state.phase).toEqualTypeOf<'following' | 'waiting' | 'running' | 'stopped'>();
    // @ts-expect-error no duration
    cache.warm('w', { every: 'often', run: () => {} });
  });
});

describe('tenants', () => {
  test('runAsTenant gives what the function gives', () => {
    expectTypeOf(cache.runAsTenant('a', () => 1)).toEqualTypeOf<number>();
    expectTypeOf(cache.runAsTenant(7, async () => 'a')).toEqualTypeOf<Promise<string>>();
    // @ts-expect-error no id
    cache.runAsTenant(undefined, () => 1);
  });

  test('counts have loads, by whatever they are counted', () => {
    expectTypeOf(cache.stats().counts('user').loads).toEqualTypeOf<number>();
    const by: CountedBy = { tenant: 7, tag: 't', prefix: 'user' };
    expectTypeOf(cache.stats().counts(by).loads).toEqualTypeOf<number>();
    expectTypeOf(cache.stats().hitRate(by)).toEqualTypeOf<number>();
    expectTypeOf(cache.stats().hitRate('user')).toEqualTypeOf<number>();
  });
});
