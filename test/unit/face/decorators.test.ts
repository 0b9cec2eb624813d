import { describe, expect, test } from 'vitest';
import { type Cache, cacheOf, invalidates, table, withCache } from '../../../src/index.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, heard, processes } from '../core/a-cache.js';
import { aRepository } from './services.js';

describe('a decorated method', () => {
  test('is cached under Class.method, with its own `this`', async () => {
    const { cache } = aCache();
    class UserService {
      readonly #repository = aRepository();
      get finds() {
        return this.#repository.find.mock.calls.length;
      }
      @cache.withCache({ ttl: '5m' })
      async findOne(id: number) {
        return this.#repository.find(id);
      }
    }
    const service = new UserService();
    expect(await service.findOne(7)).toEqual({ id: 7, name: 'Ada' });
    expect(await service.findOne(7)).toEqual({ id: 7, name: 'Ada' });
    expect(service.finds).toBe(1);
    expect(cacheOf(service.findOne).key(7)).toMatch(/^UserService\.findOne\[/);
    expect(cache.stats().counts('UserService.findOne')).toEqual({ hits: 1, misses: 1, loads: 1 });
  });

  test('instances and subclasses share entries, methods and classes do not', async () => {
    const { cache } = aCache();
    let calls = 0;
    class Base {
      @cache.withCache()
      async one() {
        return ++calls;
      }
      @cache.withCache()
      async two() {
        return ++calls;
      }
    }
    class Sub extends Base {}
    class Other {
      @cache.withCache()
      async one() {
        return ++calls;
      }
    }
    expect(await new Base().one()).toBe(1);
    expect(await new Base().one()).toBe(1);
    expect(await new Sub().one()).toBe(1);
    expect(await new Base().two()).toBe(2);
    expect(await new Other().one()).toBe(3);
  });

  test('an overriding method has entries of its own, also when it calls super', async () => {
    const { cache } = aCache();
    class Base {
      @cache.withCache()
      async name(): Promise<string> {
        return 'base';
      }
    }
    class Sub extends Base {
      @cache.withCache()
      override async name(): Promise<string> {
        return `sub of ${await super.name()}`;
      }
    }
    expect(await new Sub().name()).toBe('sub of base');
    expect(await new Base().name()).toBe('base');
    expect(await new Sub().name()).toBe('sub of base');
  });

  test('static ones are cached too, and a subclass shares them whichever is called first', async () => {
    const { cache } = aCache();
    let calls = 0;
    class Base {
      @cache.withCache()
      static async one() {
        return ++calls;
      }
    }
    class Sub extends Base {}
    expect(await Sub.one()).toBe(1);
    expect(await Base.one()).toBe(1);
    expect(cacheOf(Base.one).key()).toMatch(/^Base\.one\[/);
  });

  test('key, tags and when see the instance as `this`', async () => {
    const { cache } = aCache();
    class Service {
      constructor(
        readonly tenant: string,
        readonly live = false,
      ) {}
      @cache.withCache<[id: number], string, Service>({
        key(id) {
          return [this.tenant, id];
        },
        tags(id) {
          return [`${this.tenant}:${id}`];
        },
        when() {
          return !this.live;
        },
      })
      async get(id: number) {
        return `${this.tenant} ${id} ${++calls}`;
      }
    }
    let calls = 0;
    const [acme, other, live] = [new Service('acme'), new Service('other'), new Service('acme', true)];
    expect([await acme.get(7), await other.get(7), await acme.get(7)]).toEqual(['acme 7 1', 'other 7 2', 'acme 7 1']);
    expect(await live.get(7)).toBe('acme 7 3');
    await cache.invalidate('acme:7');
    expect([await acme.get(7), await other.get(7)]).toEqual(['acme 7 4', 'other 7 2']);
  });

  test('a `name` of one’s own survives a minifier', async () => {
    const { cache } = aCache();
    class T {
      @cache.withCache({ name: 'Team.get' })
      async get(id: number) {
        return id;
      }
    }
    await new T().get(7);
    expect(cacheOf(new T().get).key(7)).toMatch(/^Team\.get\[/);
  });
});

describe('cacheOf a method', () => {
  test('ends what is stored for arguments, without an instance', async () => {
    const { cache } = aCache();
    class Service {
      calls = 0;
      @cache.withCache()
      async get(_: number) {
        return ++this.calls;
      }
    }
    const service = new Service();
    await service.get(7);
    await cacheOf(service.get).invalidate(7);
    expect(await service.get(7)).toBe(2);
    expect((await cacheOf(service.get).explain(7)).served).toBe(true);
  });

  test('ends what another process has stored, before the first call here', async () => {
    const { here, there } = processes();
    const serviceOf = (cache: Cache) => {
      class Service {
        @cache.withCache()
        async get(id: number) {
          return id;
        }
      }
      return new Service();
    };
    const [mine, theirs] = [serviceOf(here), serviceOf(there)];
    await theirs.get(7);
    await cacheOf(mine.get).invalidate(7);
    expect(await there.has(cacheOf(theirs.get).key(7))).toBe(false);
  });

  test('knows the class of a static method, and of an inherited one by its subclass, before the first call', () => {
    const { cache } = aCache();
    class Base {
      @cache.withCache()
      static async all() {
        return 1;
      }
      @cache.withCache()
      async get(id: number) {
        return id;
      }
    }
    class Sub extends Base {}
    expect(cacheOf(Sub.all).key()).toMatch(/^Base\.all\[/);
    expect(cacheOf(new Sub().get).key(7)).toMatch(/^Base\.get\[/);
  });

  test('of which there is no instance yet says what to do', () => {
    const { cache } = aCache();
    class Service {
      @cache.withCache()
      async get(id: number) {
        return id;
      }
    }
    expect(() => cacheOf(Service.prototype.get).key(7)).toThrow(
      /'get' to be called on an instance of a class with a name; give withCache a `name`, or cacheOf\(method, instance\)/,
    );
    expect(cacheOf(Service.prototype.get, Service.prototype).key(7)).toMatch(/^Service\.get\[/);
  });

  test('with the instance it can also call the method', async () => {
    const { cache } = aCache();
    class Service {
      calls = 0;
      @cache.withCache()
      async get(id: number) {
        return `${id}: ${++this.calls}`;
      }
    }
    const service = new Service();
    const handles = cacheOf(service.get, service);
    expect(await handles.many([1, 2])).toEqual(['1: 1', '2: 2']);
    expect(await handles.fresh(1)).toBe('1: 3');
    expect(await handles.read(1)).toMatchObject({ value: '1: 3', source: 'near' });
  });
});

describe('the cache of the instance', () => {
  test('each instance uses its own', async () => {
    const caches = [aCache().cache, aCache().cache];
    class Service {
      calls = 0;
      constructor(readonly cache: Cache) {}
      @withCache<[number], number, Service>({ cache: (self) => self.cache })
      async get(_: number) {
        return ++this.calls;
      }
    }
    const services = caches.map((cache) => new Service(cache));
    for (const service of services) expect([await service.get(7), await service.get(7)]).toEqual([1, 1]);
    const [first, second] = services as [Service, Service];
    await cacheOf(first.get, first).invalidate(7);
    expect([await first.get(7), await second.get(7)]).toEqual([2, 1]);
    expect(caches.map((cache) => cache.stats().entries)).toEqual([1, 1]);
  });

  test('an overriding method may call the one it overrides', async () => {
    class Base {
      readonly cache: Cache = aCache().cache;
      @withCache({ cache: (self: Base) => self.cache })
      async name(): Promise<string> {
        return 'base';
      }
    }
    class Sub extends Base {
      @withCache({ cache: (self: Sub) => self.cache })
      override async name(): Promise<string> {
        return `sub of ${await super.name()}`;
      }
    }
    const [sub, base] = [new Sub(), new Base()];
    for (let round = 0; round < 2; round++) expect(await sub.name()).toBe('sub of base');
    expect(cacheOf(sub.name, sub).key()).toMatch(/^Sub\.name\[/);
    expect(cacheOf(base.name, base).key()).toMatch(/^Base\.name\[/);
    expect(cacheOf(Base.prototype.name, sub).key()).toMatch(/^Base\.name\[/);
    await cacheOf(sub.name, sub).invalidate();
    expect(await sub.cache.has(cacheOf(sub.name, sub).key())).toBe(false);
    expect(await sub.cache.has(cacheOf(base.name, base).key())).toBe(true);
  });

  test('cacheOf needs the instance, or a cache that is found without', async () => {
    const { cache } = aCache();
    class Service {
      readonly cache: Cache = cache;
      @withCache({ cache: (self: Service) => self.cache })
      async own(id: number) {
        return id;
      }
      @withCache({ cache: () => cache })
      async common(id: number) {
        return id;
      }
    }
    const service = new Service();
    expect(() => cacheOf(service.own)).toThrow(/'own' to be given an instance, .* cacheOf\(method, instance\)/);
    expect(cacheOf(service.common).key(7)).toMatch(/^Service\.common\[/);
  });

  test('an instance without one is told what is missing', async () => {
    class Service {
      @withCache({ cache: (self: object) => (self as { cache: Cache }).cache })
      async get(_: number) {
        return 1;
      }
    }
    await expect(new Service().get(7)).rejects.toThrow(
      /`cache` to be a function that gives the cache of the instance of 'get', got undefined/,
    );
  });
});

describe('invalidates', () => {
  function aWorld(options = {}) {
    const { cache } = aCache(options);
    const repository = aRepository();
    class UserService {
      @cache.withCache({ tags: (id: number) => [`user:${id}`] })
      async find(id: number) {
        return repository.find(id);
      }
      @cache.invalidates<[id: number, name: string], { id: number }>({
        tags: ({ args, result }) => [`user:${args[0]}`, `saved:${result.id}`],
      })
      async save(id: number, name: string) {
        return repository.save(id, name);
      }
      @cache.invalidates({ tags: ['user:7'] })
      async fail(_: number): Promise<never> {
        throw new Error('constraint');
      }
    }
    return { cache, repository, service: new UserService() };
  }

  test('ends what it names once the method has succeeded, and gives its result', async () => {
    const { service } = aWorld();
    await service.find(7);
    expect(await service.save(7, 'Eve')).toEqual({ id: 7, name: 'Eve' });
    expect(await service.find(7)).toEqual({ id: 7, name: 'Eve' });
  });

  test('never when it throws', async () => {
    const { service, cache, repository } = aWorld();
    const events = heard(cache, 'invalidate');
    await service.find(7);
    await expect(service.fail(7)).rejects.toThrow('constraint');
    expect(events).toEqual([]);
    await service.find(7);
    expect(repository.find).toHaveBeenCalledTimes(1);
  });

  test('inside a transaction, once that has succeeded', async () => {
    const { service, cache } = aWorld();
    const events = heard(cache, 'invalidate');
    await cache.transaction(async () => {
      await service.save(7, 'Eve');
      expect(events).toEqual([]);
    });
    expect(events.map(({ tags }) => tags)).toEqual([['user:7', 'saved:7']]);
    await cache
      .transaction(async () => (await service.save(7, 'x'), Promise.reject(new Error('rollback'))))
      .catch(() => {});
    expect(events).toHaveLength(1);
  });

  test('a store that does not confirm: the write has succeeded all the same, an event tells', async () => {
    const store = faultyStore(memoryStore());
    const { service, cache } = aWorld({ store });
    const events = heard(cache, 'unacknowledged');
    store.fail('raise');
    expect(await service.save(7, 'Eve')).toEqual({ id: 7, name: 'Eve' });
    expect(events).toMatchObject([{ tags: ['user:7', 'saved:7'] }]);
  });

  test("onUnacknowledged: 'throw': the error has the result", async () => {
    const store = faultyStore(memoryStore());
    const { service } = aWorld({ store, onUnacknowledged: 'throw' });
    store.fail('raise');
    await expect(service.save(7, 'Eve')).rejects.toMatchObject({ committed: true, result: { id: 7, name: 'Eve' } });
  });

  test('rows of tables too', async () => {
    const { cache } = aCache();
    let loads = 0;
    class Service {
      @cache.withCache({ tags: (id: number) => [table('users', { id })] })
      async find(_: number) {
        return ++loads;
      }
      @cache.invalidates<[id: number], void>({ tags: ({ args: [id] }) => [table('users', { id })] })
      async save(_: number) {}
      @cache.invalidates({ tags: [table('users')] })
      async import() {}
    }
    const service = new Service();
    expect([await service.find(7), await service.find(7)]).toEqual([1, 1]);
    await service.save(7);
    expect(await service.find(7)).toBe(2);
    await service.import();
    expect(await service.find(7)).toBe(3);
  });

  test.each([
    ['throws', () => (undefined as never as { id: string }).id],
    ['gives no list', () => 'user:7'],
    ['gives a promise', async () => ['user:7']],
  ])('whose `tags` %s: the write has succeeded, an event tells, and everything ends', async (_, tags) => {
    const { cache } = aCache();
    const errors = heard(cache, 'error');
    class Service {
      @cache.invalidates({ tags: tags as never })
      async save(id: number) {
        return id;
      }
    }
    await cache.getOrSet({ key: 'a', load: () => 1 });
    expect(await new Service().save(7)).toBe(7);
    expect(errors).toEqual([{ type: 'error', error: expect.any(TypeError) }]);
    expect(await cache.has('a')).toBe(false);
    await cache.getOrSet({ key: 'a', load: () => 1 });
    await cache.transaction(async () => {
      await new Service().save(7);
    });
    expect(await cache.has('a')).toBe(false);
  });

  test('unbound, the cache is the instance’s', async () => {
    const { cache } = aCache();
    const events = heard(cache, 'invalidate');
    class Service {
      readonly cache: Cache = cache;
      @invalidates<[number], unknown, Service>({
        cache: (self) => self.cache,
        tags: ({ self, args }) => [`${self.prefix}:${args[0]}`],
      })
      async save(id: number) {
        return id;
      }
      readonly prefix = 'user';
    }
    await new Service().save(7);
    expect(events.map(({ tags }) => tags)).toEqual([['user:7']]);
  });
});
