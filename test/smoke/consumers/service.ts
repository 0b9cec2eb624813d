// A service in TypeScript, compiled with standard and with legacy decorators, under every module resolution.
import { type Cached, cacheOf, createCache, InvalidationPendingError, UnstaleError } from 'unstale';
import { redisStore } from 'unstale/redis';
import { faultyStore, memoryStore } from 'unstale/testing';

const cache = createCache({ ttl: '5m' });
let loads = 0;

class Users {
  private readonly factor = 2;

  @cache.withCache({ ttl: '1m', tags: (id: number) => [`user:${id}`] })
  async find(id: number): Promise<{ id: number; twice: number }> {
    loads++;
    return { id, twice: id * this.factor };
  }

  @cache.invalidates({ tags: ({ args: [id] }: { args: [id: number] }) => [`user:${id}`] })
  async rename(id: number): Promise<number> {
    return id;
  }
}

const square = cache.withCache(async (n: number) => n * n, { name: 'square' });

async function main(): Promise<void> {
  const users = new Users();
  const first: { id: number; twice: number } = await users.find(2);
  await users.find(2);
  await users.rename(2);
  await users.find(2);
  check(loads === 2 && first.twice === 4, `loads ${loads}, twice ${first.twice}`);

  const read: Cached<{ id: number; twice: number }> = await cacheOf(users.find).read(2);
  check(read.value.id === 2, 'the handles of a method');
  const many: number[] = await square.many([2, 3]);
  check(many.join() === '4,9', `many ${many}`);

  const error: unknown = await createCache({ store: faultyStore(memoryStore(), { down: true }), ackTimeout: 50 })
    .invalidate('user:2')
    .catch((it: unknown) => it);
  check(error instanceof InvalidationPendingError && error.tags.join() === 'user:2', 'the error and its data');
  check(error instanceof UnstaleError, 'the family of errors');
  check(typeof redisStore === 'function', 'unstale/redis');
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

const alive = setInterval(() => {}, 1000); // as a server does: the timers of the cache do not
main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => clearInterval(alive));
