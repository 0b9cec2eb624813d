import type { IncomingMessage } from 'node:http';
import { type Cache, cacheOf, createCache, table } from 'unstale';
import {
  cacheToken,
  currentRequest,
  InjectCache,
  invalidates,
  UnstaleModule,
  withCache,
  withRequest,
} from 'unstale/nestjs';
import { expectTypeOf, test } from 'vitest';

test('a decorated method keeps its type', () => {
  class Service {
    readonly tenant: string = 'acme';
    @withCache()
    async plain(id: number, text?: string) {
      return { id, text };
    }
    @withCache({ cache: 'reports', ttl: '5m', tags: ['t', table('users')] })
    async generic<T extends string>(value: T): Promise<T> {
      return value;
    }
    @withCache<[id: number], { org: number }, Service>({
      key(id) {
        return [this.tenant, id];
      },
      tagsOf: (value) => [`org:${value.org}`],
      ttl: (value, id) => (value.org > id ? '1h' : 500),
    })
    async get(id: number) {
      return { org: id };
    }
    @withCache({ key: (request: IncomingMessage) => request.url ?? '' })
    async withKey(_: IncomingMessage) {
      return 1;
    }
    @invalidates<[id: number], boolean, Service>({
      cache: 'reports',
      tags: ({ args: [id], result, self }) => (result ? [`${self.tenant}:${id}`] : []),
    })
    async save(id: number) {
      return id > 0;
    }
  }
  const service = new Service();
  expectTypeOf(service.plain(7)).resolves.toEqualTypeOf<{ id: number; text: string | undefined }>();
  expectTypeOf(service.generic('a')).resolves.toEqualTypeOf<'a'>();
  expectTypeOf(service.save(7)).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(cacheOf(service.plain, service).invalidate).parameters.toEqualTypeOf<
    [id: number, text?: string | undefined]
  >();
});

test('wrong options of decorators do not compile', () => {
  class Service {
    // @ts-expect-error no duration
    @withCache({ ttl: 'soon' })
    async duration(id: number) {
      return id;
    }
    // @ts-expect-error no such option
    @withCache({ tll: '5m' })
    async misspelt(id: number) {
      return id;
    }
    // @ts-expect-error a cache is named here, and given to the module
    @withCache({ cache: createCache() })
    async given(id: number) {
      return id;
    }
    // @ts-expect-error a request cannot become a key
    @withCache()
    async request(_: IncomingMessage) {
      return 1;
    }
    // @ts-expect-error the method takes another argument
    @withCache<[id: number]>({ key: (id) => [id] })
    async other(_: { text: string }) {
      return 'x';
    }
    // @ts-expect-error synchronous
    @withCache()
    now() {
      return 1;
    }
    // @ts-expect-error no tags
    @invalidates({})
    async none(id: number) {
      return id;
    }
  }
  void Service;
});

test('a cache is injected into constructors and properties', () => {
  class Service {
    @InjectCache('reports') readonly reports!: Cache;
    constructor(@InjectCache() readonly cache: Cache) {}
  }
  expectTypeOf(new Service(createCache()).cache).toEqualTypeOf<Cache>();
  expectTypeOf(cacheToken()).toEqualTypeOf<string>();
  // @ts-expect-error no name
  InjectCache(7);
});

test('the module takes options of createCache, or a cache', () => {
  UnstaleModule.forRoot();
  UnstaleModule.forRoot({
    as: 'reports',
    global: true,
    ttl: '5m',
    tenantOf: (request: IncomingMessage) => request.url,
  });
  UnstaleModule.forRoot({ cache: createCache() });
  UnstaleModule.forRoot({ vary: () => currentRequest<IncomingMessage>()?.url });
  UnstaleModule.forRootAsync({ inject: ['config'], useFactory: async (ttl: '5m') => ({ ttl }) });
  UnstaleModule.forRootAsync({ as: 'reports', useFactory: () => ({ cache: createCache() }) });
  expectTypeOf(withRequest({ url: '/' }, () => 7)).toEqualTypeOf<number>();
  // @ts-expect-error no duration
  UnstaleModule.forRoot({ ttl: 'soon' });
  // @ts-expect-error no such option
  UnstaleModule.forRoot({ tll: '5m' });
  // @ts-expect-error no cache
  UnstaleModule.forRoot({ cache: {} });
  // @ts-expect-error a tenant is known at once
  UnstaleModule.forRoot({ tenantOf: async () => 'acme' });
  // @ts-expect-error no factory
  UnstaleModule.forRootAsync({ ttl: '5m' });
  // @ts-expect-error wrong options by a factory
  UnstaleModule.forRootAsync({ useFactory: () => ({ ttl: 'soon' }) });
});
