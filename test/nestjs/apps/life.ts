// How caches come and go, and what wrong options say. With an argument it waits for a signal.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Cache, createCache } from 'unstale';
import { InjectCache, invalidates, UnstaleModule, type UnstaleModuleDefinition, withCache } from 'unstale/nestjs';
import { faultyStore, memoryStore } from 'unstale/testing';

@Injectable()
class Config {
  readonly ttl = '7m';
  readonly tenant = 'configured';
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Injectable()
class Users {
  constructor(@InjectCache() readonly cache: Cache) {}

  @withCache({ tags: ['users'] })
  async find(id: number) {
    return { id };
  }
}

const start = (...imports: unknown[]) => {
  @Module({ imports: imports as [], providers: [Users] })
  class App {}
  return NestFactory.createApplicationContext(App, { logger: ['error'], abortOnError: false });
};

const message = (run: () => unknown) =>
  Promise.resolve()
    .then(run)
    .then(
      () => 'nothing was wrong',
      (error: Error) => `${error.name}: ${error.message}`,
    );
/** Whether a cache still works. */
const isOpen = (cache: Cache) =>
  cache.invalidate('users').then(
    () => true,
    () => false,
  );

const stories = {
  async asynchronous() {
    const app = await start(
      UnstaleModule.forRootAsync({
        imports: [ConfigModule],
        inject: [Config],
        useFactory: async ({ ttl, tenant }: { ttl: '7m'; tenant: string }) => ({ ttl, tenant: () => tenant }),
      }),
    );
    const users = app.get(Users);
    await users.find(7);
    await users.cache.getOrSet({ key: 'k', load: () => 1 });
    const { text } = await users.cache.tenant('configured').explain('k');
    const isTenants = await users.cache.tenant('configured').has('k');
    await app.close();
    return { text, isTenants };
  },

  async given() {
    const cache = createCache();
    const app = await start(UnstaleModule.forRoot({ cache }));
    const users = app.get(Users);
    await users.find(7);
    const isSame = users.cache === cache;
    await app.close();
    const stays = await isOpen(cache);
    const another = await start(UnstaleModule.forRootAsync({ useFactory: () => ({ cache }) }));
    await another.get(Users).find(7);
    await another.close();
    return { isSame, isOpen: stays && (await isOpen(cache)) };
  },

  async twoApplications() {
    const [one, two] = [await start(UnstaleModule.forRoot()), await start(UnstaleModule.forRoot())];
    await one.get(Users).find(7);
    await one.close();
    const { cache } = two.get(Users);
    await two.get(Users).find(7);
    const states = { one: await isOpen(one.get(Users).cache), two: await isOpen(cache) };
    await two.close();
    return { areTwo: one.get(Users).cache !== cache, ...states, loads: cache.stats().counts('Users.find').loads };
  },

  async undelivered() {
    const store = faultyStore(memoryStore(), { down: true });
    const app = await start(UnstaleModule.forRoot({ store, ackTimeout: 50 }));
    const { cache } = app.get(Users);
    const refused = await message(() => cache.invalidate('users'));
    await app.close();
    return { refused, closed: !(await isOpen(cache)) };
  },

  async wrong() {
    const any = (it: unknown) => it as never;
    return {
      misspelt: await message(() => start(UnstaleModule.forRoot(any({ tll: '5m' })))),
      duration: await message(() => start(UnstaleModule.forRoot(any({ ttl: 'soon' })))),
      noCache: await message(() => UnstaleModule.forRoot(any({ cache: {} }))),
      both: await message(() => UnstaleModule.forRoot(any({ cache: createCache(), ttl: '5m' }))),
      notAFunction: await message(() => UnstaleModule.forRoot(any({ tenantOf: 'org' }))),
      twoTenants: await message(() => UnstaleModule.forRoot({ tenantOf: () => 1, tenant: () => 1 })),
      noFactory: await message(() => UnstaleModule.forRootAsync(any({}))),
      ttlBesideFactory: await message(() => UnstaleModule.forRootAsync(any({ useFactory: () => ({}), ttl: '5m' }))),
      factoryGivesNothing: await message(() => start(UnstaleModule.forRootAsync({ useFactory: () => any(undefined) }))),
      name: await message(() => UnstaleModule.forRoot({ as: '' })),
      notInjected: await message(() => start()),
      notGlobal: await message(() => start(within(UnstaleModule.forRoot()))),
      global: await message(() => start(within(UnstaleModule.forRoot({ global: true })))),
      otherName: await message(() => start(UnstaleModule.forRoot({ as: 'prices' }))),
      byNew: await message(() => new Users(createCache()).find(7)),
      decorator: await message(() => {
        class Wrong {
          @withCache(any({ tll: '5m' }))
          async find(id: number) {
            return id;
          }
        }
        return Wrong;
      }),
      tags: await message(() => {
        class Wrong {
          @invalidates(any({}))
          async find(id: number) {
            return id;
          }
        }
        return Wrong;
      }),
      static: await message(() => {
        class Wrong {
          @withCache()
          static async find(id: number) {
            return id;
          }
        }
        return Wrong;
      }),
      standard: await message(() =>
        (any(withCache()) as (...decorated: unknown[]) => unknown)(async () => 1, { kind: 'method', name: 'find' }),
      ),
    };
  },
};

/** Imported by a module that does not export it again. */
function within(it: UnstaleModuleDefinition): unknown {
  @Module({ imports: [it] })
  class Between {}
  return Between;
}

async function untilSignal(): Promise<void> {
  const app = await start(UnstaleModule.forRoot());
  app.enableShutdownHooks();
  const { cache } = app.get(Users);
  const close = cache.close.bind(cache);
  const closed = () => new Promise<void>((sent) => process.send?.('closed', () => sent()));
  Object.assign(cache, { close: () => close().then(closed) });
  process.send?.('ready');
}

async function tellStories(): Promise<void> {
  const told: Record<string, unknown> = {};
  for (const [name, story] of Object.entries(stories)) told[name] = await story();
  process.send?.(told, () => process.exit());
}

setInterval(() => {}, 1000); // as a server does: the timers of a cache do not keep a process
void (process.argv[2] === undefined ? tellStories() : untilSignal());
