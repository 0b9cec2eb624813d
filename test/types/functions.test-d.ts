import type { IncomingMessage } from 'node:http';
import {
  type Cached,
  cacheOf,
  createCache,
  type Derivable,
  type Explanation,
  type Receipt,
  table,
  withCache,
} from 'unstale';
import { expectTypeOf, test } from 'vitest';

const cache = createCache();

class Decimal {
  readonly #digits = '1';
  times(other: Decimal): Decimal {
    return other ?? this.#digits;
  }
}
/** As an ORM maps a row: data alone. */
class Entity {
  id!: number;
  name!: string;
  tags?: string[];
}
interface Filter {
  text?: string;
  page: number;
  sort: { by: 'name' | 'date'; descending: boolean }[];
  since: Date | null;
}

test('which types become keys by themselves', () => {
  expectTypeOf<Derivable<string>>().toEqualTypeOf<true>();
  expectTypeOf<Derivable<Filter>>().toEqualTypeOf<true>();
  expectTypeOf<Derivable<Entity>>().toEqualTypeOf<true>();
  expectTypeOf<Derivable<Map<string, Date[]>>>().toEqualTypeOf<true>();
  expectTypeOf<Derivable<ReadonlySet<bigint>>>().toEqualTypeOf<true>();
  expectTypeOf<Derivable<'a' | 7 | null | undefined>>().toEqualTypeOf<true>();
  expectTypeOf<Derivable<IncomingMessage>>().toEqualTypeOf<false>();
  expectTypeOf<Derivable<unknown>>().toEqualTypeOf<false>();

  expectTypeOf<Derivable<any>>().toEqualTypeOf<false>();
  expectTypeOf<Derivable<Decimal>>().toEqualTypeOf<false>();
  expectTypeOf<Derivable<() => void>>().toEqualTypeOf<false>();
  expectTypeOf<Derivable<symbol>>().toEqualTypeOf<false>();
  expectTypeOf<Derivable<{ price: Decimal }>>().toEqualTypeOf<false>();
  expectTypeOf<Derivable<(() => void)[]>>().toEqualTypeOf<false>();
  expectTypeOf<Derivable<Map<string, Decimal>>>().toEqualTypeOf<false>();
});

test('a wrapped function is the function, with handles', () => {
  const getUser = cache.withCache(async (id: number, filter?: Filter) => ({ id, filter }), { name: 'user' });
  type User = { id: number; filter: Filter | undefined };
  expectTypeOf(getUser(7)).resolves.toEqualTypeOf<User>();
  expectTypeOf(getUser).parameters.toEqualTypeOf<[id: number, filter?: Filter | undefined]>();
  expectTypeOf(getUser.fresh(7)).resolves.toEqualTypeOf<User>();
  expectTypeOf(getUser.read(7)).resolves.toEqualTypeOf<Cached<User>>();
  expectTypeOf(getUser.key(7)).toBeString();
  expectTypeOf(getUser.invalidate(7)).resolves.toEqualTypeOf<Receipt>();
  expectTypeOf(getUser.explain(7)).resolves.toEqualTypeOf<Explanation>();
  // @ts-expect-error a wrong argument
  void getUser('7');
  // @ts-expect-error of a handle too
  void getUser.invalidate('7');
});

test('many is for functions of exactly one parameter', () => {
  const one = cache.withCache(async (id: number) => String(id), { name: 'one' });
  const list = cache.withCache(async (ids: number[]) => ids.length, { name: 'list' });
  const two = cache.withCache(async (a: number, b: string) => a + b, { name: 'two' });
  const optional = cache.withCache(async (a: number, b?: number) => a + (b ?? 1), { name: 'optional' });
  const rest = cache.withCache(async (...all: number[]) => all.length, { name: 'rest' });
  expectTypeOf(one.many([1, 2])).resolves.toEqualTypeOf<string[]>();
  expectTypeOf(list.many([[1, 2], [3]])).resolves.toEqualTypeOf<number[]>(); // biome-ignore format: a line
  // @ts-expect-error one input each
  void one.many([[1]]);
  // @ts-expect-error two parameters
  void two.many([[1, 'a']]);
  // @ts-expect-error one that may be left out
  void optional.many([1]);
  // @ts-expect-error any number of them
  void rest.many([1]);
});

test('tags are texts and rows of tables', () => {
  cache.withCache(async (id: number) => id, {
    name: 'f',
    tags: (id) => [`user:${id}`, table('users', { id })],
    tagsOf: (value) => [table('teams', { id: value })],
  });
  cache.withCache(async () => 1, { name: 'f', tags: [table('users'), table('sales.orders', { database: 'shop' })] });
  table('order_lines', { id: [[17, 1n]], tenant: 'acme' });
  // @ts-expect-error a row is known by data
  table('users', { id: () => 7 });
  // @ts-expect-error a database by its name
  table('users', { database: 7 });
  // @ts-expect-error and nothing else
  cache.withCache(async () => 1, { name: 'f', tags: [{ table: 'users' }] });
});

test('generics and overloads are kept', () => {
  const first = cache.withCache(
    async <T extends string | number>(list: readonly T[]): Promise<T | undefined> => list[0],
    {
      name: 'first',
    },
  );
  expectTypeOf(first(['a', 'b'] as const)).resolves.toEqualTypeOf<'a' | 'b' | undefined>();
  expectTypeOf(first([1, 2])).resolves.toEqualTypeOf<1 | 2 | undefined>();

  function find(id: number): Promise<{ id: number }>;
  function find(name: string): Promise<{ name: string }[]>;
  async function find(what: number | string): Promise<unknown> {
    return what;
  }
  const found = cache.withCache(find, { name: 'find' });
  expectTypeOf(found(7)).resolves.toEqualTypeOf<{ id: number }>();
  expectTypeOf(found('Ada')).resolves.toEqualTypeOf<{ name: string }[]>();
});

test('key may be left out only when every argument is data', () => {
  const key = () => 'a';
  cache.withCache(async (_: Filter, __?: Entity) => 1, { name: 'f' });
  cache.withCache(async () => 1, { name: 'f' });
  cache.withCache(async (...ids: number[]) => ids.length, { name: 'f' });
  // @ts-expect-error a request
  cache.withCache(async (_: IncomingMessage) => 1, { name: 'f' });
  cache.withCache(async (_: IncomingMessage) => 1, { name: 'f', key });
  // @ts-expect-error unknown
  cache.withCache(async (_: unknown) => 1, { name: 'f' });
  cache.withCache(async (_: unknown) => 1, { name: 'f', key });
  // @ts-expect-error any
  cache.withCache(async (_: any) => 1, { name: 'f' });
  // @ts-expect-error a class with methods
  cache.withCache(async (_: number, __: Decimal) => 1, { name: 'f' });
  // @ts-expect-error a function
  cache.withCache(async (_: () => void) => 1, { name: 'f' });
  // @ts-expect-error a request inside
  cache.withCache(async (_: { req: IncomingMessage; id: number }) => 1, { name: 'f' });
  cache.withCache(async (_: { req: IncomingMessage; id: number }) => 1, { name: 'f', key: ({ id }) => ['f', id] });
  // @ts-expect-error one of several
  cache.withCache(async (_: number, __?: Decimal) => 1, { name: 'f' });
});

test('options see the arguments and the value', () => {
  cache.withCache(async (id: number, locale: string) => ({ id, locale, org: 3 }), {
    name: 'f',
    key: (id, locale) => [id, locale],
    tags: (id) => [`user:${id}`],
    tagsOf: (value, id) => [`org:${value.org}`, `user:${id}`],
    ttl: (value, id, locale) => (value.org > id && locale === 'de' ? '1h' : 500),
    when: (id) => id > 0,
  });
  // @ts-expect-error a function needs a name
  cache.withCache(async () => 1, { ttl: 5 });
  // @ts-expect-error and options
  cache.withCache(async () => 1);
  // @ts-expect-error a synchronous function is none
  cache.withCache(() => 1, { name: 'f' });
  // @ts-expect-error fresh is for a call
  cache.withCache(async () => 1, { name: 'f', fresh: true });
});

test('the unbound form is the same with a cache', () => {
  const f = withCache(async (id: number) => String(id), { cache, name: 'f' });
  expectTypeOf(f(7)).resolves.toEqualTypeOf<string>();
  expectTypeOf(cacheOf(f).fresh(7)).resolves.toEqualTypeOf<string>();
  // @ts-expect-error a cache is needed
  withCache(async () => 1, { name: 'f' });
  // @ts-expect-error a request needs a key here too
  withCache(async (_: IncomingMessage) => 1, { cache, name: 'f' });
});
