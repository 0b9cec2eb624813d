import { AsyncResource } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import DataLoader from 'dataloader';
import type { Knex as Instance } from 'knex';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Cache, type CacheOptions, createCache, table, tracked } from '../../src/index.js';
import { aPlace, type Person, type Place } from './dependencies-place.js';

/**
 * A load that asks a wrapped client depends on what it asked, however its code gets there; or its value is not stored,
 * and that is said. Each scenario is stored or not as it says, then a row is written, and a later read must be what the
 * same load gives without a cache. What cannot be seen is at the end, and is called a limit.
 */
const { postgres } = inject('services');

describe.skipIf(postgres === undefined)('dependencies of a load on PostgreSQL', () => {
  let place: Place;
  beforeAll(async () => {
    place = await aPlace(postgres?.url as string);
  });
  afterAll(() => place?.drop());

  let cache: Cache;
  let knex: Instance;
  let untracked: string[];
  const cleanups: (() => unknown)[] = [];
  beforeEach(() => open());
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });

  function open(options: CacheOptions = {}): void {
    cache = createCache({ jitter: 0, ...options });
    knex = place.open(cache);
    untracked = [];
    cache.on('untracked', ({ name }) => untracked.push(name));
    const [own, ownKnex] = [cache, knex];
    cleanups.push(async () => {
      await ownKnex.destroy();
      await own.close();
    });
  }

  const ada = (from = knex): Promise<Person> => from('people').where({ id: 1 }).first();
  const bob = (from = knex): Promise<Person> => from('people').where({ id: 2 }).first();
  const counts = (from = knex) => from('posts').count('* as n').first();

  /** Of people, by their id; its batches are counted. */
  function aLoader(options?: DataLoader.Options<number, Person>) {
    const batches: (readonly number[])[] = [];
    const loader = new DataLoader<number, Person>(async (ids) => {
      batches.push(ids);
      const rows: Person[] = await knex('people').whereIn('id', [...ids]);
      return ids.map((id) => rows.find((row) => row.id === id) ?? new Error(`nobody is ${id}`));
    }, options);
    return { loader, batches };
  }

  let writes = 0;
  const rename = (id = 1) =>
    knex('people')
      .where({ id })
      .update({ name: `name ${++writes}` });
  const read = <T>(load: () => T | Promise<T>, key = 'it') => cache.read<T>({ key, load });

  /** Read, read again, write, read: nothing old comes back, and it was stored if that was said. */
  async function follow(
    load: () => unknown,
    { stored, forget, write = rename }: { stored: boolean; forget?: () => unknown; write?: () => unknown },
  ): Promise<void> {
    const first = await read(load);
    expect(first.stored, first.reason).toBe(stored);
    if (stored) expect((await read(load)).source).toBe('near');
    else {
      expect(first.reason).toMatch(/^0 queries seen/);
      expect(untracked).toContain('it');
    }
    await write();
    await forget?.();
    const twin = await load();
    expect(twin).not.toEqual(first.value);
    expect((await read(load)).value).toEqual(twin);
  }

  describe('are found', () => {
    test('in Promise.all, allSettled and race', () =>
      follow(
        async () => [await Promise.all([ada(), bob()]), await Promise.allSettled([ada()]), await Promise.race([bob()])],
        {
          stored: true,
        },
      ));

    test('of a query builder that the load only returns', async () => {
      await follow(() => ada(), { stored: true });
    });

    test('behind timers, ticks and microtasks', () =>
      follow(
        () =>
          new Promise((resolve, reject) => {
            setTimeout(() =>
              setImmediate(() => process.nextTick(() => queueMicrotask(() => ada().then(resolve, reject)))),
            );
          }),
        { stored: true },
      ));

    test('in listeners of an emitter that was made before', async () => {
      const emitter = new EventEmitter();
      emitter.on('ask', (answer: (row: Promise<Person>) => void) => answer(ada()));
      await follow(() => new Promise((resolve) => emitter.emit('ask', resolve)), { stored: true });
    });

    test('in a generator that was made before, and is read by the load', async () => {
      async function* pages() {
        for (;;) yield await ada();
      }
      const made = pages();
      await follow(async () => (await made.next()).value, { stored: true });
    });

    test('in a stream that the load makes', () =>
      follow(
        async () => {
          const rows = async function* () {
            yield await ada();
            yield await bob();
          };
          return Readable.from(rows())
            .map((row: Person) => row.name)
            .toArray();
        },
        { stored: true },
      ));

    test('in a DataLoader that the load makes', () =>
      follow(() => Promise.all([1, 2].map((id) => aLoaderOfItsOwn.get().load(id))), {
        stored: true,
        write: () => rename(),
      }));

    test('in a queue, where the task is bound to its context', async () => {
      const queue = aQueue();
      await follow(() => queue.run(AsyncResource.bind(() => ada())), { stored: true });
    });

    test('in a cached function that keeps what several loads share', async () => {
      const getAda = cache.withCache(() => ada(), { name: 'ada' });
      await read(() => getAda(), 'other');
      await follow(async () => [await counts(), await getAda()], { stored: true });
    });

    test('in a worker, where they are said by hand', async () => {
      const worker = aWorker();
      const load = () => worker.ask('select name from people where id = 1');
      const options = { key: 'it', tags: [table('people', { id: 1 })], load };
      expect((await cache.read(options)).stored).toBe(true);
      await rename();
      expect(await cache.getOrSet(options)).toEqual(await load());
    });
  });

  describe('are missed, so nothing is stored', () => {
    test('of a promise that another load has made', async () => {
      let kept: Promise<Person> | undefined;
      const getAda = () => {
        kept ??= ada().then((row) => row);
        return kept;
      };
      await read(getAda, 'other');
      await follow(getAda, { stored: false, forget: () => (kept = undefined) });
    });

    test('of a batch that another load has begun', async () => {
      const { loader, batches } = aLoader();
      const [other, mine] = await Promise.all([read(() => loader.load(1), 'other'), read(() => loader.load(2))]);
      expect(batches).toEqual([[1, 2]]);
      expect([other.stored, mine.stored]).toEqual([true, false]);
      expect(untracked).toEqual(['it']);
      await rename(2);
      loader.clearAll();
      expect((await read(() => loader.load(2))).value).toEqual(await bob());
    });

    test('of a DataLoader that remembers', async () => {
      const { loader } = aLoader();
      await loader.load(1);
      await follow(() => loader.load(1), { stored: false, forget: () => loader.clear(1) });
    });

    test('of an emitter whose listener belongs to a loop of its own', async () => {
      const emitter = new EventEmitter();
      const stop = new AbortController();
      const loop = async () => {
        while (!stop.signal.aborted) {
          await once(emitter, 'ask', { signal: stop.signal });
          emitter.emit('answer', await ada());
        }
      };
      const looping = loop().catch(() => {});
      const load = async () => {
        const answer = once(emitter, 'answer');
        emitter.emit('ask');
        return (await answer)[0];
      };
      await follow(load, { stored: false });
      stop.abort();
      await looping;
    });

    test('of a timer that was set before', async () => {
      let row = await ada();
      const timer = setInterval(async () => {
        row = await ada();
      }, 5);
      cleanups.push(() => clearInterval(timer));
      const refreshed = async () => {
        await sleep(50);
        return row;
      };
      await follow(refreshed, { stored: false });
    });

    test('of an iterator that reads ahead', async () => {
      const ahead = readAhead(() => ada());
      cleanups.push(() => ahead.stop());
      await follow(
        async () => {
          await ahead.next();
          return ahead.next();
        },
        { stored: false },
      );
    });

    test('of a queue that runs tasks in the context of the one before', async () => {
      const queue = aQueue();
      const load = () => queue.run(() => ada());
      const before = queue.run(() => sleep(20));
      const first = await read(load);
      await before;
      expect(first).toMatchObject({ stored: false, reason: expect.stringMatching(/^0 queries seen/) });
      await rename();
      expect((await read(load)).value).toEqual(await ada());
    });

    test('of a worker', async () => {
      const worker = aWorker();
      await follow(() => worker.ask('select name from people where id = 1'), { stored: false });
    });
  });

  describe.each(['in memory', 'over a store'] as const)(
    'of what several loads share are found when it is tracked, %s',
    (where) => {
      beforeEach(async () => {
        if (where === 'in memory') return;
        const { memoryStore } = await import('../../src/testing/index.js');
        open({ store: memoryStore() });
      });
      const stored = (source: string) =>
        expect(source).toBe(where === 'in memory' ? 'near' : source === 'near' ? 'near' : 'store');

      test('a promise that another load has made, beside a query of its own', async () => {
        let kept: Promise<Person> | undefined;
        const getAda = tracked(() => (kept ??= ada().then((row) => row)), { cache });
        const load = async () => [await counts(), await getAda()];
        await read(() => getAda(), 'other');
        expect(await read(load)).toMatchObject({ stored: true });
        stored((await read(load)).source);
        await rename();
        kept = undefined;
        expect((await read(load)).value).toEqual(await load());
        expect((await read(() => getAda(), 'other')).value).toEqual(await ada());
      });

      test('a promise that failed', async () => {
        let kept: Promise<Person> | undefined;
        const get = tracked(() => (kept ??= knex('people').where({ id: 9 }).first().then(orFail)), { cache });
        const load = async () => [await counts(), await get().catch((error: Error) => error.message)];
        await get().catch(() => {});
        expect(await read(load)).toMatchObject({ value: [{ n: '1' }, 'nobody'], stored: true });
        await knex('people').insert({ id: 9, name: 'Eve' });
        kept = undefined;
        expect((await read(load)).value).toMatchObject([{ n: '1' }, { name: 'Eve' }]);
        await knex('people').where({ id: 9 }).delete();
      });

      test('each load of a batch depends on the batch', async () => {
        const { loader, batches } = aLoader();
        tracked(loader, { cache });
        const load = (id: number) => async () => [await loader.load(id), await counts()];
        const both = await Promise.all([read(load(1), 'one'), read(load(2), 'two')]);
        expect(both.map((it) => it.stored)).toEqual([true, true]);
        expect(batches).toEqual([[1, 2]]);
        await rename(2);
        loader.clearAll();
        expect((await read(load(2), 'two')).value).toEqual(await load(2)());
        await rename(1);
        loader.clearAll();
        expect((await read(load(1), 'one')).value).toEqual(await load(1)());
      });

      test('what a DataLoader remembers is depended on, as long as it does', async () => {
        const { loader, batches } = aLoader();
        tracked(loader, { cache });
        await loader.loadMany([1, 2]);
        const load = async () => [await counts(), await loader.load(1)];
        expect(await read(load)).toMatchObject({ stored: true });
        expect(batches).toHaveLength(1);
        stored((await read(load)).source);
        // It is told, whoever wrote: what the loader remembers is old now, and what was made of it is not stored for anybody.
        await rename();
        const old = (await read(load)).value;
        expect(old).toEqual(await load());
        expect((await read(load)).source).toBe('load');
        loader.clear(1);
        expect((await read(load)).value).not.toEqual(old);
        stored((await read(load)).source);
      });

      test('what was put into a DataLoader by a load', async () => {
        const { loader, batches } = aLoader();
        tracked(loader, { cache });
        const list = async () => {
          const rows: Person[] = await knex('people').orderBy('id');
          for (const row of rows) loader.clear(row.id).prime(row.id, row);
          return rows.length;
        };
        await read(list, 'list');
        const load = async () => [await counts(), await loader.load(1)];
        expect(await read(load)).toMatchObject({ stored: true });
        expect(batches).toEqual([]);
        await rename();
        loader.clearAll();
        expect((await read(load)).value).toEqual(await load());
      });

      test('what was put into a DataLoader by nobody knows whom is not stored', async () => {
        const { loader } = aLoader();
        tracked(loader, { cache });
        loader.prime(1, await ada());
        const load = async () => [await counts(), await loader.load(1)];
        expect(await read(load)).toMatchObject({ stored: false, reason: expect.stringMatching(/^0 queries seen in/) });
        expect(untracked).toEqual(['it']);
      });

      test('what a DataLoader remembers from before it was tracked is not stored', async () => {
        const { loader } = aLoader();
        await loader.load(1);
        tracked(loader, { cache });
        const load = async () => [await counts(), await loader.load(1)];
        expect(await read(load)).toMatchObject({ stored: false });
      });

      test('a batch that is asked while its key is cleared', async () => {
        const { loader } = aLoader({ batchScheduleFn: (dispatch) => setTimeout(dispatch, 10), maxBatchSize: 1 });
        tracked(loader, { cache });
        const load = async () => [await counts(), await loader.load(1)];
        const one = read(load, 'one');
        await sleep(2);
        loader.clear(1);
        const two = read(load, 'two');
        const three = loader.load(2);
        expect([(await one).stored, (await two).stored]).toEqual([true, true]);
        await three;
        await rename();
        loader.clearAll();
        for (const key of ['one', 'two']) expect((await read(load, key)).value).toEqual(await load());
      });

      test('a batch that read in a transaction makes nothing that is stored', async () => {
        const trx = await knex.transaction();
        const loader = tracked(new DataLoader<number, Person>(async (ids) => trx('people').whereIn('id', [...ids])), {
          cache,
        });
        const load = async () => [await counts(), await loader.load(1)];
        expect(await read(load)).toMatchObject({
          stored: false,
          reason: expect.stringMatching(/inside a transaction/),
        });
        expect(untracked).toEqual(['it']);
        await trx.rollback();
      });
    },
  );

  describe('limits', () => {
    test('a limit: a batch that another load began is not seen beside a query of its own, until the loader is tracked', async () => {
      const { loader } = aLoader();
      const load = async () => {
        const row = await loader.load(2);
        return [await counts(), row];
      };
      const [, mine] = await Promise.all([read(() => loader.load(1), 'other'), read(load)]);
      expect(mine.stored).toBe(true);
      await rename(2);
      loader.clearAll();
      expect((await read(load)).value).not.toEqual(await load());
    });

    test('a limit: nor is a promise that was kept, until the function that keeps it is tracked', async () => {
      let kept: Promise<Person> | undefined = ada().then((row) => row);
      const load = async () => [await counts(), await (kept ??= ada())];
      expect((await read(load)).stored).toBe(true);
      await rename();
      kept = undefined;
      expect((await read(load)).value).not.toEqual(await load());
    });
  });

  const aLoaderOfItsOwn = {
    get: () => aLoader().loader,
  };

  function aWorker() {
    const worker = new Worker(new URL('./dependencies-worker.mjs', import.meta.url), { workerData: place.url });
    cleanups.push(() => worker.terminate());
    return {
      async ask(sql: string): Promise<unknown> {
        worker.postMessage(sql);
        return (await once(worker, 'message'))[0];
      },
    };
  }
});

function orFail(row: Person | undefined): Person {
  if (row === undefined) throw new Error('nobody');
  return row;
}

/** One task at a time; the next one is begun by the end of the one before. */
function aQueue() {
  const tasks: (() => Promise<void>)[] = [];
  let isRunning = false;
  const next = async (): Promise<void> => {
    isRunning = true;
    const task = tasks.shift();
    if (task === undefined) {
      isRunning = false;
      return;
    }
    await task();
    void next();
  };
  return {
    run: <T>(fn: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        tasks.push(() => fn().then(resolve, reject));
        if (!isRunning) void next();
      }),
  };
}

/** Reads one page before anybody asks for it. */
function readAhead<T>(page: () => Promise<T>) {
  const pages: T[] = [];
  const waiting: ((page: T) => void)[] = [];
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      if (pages.length >= 1 && waiting.length === 0) {
        await sleep(2);
        continue;
      }
      const read = await page();
      const reader = waiting.shift();
      if (reader === undefined) pages.push(read);
      else reader(read);
    }
  };
  const looping = loop();
  return {
    next: () => new Promise<T>((resolve) => (pages.length > 0 ? resolve(pages.shift() as T) : waiting.push(resolve))),
    stop() {
      isStopped = true;
      return looping;
    },
  };
}
