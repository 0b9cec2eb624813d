import { type Cache, type Cached, type CacheOptions, createCache, type Receipt, type Snapshot, table } from 'unstale';
import { expectTypeOf, test } from 'vitest';

const cache = createCache();
interface User {
  id: number;
  name: string;
}
declare const db: { user(id: number): Promise<User | null>; users(ids: readonly number[]): Promise<User[]> };

test('getOrSet gives what load gives', () => {
  expectTypeOf(cache.getOrSet({ key: 'a', load: () => db.user(1) })).resolves.toEqualTypeOf<User | null>();
  expectTypeOf(cache.getOrSet({ key: 'a', load: () => 7 })).resolves.toEqualTypeOf<number>();
  expectTypeOf(cache.getOrSet({ key: 'a', load: async () => undefined })).resolves.toEqualTypeOf<undefined>();
  expectTypeOf(cache.read({ key: ['a', 1], load: () => db.user(1) })).resolves.toEqualTypeOf<Cached<User | null>>();
  expectTypeOf<Cached<User>['source']>().toEqualTypeOf<'near' | 'store' | 'load' | 'database'>();
});

test('getOrSetMany gives a list of what load gives, by a list or by a Map', () => {
  const many = { inputs: [1, 2], key: (id: number) => ['user', id] };
  expectTypeOf(cache.getOrSetMany({ ...many, load: (ids) => db.users(ids) })).resolves.toEqualTypeOf<User[]>();
  expectTypeOf(
    cache.getOrSetMany({
      inputs: [1, 2],
      key: (id) => ['user', id],
      tags: (id) => [`user:${id}`],
      load: async (ids) => new Map(ids.map((id) => [id, String(id)])),
    }),
  ).resolves.toEqualTypeOf<string[]>();
  // @ts-expect-error an input has the type of `inputs`
  void cache.getOrSetMany({ inputs: [1], key: (id: string) => id, load: async () => [1] });
});

test('get gives what the caller says, or unknown', () => {
  expectTypeOf(cache.get('a')).resolves.toBeUnknown();
  expectTypeOf(cache.get<User>('a')).resolves.toEqualTypeOf<User | undefined>();
  expectTypeOf(cache.has('a')).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(cache.invalidate('t', table('users', { id: 7 }))).resolves.toEqualTypeOf<Receipt>();
  expectTypeOf(cache.snapshot('t')).resolves.toEqualTypeOf<Snapshot>();
  expectTypeOf(cache.transaction(() => db.user(1))).resolves.toEqualTypeOf<User | null>();
  expectTypeOf(cache.transaction(() => 7)).resolves.toEqualTypeOf<number>();
});

test('a key is a text or a list of data', () => {
  void cache.get(['a', 1, 1n, true, null, undefined, new Date(), new Uint8Array(), ['b'], { c: 1 }, new Set([1])]);
  // @ts-expect-error a number is not
  void cache.get(7);
  // @ts-expect-error nor an object
  void cache.get({ id: 7 });
  // @ts-expect-error nor anything with a function in it
  void cache.get(['a', () => 1]);
  // @ts-expect-error nor a symbol
  void cache.get([Symbol('a')]);
});

test('durations are milliseconds or text with a unit', () => {
  const load = () => 1;
  void cache.getOrSet({ key: 'a', load, ttl: 1000, swr: '5m', staleOnError: '1.5h', timeout: { soft: '100ms' } });
  void cache.getOrSet({ key: 'a', load, ttl: Number.POSITIVE_INFINITY });
  // @ts-expect-error a word
  void cache.getOrSet({ key: 'a', load, ttl: 'soon' });
  // @ts-expect-error no unit
  void cache.getOrSet({ key: 'a', load, ttl: '60' });
  // @ts-expect-error years
  void cache.getOrSet({ key: 'a', load, ttl: '1y' });
});

test('options are known by name', () => {
  // @ts-expect-error misspelt
  void cache.getOrSet({ key: 'a', load: () => 1, tll: 5 });
  // @ts-expect-error a set has the tags of its snapshot
  void cache.set('a', 1, { tags: ['t'] });
  // @ts-expect-error no load
  void cache.getOrSet({ key: 'a' });
  // @ts-expect-error no key
  void cache.getOrSet({ load: () => 1 });
  // @ts-expect-error not a mode
  createCache({ mode: 'off' });
  // @ts-expect-error not a size
  createCache({ memory: { maxBytes: '64' } });
  // @ts-expect-error a snapshot is made by the cache
  void cache.set('a', 1, { since: {} });
  // @ts-expect-error `undefined` is no value of an option
  createCache({ ttl: undefined });
});

test('tags are narrowed by the option `tags`', () => {
  const narrow = createCache({ tags: [] as ('users' | `user:${number}`)[] });
  expectTypeOf(narrow).toEqualTypeOf<Cache<'users' | `user:${number}`>>();
  const load = () => 1;
  void narrow.getOrSet({ key: 'a', tags: ['users', 'user:7', table('orders')], load });
  void narrow.getOrSet({ key: 'a', load: (context) => context.tag('user:7', table('orders', { id: 7 })) });
  void narrow.invalidate('users', table('orders'));
  narrow.withCache(async (id: number) => id, { name: 'f', tags: (id) => [`user:${id}`], tagsOf: () => ['users'] });
  void narrow.namespace('n').tenant(7).invalidate('user:7');
  // @ts-expect-error a tag that there is not
  void narrow.getOrSet({ key: 'a', tags: ['teams'], load });
  // @ts-expect-error nor in a load
  void narrow.getOrSet({ key: 'a', load: (context) => context.tag('teams') });
  // @ts-expect-error nor to invalidate
  void narrow.invalidate('user:x');
  // @ts-expect-error nor in a snapshot
  void narrow.snapshot('teams');
  // @ts-expect-error nor of a function
  narrow.withCache(async () => 1, { name: 'f', tags: ['teams'] });
  // @ts-expect-error nor from a value
  narrow.withCache(async () => 1, { name: 'f', tagsOf: () => ['teams'] });
  // @ts-expect-error nor in a namespace
  void narrow.namespace('n').invalidate('teams');
});

test('events have their own types', () => {
  cache.on('hit', ({ key, source, age }) => {
    expectTypeOf(key).toBeString();
    expectTypeOf(source).toEqualTypeOf<'near' | 'store'>();
    expectTypeOf(age).toBeNumber();
  });
  expectTypeOf(cache.on('error', ({ error }) => expectTypeOf(error).toBeUnknown())).toEqualTypeOf<() => void>();
  // @ts-expect-error there is no such event
  cache.on('hits', () => {});
});

test('options can be kept in a variable', () => {
  const options: CacheOptions = { ttl: '5m', memory: false };
  expectTypeOf(createCache(options)).toEqualTypeOf<Cache>();
});
