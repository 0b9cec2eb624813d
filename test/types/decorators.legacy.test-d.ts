// The same as in `decorators.test-d.ts`, under `experimentalDecorators`.
import type { IncomingMessage } from 'node:http';
import { type Cache, cacheOf, createCache, invalidates, table, withCache } from 'unstale';
import { expectTypeOf, test } from 'vitest';

const cache = createCache();

test('a decorated method keeps its type', () => {
  class Service {
    readonly tenant: string = 'acme';
    @cache.withCache()
    async plain(id: number, text?: string) {
      return { id, text };
    }
    @cache.withCache({ ttl: '5m', tags: ['t'] })
    async generic<T extends string>(value: T): Promise<T> {
      return value;
    }
    @cache.withCache({ name: 'Service.static' })
    static async ofClass(id: number) {
      return id;
    }
  }
  const service = new Service();
  expectTypeOf(service.plain(7)).resolves.toEqualTypeOf<{ id: number; text: string | undefined }>();
  expectTypeOf(service.generic('a')).resolves.toEqualTypeOf<'a'>();
  expectTypeOf(Service.ofClass(7)).resolves.toEqualTypeOf<number>();
  expectTypeOf(cacheOf(service.plain).invalidate).parameters.toEqualTypeOf<[id: number, text?: string | undefined]>();
});

test('arguments that are no data need a key', () => {
  class Service {
    // @ts-expect-error a request cannot become a key
    @cache.withCache()
    async request(_: IncomingMessage) {
      return 1;
    }
    // @ts-expect-error nor unknown
    @cache.withCache({ ttl: '5m' })
    async anything(_: unknown) {
      return 1;
    }
    // @ts-expect-error nor any
    @cache.withCache()
    async any(_: any) {
      return 1;
    }
    // @ts-expect-error nor a function
    @cache.withCache()
    async callback(_: number, __: () => void) {
      return 1;
    }
    @cache.withCache({ key: (request: IncomingMessage) => request.url ?? '' })
    async withKey(_: IncomingMessage) {
      return 1;
    }
  }
  void Service;
});

test('only methods that return promises can be cached', () => {
  class Service {
    // @ts-expect-error synchronous
    @cache.withCache()
    now() {
      return 1;
    }
  }
  void Service;
});

test('options see `this`, the arguments and the value, when they are named', () => {
  class Service {
    readonly tenant: string = 'acme';
    @cache.withCache<[id: number], { org: number }, Service>({
      key(id) {
        return [this.tenant, id];
      },
      tags(id) {
        return [`${this.tenant}:${id}`];
      },
      tagsOf: (value) => [`org:${value.org}`],
      ttl: (value, id) => (value.org > id ? '1h' : 500),
    })
    async get(id: number) {
      return { org: id };
    }
    @cache.invalidates<[id: number], boolean, Service>({
      tags: ({ args: [id], result, self }) => (result ? [`${self.tenant}:${id}`] : []),
    })
    async save(id: number) {
      return id > 0;
    }
    // @ts-expect-error the method takes another argument
    @cache.withCache<[id: number], string, Service>({ key: (id) => [id] })
    async wrong(_: { text: string }) {
      return 'x';
    }
  }
  void Service;
});

test('tags are narrowed', () => {
  const narrow = createCache({ tags: [] as ('users' | 'teams')[] });
  class Service {
    @narrow.withCache({ tags: ['users'] })
    async get(id: number) {
      return id;
    }
    @narrow.invalidates({ tags: ['users', table('teams')] })
    async save(id: number) {
      return id;
    }
    // @ts-expect-error a tag that there is not
    @narrow.invalidates({ tags: ['orders'] })
    async other(id: number) {
      return id;
    }
  }
  void Service;
});

test('the unbound forms find the cache in their options', () => {
  class Service {
    constructor(readonly cache: Cache) {}
    @withCache<[number], number, Service>({ cache: (self) => self.cache, ttl: '5m' })
    async get(id: number) {
      return id;
    }
    @withCache({ cache })
    async fixed(id: number) {
      return id;
    }
    @invalidates<[number], number, Service>({ cache: (self) => self.cache, tags: ({ result }) => [`user:${result}`] })
    async save(id: number) {
      return id;
    }
    // @ts-expect-error no cache
    @withCache({ ttl: '5m' })
    async none(id: number) {
      return id;
    }
  }
  void Service;
});
