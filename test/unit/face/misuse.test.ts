import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { forgetWarnings } from '../../../src/core/warn.js';
import { type Cache, cacheOf, createCache, invalidates, table, withCache } from '../../../src/index.js';
import { fakeClock, memoryStore } from '../../../src/testing/index.js';
import { aCache, turns } from '../core/a-cache.js';

// What is wrong, what is done with it, and what the message must say: what was expected, and what came.

type Row<Does> = [what: string, does: Does, message: RegExp];
const as = <T>(value: unknown) => value as T;
const never = as<never>;
const request = () => new IncomingMessage(new Socket());

/** The warnings of unstale that come while `fn` runs, as the process hears them. */
async function warnings(fn: () => unknown): Promise<string[]> {
  const heard: string[] = [];
  const listener = (warning: Error & { code?: string }) => {
    if (warning.code === 'UNSTALE') heard.push(warning.message);
  };
  process.on('warning', listener);
  await fn();
  await turns(1);
  process.off('warning', listener);
  return heard;
}

beforeEach(async () => {
  await turns(1); // what the test before has not waited for
  forgetWarnings();
});

describe('createCache refuses', () => {
  const options: Row<unknown>[] = [
    ['no object', 'redis://localhost', /`options` to be an object, got "redis:\/\/localhost" \(string\)/],
    ['null', null, /`options` to be an object, got null/],
    ['a name that is not known', { tll: '5m' }, /Unknown option `tll` of createCache; there are ttl, /],
    ['an option of another cache', { stdTTL: 60 }, /Unknown option `stdTTL`/],
    ['ttl: "soon"', { ttl: 'soon' }, /`ttl` to be a duration of at least 0, .*'5m', got "soon" \(string\)/],
    ['ttl: NaN', { ttl: Number.NaN }, /`ttl` to be a duration of at least 0.*got NaN \(number\)/],
    ['ttl: -1', { ttl: -1 }, /`ttl`.*got -1 \(number\)/],
    ['ttl: "-5m"', { ttl: '-5m' }, /`ttl`.*got "-5m" \(string\)/],
    ['ttl: "5 m"', { ttl: '5 m' }, /`ttl`.*got "5 m" \(string\)/],
    ['ttl: "60"', { ttl: '60' }, /`ttl`.*got "60" \(string\)/],
    ['ttl: null', { ttl: null }, /`ttl`.*got null/],
    ['ttl: a function', { ttl: () => 1 }, /`ttl`.*got ttl \(function\)/],
    ['swr: true', { swr: true }, /`swr`.*got true/],
    ['staleOnError: {}', { staleOnError: {} }, /`staleOnError`.*got an object/],
    ['negativeTtl: "1y"', { negativeTtl: '1y' }, /`negativeTtl`.*got "1y" \(string\)/],
    ['maxStale: -1', { maxStale: -1 }, /`maxStale`.*got -1/],
    ['ackTimeout: NaN', { ackTimeout: Number.NaN }, /`ackTimeout`.*got NaN/],
    ['timeout: "x"', { timeout: 'x' }, /`timeout`.*got "x"/],
    ['timeout.soft: -1', { timeout: { soft: -1 } }, /`timeout\.soft`.*got -1/],
    ['timeout.hard: "x"', { timeout: { hard: 'x' } }, /`timeout\.hard`.*got "x"/],
    ['timeout.sotf', { timeout: { sotf: 5 } }, /Unknown option `sotf` of timeout; there are soft, hard/],
    ['jitter: 2', { jitter: 2 }, /`jitter` to be a number from 0 to 1, got 2 \(number\)/],
    ['jitter: NaN', { jitter: Number.NaN }, /`jitter`.*got NaN/],
    ['jitter: "10%"', { jitter: '10%' }, /`jitter`.*got "10%"/],
    ['maxBytes: "64"', { memory: { maxBytes: '64' } }, /`memory\.maxBytes` to be .*'64mb', got "64" \(string\)/],
    ['maxBytes: 0', { memory: { maxBytes: 0 } }, /`memory\.maxBytes` to be a whole number.*got 0/],
    ['maxBytes: "64MB"', { memory: { maxBytes: '64MB' } }, /`memory\.maxBytes`.*got "64MB"/],
    ['maxEntries: 0', { memory: { maxEntries: 0 } }, /`memory\.maxEntries` to be a whole number of at least 1, got 0/],
    ['maxEntries: 1.5', { memory: { maxEntries: 1.5 } }, /`memory\.maxEntries`.*got 1\.5/],
    ['memory.max', { memory: { max: 5 } }, /Unknown option `max` of memory; there are maxEntries, maxBytes/],
    ['memory: true', { memory: true }, /`memory` to be false or \{ maxEntries, maxBytes, tenantShare \}, got true/],
    ['memory: null', { memory: null }, /`memory`.*got null/],
    ['memory: false without a store', { memory: false }, /`memory: false` without a `store`.*give a `store`/],
    ['a name with a colon', { name: 'a:b' }, /`name` to be 1 to 100 letters.*got "a:b" \(string\)/],
    ['an empty name', { name: '' }, /`name`.*got ""/],
    ['a long name', { name: 'x'.repeat(101) }, /`name`.*got "x+…" \(string\)/],
    ['a URL as a store', { store: 'redis://localhost' }, /`store` to be a store, such as redisStore.*got "redis/],
    ['a client as a store', { store: new (class Redis {})() }, /`store` to be a store.*got an instance of Redis/],
    ['strict: true', { strict: true }, /a `store` beside `strict: true`, got none/],
    ['mode: "off"', { mode: 'off' }, /`mode` to be 'on' or 'bypass' or 'shadow'.*got "off"/],
    ['version: {}', { version: {} }, /`version` to be a string or a number, got an object/],
    ['tenant: "acme"', { tenant: 'acme' }, /`tenant` to be a function.*got "acme"/],
    ['tenancy: true', { tenancy: true }, /`tenancy` to be 'optional' or 'required', got true/],
    ['vary: "de"', { vary: 'de' }, /`vary` to be a function, got "de"/],
    ['copy: "deep"', { copy: 'deep' }, /`copy` to be 'frozen' or 'clone' or 'reference', got "deep"/],
    ['onUnkeyable: "ignore"', { onUnkeyable: 'ignore' }, /`onUnkeyable` to be 'bypass' or 'throw', got "ignore"/],
    ['onUnstorable: false', { onUnstorable: false }, /`onUnstorable` to be 'bypass' or 'throw', got false/],
    ['onUnacknowledged: "log"', { onUnacknowledged: 'log' }, /`onUnacknowledged` to be 'report' or 'throw', got "log"/],
    ['types: a class', { types: class Money {} }, /`types` to be a list of type rules, got Money \(function\)/],
    ['a type rule without a class', { types: [{}] }, /`types\[0\]\.class` to be a class, got undefined/],
    ['clock: Date', { clock: Date }, /`clock` to be a clock, such as fakeClock\(\).*got Date \(function\)/],
  ];
  test.each(options)('%s', (_, given, message) => {
    expect(() => createCache(never(given))).toThrow(TypeError);
    expect(() => createCache(never(given))).toThrow(message);
  });
});

describe('a call of the cache is refused as a rejection, never as a throw:', () => {
  const load = async () => 1;
  const key = (n: number) => ['n', n] as const;
  const calls: Row<(cache: Cache) => Promise<unknown>>[] = [
    ['getOrSet without anything', (c) => c.getOrSet(never(undefined)), /`read` to be an object with `key` and `load`, got undefined/],
    ['getOrSet with a key alone', (c) => c.getOrSet(never('a')), /`read` to be an object with `key` and `load`, got "a"/],
    ['read without anything', (c) => c.read(never(undefined)), /`read` to be an object with `key` and `load`/],
    ['getOrSet without load', (c) => c.getOrSet(never({ key: 'a' })), /`load` to be a function, got undefined/],
    ['getOrSet without key', (c) => c.getOrSet(never({ load })), /`key` to be a (string|text).*got undefined/],
    ['a key that is a number', (c) => c.getOrSet({ key: never(7), load }), /`key` to be a (string|text).*7 \(number\)/],
    ['a misspelt option', (c) => c.getOrSet(never({ key: 'a', load, tlt: 1 })), /Unknown option `tlt` of a read; there are ttl/],
    ['a wrong duration', (c) => c.getOrSet({ key: 'a', load, ttl: never('soon') }), /`ttl`.*got "soon"/],
    ['a maxStale above the cache’s', (c) => c.getOrSet({ key: 'a', load, maxStale: '1s' }), /`maxStale` of a read to be at most the cache's 0 ms, got 1000 ms/],
    ['tags that are a text', (c) => c.getOrSet({ key: 'a', load, tags: never('t') }), /`tags` to be a list of texts or table\(…\), got "t"/],
    ['an empty tag', (c) => c.getOrSet({ key: 'a', load, tags: [''] }), /`tag` to be a non-empty text or table\(…\), got ""/],
    ['a tag that is a number', (c) => c.getOrSet({ key: 'a', load, tags: [never(7)] }), /`tag` to be a non-empty text or table\(…\), got 7/],
    ['a wrong copy', (c) => c.getOrSet({ key: 'a', load, copy: never('x') }), /`copy` to be 'frozen' or/],
    ['ctx.tag of nothing', (c) => c.getOrSet({ key: 'a', load: (x) => x.tag('') }), /`tag` to be a non-empty text or table\(…\), got ""/],
    ['ctx.ttl of a word', (c) => c.getOrSet({ key: 'a', load: (x) => x.ttl(never('soon')) }), /`ttl`.*got "soon"/],
    ['getOrSetMany without anything', (c) => c.getOrSetMany(never(undefined)), /`read` to be an object with `inputs`, `key` and `load`, got undefined/],
    ['inputs that are no list', (c) => c.getOrSetMany({ inputs: never(new Set([1])), key, load: async () => [] }), /`inputs` to be a list, got an instance of Set/],
    ['a key that is no function', (c) => c.getOrSetMany({ inputs: [1], key: never('a'), load: async () => [1] }), /`key` to be a function from an input to its key, got "a"/],
    ['getOrSetMany without load', (c) => c.getOrSetMany(never({ inputs: [1], key })), /`load` to be a function, got undefined/],
    ['a misspelt option of many', (c) => c.getOrSetMany(never({ inputs: [1], key, load, tagsof: 1 })), /Unknown option `tagsof`/],
    ['get of a number', (c) => c.get(never(7)), /`key` to be/],
    ['get of an object', (c) => c.get(never({ id: 7 })), /`key` to be a (string|text).*got an object/],
    ['set without a key', (c) => c.set(never(undefined), 1), /`key` to be/],
    ['set since something else', (c) => c.set('a', 1, { since: never(Date.now()) }), /`since` to be a snapshot.*got \d+ \(number\)/],
    ['set with tags', (c) => c.set('a', 1, never({ tags: ['t'] })), /Unknown option `tags` of set; there are ttl, .*since/],
    ['set with a wrong ttl', (c) => c.set('a', 1, { ttl: -1 }), /`ttl`.*got -1/],
    ['delete of nothing', (c) => c.delete(never(undefined)), /`key` to be/],
    ['invalidate of nothing', (c) => c.invalidate(never(undefined)), /`tag` to be a non-empty text or table\(…\), got undefined/],
    ['invalidate of an empty text', (c) => c.invalidate(''), /`tag`.*got ""/],
    ['invalidate of a list', (c) => c.invalidate(never(['a', 'b'])), /`tag`.*got an array of 2/],
    ['snapshot of a number', (c) => c.snapshot(never(7)), /`tag`.*got 7/],
    ['transaction without a function', (c) => c.transaction(never(undefined)), /`fn` to be a function, got undefined/],
    ['within without an adapter', (c) => c.within({}, async () => 1), /`transaction` to belong to a client wrapped by an adapter.*cache\.transaction/],
    ['explain of a number', (c) => c.explain(never(7)), /`key` to be/],
    ['settled with a wrong timeout', (c) => c.settled({ timeout: never('x') }), /`timeout`.*got "x"/],
    ['close with a wrong timeout', (c) => c.close({ timeout: -1 }), /`timeout`.*got -1/],
  ]; // biome-ignore format: a table
  test.each(calls)('%s', async (_, call, message) => {
    const { cache } = aCache();
    let promise: Promise<unknown> | undefined;
    expect(() => {
      promise = call(cache);
    }).not.toThrow();
    const error = await promise?.then(
      () => 'resolved',
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(message);
  });
});

describe('what returns no promise throws:', () => {
  const f = async (_: number) => 1;
  const calls: Row<(cache: Cache) => unknown>[] = [
    ['namespace of nothing', (c) => c.namespace(''), /`name` to be a non-empty text, got ""/],
    ['tenant of an empty text', (c) => c.tenant(''), /`tenant` to be a non-empty text or a number, got ""/],
    ['tenant of NaN', (c) => c.tenant(Number.NaN), /`tenant`.*got NaN/],
    ['tenant of null', (c) => c.tenant(never(null)), /`tenant`.*got null/],
    ['on an event that is none', (c) => c.on(never('hits'), () => {}), /`event` to be hit, miss, load.*got "hits"/],
    ['on without a listener', (c) => c.on('hit', never(undefined)), /`listener` to be a function, got undefined/],
    ['withCache of a function without options', (c) => c.withCache(f, never(undefined)), /`name` to be a non-empty text, got undefined: .*minifier/],
    ['withCache without a name', (c) => c.withCache(f, never({ ttl: 1000 })), /`name` to be a non-empty text, got undefined/],
    ['withCache with an empty name', (c) => c.withCache(f, { name: '' }), /`name` to be a non-empty text, got ""/],
    ['a name like a key', (c) => c.withCache(f, { name: '["x"]' }), /`name` to be a non-empty text without '\['/],
    ['a name twice', (c) => (c.withCache(f, { name: 'f' }), c.withCache(f, { name: 'f' })), /`name` to be new in this cache, got 'f' a second time/],
    ['a misspelt option of a function', (c) => c.withCache(f, never({ name: 'f', tagOf: () => [] })), /Unknown option `tagOf` of withCache; there are name, .*tagsOf/],
    ['fresh as an option of a function', (c) => c.withCache(f, never({ name: 'f', fresh: true })), /Unknown option `fresh` of withCache/],
    ['key that is no function', (c) => c.withCache(f, never({ name: 'f', key: 'id' })), /`key` to be a function, got "id"/],
    ['tagsOf that is no function', (c) => c.withCache(f, never({ name: 'f', tagsOf: ['t'] })), /`tagsOf` to be a function, got an array of 1/],
    ['when that is no function', (c) => c.withCache(f, never({ name: 'f', when: true })), /`when` to be a function, got true/],
    ['a wrong ttl of a function', (c) => c.withCache(f, { name: 'f', ttl: never('soon') }), /`ttl`.*got "soon"/],
    ['a wrong tag of a function', (c) => c.withCache(f, { name: 'f', tags: [''] }), /`tag` to be a non-empty text or table\(…\), got ""/],
    ['withCache of a number', (c) => c.withCache(never(7)), /`withCache` to be a function to wrap, or the options of a decorator, got 7/],
    ['invalidates without tags', (c) => c.invalidates(never({})), /`tags` to be a list of texts or table\(…\), or a function that gives one, got undefined/],
    ['invalidates without anything', (c) => c.invalidates(never(undefined)), /`tags`.*got undefined/],
    ['invalidates of an empty tag', (c) => c.invalidates({ tags: [''] }), /`tag` to be a non-empty text or table\(…\), got ""/],
    ['unbound withCache without a cache', () => withCache(f, never({ name: 'f' })), /`cache` to be a cache made by createCache\(\), .*got undefined/],
    ['unbound withCache with options for a cache', () => withCache(f, never({ name: 'f', cache: {} })), /`cache`.*got an object/],
    ['a function with the cache of an instance', (c) => withCache(f, never({ name: 'f', cache: () => c })), /`cache` to be a cache made by createCache/],
    ['unbound withCache without anything', () => withCache(never(undefined)), /`cache`.*got undefined/],
    ['unbound invalidates without a cache', () => invalidates(never({ tags: ['t'] })), /`cache`.*invalidates, got undefined/],
    ['cacheOf of a method that is not cached', () => cacheOf(f), /`method` to be a function or method that withCache has wrapped, got f \(function\)/],
    ['cacheOf of nothing', () => cacheOf(never(undefined)), /`method`.*got undefined/],
    ['a table without a name', () => table(''), /`name` to be the name of a table, such as 'orders' or 'sales.orders', got ""/],
    ['a table with a where of nothing', () => table('users', {}), /`where` to be \{ id \}, \{ tenant \} or \{ database \}, or several of them, got an object/],
    ['a table of three names', () => table('shop.sales.orders'), /`name` to be the name of a table/],
    ['a table with an undefined id', () => table('users', { id: undefined }), /`where` to be/],
    ['a table of a database without a name', () => table('users', { database: '' }), /`database` to be a non-empty text, got ""/],
    ['a table with a misspelt where', () => table('users', never({ ids: [1] })), /`where` to be/],
    ['a key of arguments that are no data', (c) => c.withCache(f, { name: 'f' }).key(never(request())), /argument 1 is IncomingMessage, which cannot become part of a key/],
  ]; // biome-ignore format: a table
  test.each(calls)('%s', (_, call, message) => {
    const { cache } = aCache();
    expect(() => call(cache)).toThrow(TypeError);
    expect(() => call(aCache().cache)).toThrow(message);
  });
});

describe('withCache of a database client names the import:', () => {
  const knex = Object.assign(() => {}, { client: {}, raw() {}, schema: {} });
  const clients: [string, object, string][] = [
    ['a DataSource', new (class DataSource { createQueryRunner() {} })(), 'typeorm'],
    ['a Repository', new (class Repository { metadata = {}; manager = {} })(), 'typeorm'],
    ['a PrismaClient', new (class PrismaClient { $connect() {} })(), 'prisma'],
    ['a driver adapter of Prisma', { adapterName: '@prisma/adapter-pg' }, 'prisma'],
    ['Knex', knex, 'knex'],
    ['a drizzle database', new (class NodePgDatabase { dialect = {}; session = {}; select() {} })(), 'drizzle'],
    ['a drizzle database with CTEs', { $with() {} }, 'drizzle'],
  ]; // biome-ignore format: a table
  test.each(clients)('%s', (_, client, adapter) => {
    const { cache } = aCache();
    const message = new RegExp(`^Import withCache from 'unstale/${adapter}' to wrap `);
    for (const wrap of [() => withCache(never(client), never({ cache })), () => cache.withCache(never(client))]) {
      expect(wrap).toThrow(TypeError);
      expect(wrap).toThrow(message);
    }
  });
});

describe('decorators refuse', () => {
  const { cache } = { cache: createCache({ clock: fakeClock() }) };
  const decorate = cache.withCache() as unknown as (...args: unknown[]) => unknown;

  test.each(['getter', 'setter', 'field', 'accessor', 'class'])('a %s, which is no method', (kind) => {
    const message = new RegExp(`\`decorated member\` to be a method, got (a|the) ${kind} 'total'`);
    expect(() => decorate(() => 1, { kind, name: 'total' })).toThrow(TypeError);
    expect(() => decorate(() => 1, { kind, name: 'total' })).toThrow(message);
  });

  test.each([
    ['a getter', { get: () => 1 }],
    ['a field', undefined],
  ])('%s in the legacy way', (_, descriptor) => {
    expect(() => decorate({}, 'total', descriptor)).toThrow(TypeError);
    expect(() => decorate({}, 'total', descriptor)).toThrow(/`decorated member` to be a method, got .*'total'/);
  });

  test('a wrong option where the class is defined, not at the first call', () => {
    expect(() => decorate(async () => 1, { kind: 'method', name: 'x' })).not.toThrow();
    const wrong = cache.withCache({ ttl: never('soon') }) as unknown as (...args: unknown[]) => unknown;
    expect(() => wrong(async () => 1, { kind: 'method', name: 'y' })).toThrow(/`ttl`.*got "soon"/);
  });
});

describe('a call of a cached method rejects', () => {
  test('when its class is unknown or has no name', async () => {
    const { cache } = aCache();
    const decorate = cache.withCache() as unknown as (...args: unknown[]) => () => Promise<number>;
    const get = decorate(async () => 1, { kind: 'method', name: 'get' });
    const message = /'get' to be called on an instance of a class with a name; give withCache a `name`/;
    for (const self of [undefined, { get }, new (class {})(), Object.assign(new (class {})(), { get })])
      await expect(get.call(self)).rejects.toThrow(message);
  });

  test('when another class of the same name has the method already', async () => {
    const { cache } = aCache();
    const make = () => {
      class Service {
        @cache.withCache()
        async get() {
          return 1;
        }
      }
      return new Service();
    };
    await make().get();
    await expect(make().get()).rejects.toThrow(/`name` to be new in this cache, got 'Service\.get' a second time/);
  });

  test('when it is synchronous', async () => {
    const { cache } = aCache();
    const f = cache.withCache(
      never(() => 7),
      never({ name: 'f' }),
    ) as unknown as () => Promise<number>;
    await expect(f()).rejects.toThrow(TypeError);
    await expect(f()).rejects.toThrow(/'f' to return a promise, got 7 \(number\): a synchronous function/);
  });

  test('when many gets no list', async () => {
    const { cache } = aCache();
    const f = cache.withCache(async (n: number) => n, { name: 'f' });
    await expect(f.many(never(7))).rejects.toThrow(/`inputs` to be a list, got 7/);
  });

  test('when a function of its options gives something wrong', async () => {
    const { cache } = aCache();
    const f = async (n: number) => n;
    const wrong = {
      tags: [{ tags: () => never('t') }, /`tags` to be a list of texts or table\(…\), got "t"/],
      tagsOf: [{ tagsOf: () => never([7]) }, /`tag` to be a non-empty text or table\(…\), got 7/],
      ttl: [{ ttl: () => never('soon') }, /`ttl`.*got "soon"/],
    } as const;
    for (const [name, [options, message]] of Object.entries(wrong))
      await expect(cache.withCache(f, { name, ...options })(1)).rejects.toThrow(message);
  });

  test('when the tenant or the mode of the request is wrong', async () => {
    const tenant = aCache({ tenant: () => '' }).cache;
    await expect(tenant.getOrSet({ key: 'a', load: () => 1 })).rejects.toThrow(
      /`tenant` to be a non-empty text or a number, got ""/,
    );
    const mode = aCache({ mode: () => never('off') }).cache;
    await expect(mode.getOrSet({ key: 'a', load: () => 1 })).rejects.toThrow(
      /`mode` to be 'on' or 'bypass' or 'shadow', got "off"/,
    );
  });
});

describe('one warning, however often:', () => {
  test('a ttl that looks like seconds', async () => {
    const said = await warnings(() => {
      for (let i = 0; i < 3; i++) createCache({ ttl: 60, clock: fakeClock() });
    });
    expect(said).toEqual(["`ttl: 60` means 60 ms; write '60s' for seconds or '60ms' if you mean it."]);
    expect(await warnings(() => createCache({ ttl: '60ms', clock: fakeClock() }))).toEqual([]);
    expect(await warnings(() => createCache({ ttl: 0, clock: fakeClock() }))).toEqual([]);
  });

  test('a request as a part of an argument: the call goes past the cache', async () => {
    const { cache } = aCache();
    const f = vi.fn(async (_: { req: IncomingMessage }) => 1);
    const cached = cache.withCache(f, never({ name: 'profile' })) as unknown as typeof f;
    const said = await warnings(async () => {
      for (let i = 0; i < 3; i++) expect(await cached({ req: request() })).toBe(1);
    });
    expect(said).toEqual([
      expect.stringMatching(
        /^'profile' is not cached: argument 1\.req is IncomingMessage, which cannot become part of a key\. Give a `key`/,
      ),
    ]);
    expect(f).toHaveBeenCalledTimes(3);
    expect(cache.stats().entries).toBe(0);
  });

  test("onUnkeyable: 'throw': the error says the same, and nothing is loaded", async () => {
    const { cache } = aCache({ onUnkeyable: 'throw' });
    const f = vi.fn(async (_: { req: IncomingMessage }) => 1);
    const cached = cache.withCache(f, never({ name: 'profile' })) as unknown as typeof f;
    await expect(cached({ req: request() })).rejects.toMatchObject({
      name: 'UnkeyableError',
      code: 'UNKEYABLE',
      path: 'argument 1.req',
      found: 'IncomingMessage',
    });
    expect(f).not.toHaveBeenCalled();
  });

  test('a key of getOrSet that is no data', async () => {
    const { cache } = aCache();
    const load = vi.fn(async () => 1);
    const said = await warnings(async () => {
      for (let i = 0; i < 2; i++) await cache.getOrSet({ key: ['user', never(request())], load });
    });
    expect(said).toEqual([expect.stringMatching(/^'user' is not cached: key\[1\] is IncomingMessage/)]);
    expect(load).toHaveBeenCalledTimes(2);
  });

  class Money {
    constructor(readonly cents: number) {}
    format() {
      return `${this.cents / 100} €`;
    }
  }

  test('a class instance as a value: not stored, and its methods stay', async () => {
    const { cache } = aCache();
    const load = vi.fn(async () => ({ total: new Money(700) }));
    const said = await warnings(async () => {
      for (let i = 0; i < 3; i++) expect((await cache.getOrSet({ key: ['bill', 7], load })).total.format()).toBe('7 €');
    });
    expect(said).toEqual([
      expect.stringMatching(/^A value of 'bill' is not stored: value\.total is Money, which cannot be stored/),
    ]);
    expect(load).toHaveBeenCalledTimes(3);
    expect(cache.stats().entries).toBe(0);
  });

  test('readers who share such a load get an instance each of their own', async () => {
    const { cache } = aCache();
    const read = () => cache.getOrSet({ key: 'a', load: async () => new Money(1) });
    const [first, second] = await Promise.all([read(), read()]);
    expect(first).not.toBe(second);
  });

  test("onUnstorable: 'throw'", async () => {
    const { cache } = aCache({ onUnstorable: 'throw' });
    await expect(cache.getOrSet({ key: 'a', load: () => new Money(1) })).rejects.toMatchObject({
      name: 'UnstorableError',
      code: 'UNSTORABLE',
      path: 'value',
      found: 'Money',
    });
  });

  test('a class with a rule is stored, and comes back as itself', async () => {
    const { cache } = aCache({ types: [{ class: Money }] });
    const load = vi.fn(async () => new Money(700));
    await cache.getOrSet({ key: 'a', load });
    expect((await cache.getOrSet({ key: 'a', load })).format()).toBe('7 €');
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('a name that a minifier made', async () => {
    const { cache } = aCache();
    class a {
      @cache.withCache()
      async get(id: number) {
        return id;
      }
    }
    const said = await warnings(async () => {
      await new a().get(1);
      await new a().get(2);
    });
    expect(said).toEqual([
      expect.stringMatching(/^'a\.get' looks like the name of a minified class; give withCache a `name`/),
    ]);
  });

  test('a value too large for the store', async () => {
    const { cache } = aCache({ store: memoryStore() });
    const read = (n: number) => cache.getOrSet({ key: ['export', n], load: () => 'x'.repeat(2 ** 21) });
    const said = await warnings(async () => {
      for (let n = 0; n < 2; n++) await read(n);
    });
    expect(said).toEqual([
      expect.stringMatching(/^A value of 'export' is kept in memory only: the store takes entries of up to \d+ bytes/),
    ]);
  });
});

test('changing a hit throws where it is tried, and changes nothing', async () => {
  const { cache } = aCache();
  const read = () => cache.getOrSet({ key: 'a', load: () => ({ rows: [{ n: 1 }] }) });
  for (let i = 0; i < 2; i++) {
    const value = await read();
    expect(() => value.rows.push({ n: 2 })).toThrow(TypeError);
    expect(() => {
      (value.rows[0] as { n: number }).n = 5;
    }).toThrow(TypeError);
  }
  expect(await read()).toEqual({ rows: [{ n: 1 }] });
});
