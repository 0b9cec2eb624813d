import { AsyncResource } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import type { Cache } from '../../../src/index.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, deferred, heard, partsOf, processes, turns } from './a-cache.js';
import { aClient, portOfCache } from './a-client.js';

const stores = { 'in memory': () => ({}), 'on a store': () => ({ store: memoryStore() }) };
const everywhere = Object.keys(stores) as (keyof typeof stores)[];

/** Whether an invalidation of `tag` ends what is stored for the key. */
async function ends(cache: Cache, key: string, tag: string): Promise<boolean> {
  expect(await cache.has(key)).toBe(true);
  await cache.invalidate(tag);
  return !(await cache.has(key));
}

test('a cache and each of its views have one port, which nobody sees', () => {
  const { cache } = aCache();
  expect(portOfCache(cache)).toBe(portOfCache(cache));
  const view = cache.namespace('a');
  expect(portOfCache(view)).toBe(portOfCache(view));
  expect(Object.keys(cache)).toEqual(['parts', 'withCache', 'invalidates']);
});

describe.each(everywhere)('a statement in a load, %s,', (place) => {
  const setting = () => {
    const { cache } = aCache(stores[place]());
    return { cache, ...aClient(cache) };
  };

  test('ends the value by its tags', async () => {
    for (const tag of ['T', 'T2']) {
      const { cache, query } = setting();
      await cache.getOrSet({ key: 'a', load: () => query({ tags: ['T', 'T2'] }, () => 1) });
      expect(await ends(cache, 'a', tag)).toBe(true);
    }
  });

  test('ends it by what may be dropped and was not', async () => {
    const { cache, query } = setting();
    await cache.getOrSet({
      key: 'a',
      load: () => query({ tags: ['T#1'], droppable: ['T', 'U'], drop: ['U'] }, () => 1),
    });
    expect(await ends(cache, 'a', 'U')).toBe(false);
    expect(await ends(cache, 'a', 'T')).toBe(true);
  });

  test('ends it by all that may be dropped when it failed', async () => {
    const { cache, query } = setting();
    const failing = () => {
      throw new Error('no such table');
    };
    await cache.getOrSet({ key: 'a', load: () => query({ droppable: ['T'], drop: ['T'] }, failing).catch(() => 1) });
    expect(await ends(cache, 'a', 'T')).toBe(true);
  });

  test('ends it by all that may be dropped when the load has not waited for its end', async () => {
    const { cache, begin } = setting();
    let late: { done(dropped?: readonly string[]): void } | undefined;
    await cache.getOrSet({
      key: 'a',
      load: async () => {
        late = await begin({ tags: ['S'], droppable: ['T'] });
        return 'the first of many rows';
      },
    });
    late?.done(['T']);
    expect(await ends(cache, 'a', 'T')).toBe(true);
  });

  test('does nothing outside of a load, nor after its end', async () => {
    const { cache, begin, port } = setting();
    expect([begin({ tags: ['T'] }), port.inLoad()]).toEqual([undefined, false]);
    let after: (() => unknown) | undefined;
    await cache.getOrSet({
      key: 'a',
      tags: [],
      load: () => {
        expect(port.inLoad()).toBe(true);
        after = bound(() => begin({ tags: ['T'] }));
        return 1;
      },
    });
    expect(after?.()).toBe(undefined);
    expect(await ends(cache, 'a', 'T')).toBe(false);
  });

  test('belongs to the innermost load, and through its value to those around it', async () => {
    const { cache, query } = setting();
    const inner = () => cache.getOrSet({ key: 'inner', load: () => query({ tags: ['T'] }, () => 1) });
    await cache.getOrSet({ key: 'outer', load: inner });
    await cache.invalidate('T');
    expect([await cache.has('inner'), await cache.has('outer')]).toEqual([false, false]);
  });

  test.each(['when', 'a transaction'])(
    'belongs to the load around when its own goes past the cache by %s',
    async (why) => {
      const { cache, query } = setting();
      const ask = () => query({ tags: ['T'] }, () => 1);
      const past = cache.withCache(ask, { name: 'past', when: () => false });
      const inside = () => (why === 'when' ? past() : cache.transaction(() => cache.getOrSet({ key: 'b', load: ask })));
      // On a store the tag of the inner key is learned by the first load.
      for (let i = 0; i < 2; i++) await cache.getOrSet({ key: 'a', fresh: true, load: inside });
      expect(await ends(cache, 'a', 'T')).toBe(true);
    },
  );

  test('that meets another version of a tag than an earlier one keeps the torn mix out of the cache', async () => {
    const { cache, query } = setting();
    const other = cache.getOrSet({ key: 'b', tags: ['T'], load: () => 0 });
    await other;
    const read = await cache.read({
      key: 'a',
      load: async () => {
        await query({ tags: ['T'] }, () => 1);
        await cache.invalidate('T');
        // A cached value hands up its own version; a statement takes the one that the load has already.
        await cache.getOrSet({ key: 'b', tags: ['T'], load: () => 1 });
        return 1;
      },
    });
    expect(read).toMatchObject({ stored: false, reason: "'T' was invalidated while the load ran" });
  });

  test('counts in a load for many, for each of them', async () => {
    const { cache, query } = setting();
    const load = (ids: readonly string[]) => query({ tags: ['T'] }, () => [...ids]);
    await cache.getOrSetMany({ inputs: ['a', 'b'], key: (id) => id, load });
    expect([await cache.has('a'), await cache.has('b')]).toEqual([true, true]);
    await cache.invalidate('T');
    expect([await cache.has('a'), await cache.has('b')]).toEqual([false, false]);
  });

  test('of more tags than are worth it keeps the value out', async () => {
    const { cache, query } = setting();
    const many = Array.from({ length: 1025 }, (_, i) => `T#${i}`);
    const load = () => query({ tags: many }, () => query({ tags: ['U'] }, () => 1));
    expect(await cache.read({ key: 'a', load })).toMatchObject({
      value: 1,
      stored: false,
      reason: 'it depends on more than 1024 tags',
    });
  });

  test('that cannot be understood keeps the value and what holds it out, and says so once a load', async () => {
    const { cache, port } = setting();
    const untracked = heard(cache, 'untracked');
    const load = () => {
      port.refuse('it ran CALL tidy_up()');
      port.refuse('it ran CALL tidy_up()');
      return 1;
    };
    const outer = () => cache.read({ key: 'outer', load: () => cache.getOrSet({ key: 'inner', load }) });
    expect(await outer()).toMatchObject({ value: 1, stored: false, reason: 'it ran CALL tidy_up()' });
    expect(await cache.has('inner')).toBe(false);
    const told = { type: 'untracked', key: 'inner', name: 'inner', reason: 'it ran CALL tidy_up()' };
    expect(untracked).toEqual([told]);
    await outer();
    expect(untracked).toEqual([told, told]);
    port.refuse('outside of a load');
  });
});

/** Runs `fn` later in the context of now. */
function bound<T>(fn: () => T): () => T {
  return AsyncResource.bind(fn);
}

describe('the versions of a statement', () => {
  test('are there at once without a store', async () => {
    const { cache } = aCache();
    const { begin } = aClient(cache);
    await cache.getOrSet({
      key: 'a',
      load: () => expect(begin({ tags: ['T'], droppable: ['U'] })).not.toBeInstanceOf(Promise),
    });
  });

  test('are asked for the first time, and later come with the look before the load', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { begin, query } = aClient(cache);
    const waits: boolean[] = [];
    const load = () => {
      store.forget();
      waits.push(begin({ tags: ['T'] }) instanceof Promise);
      return query({ tags: ['T'], droppable: ['U'] }, () => 1);
    };
    await cache.getOrSet({ key: 'a', load });
    await cache.invalidate('T');
    await turns();
    await cache.getOrSet({ key: 'a', load });
    expect(waits).toEqual([true, false]);
    expect(store.counts.read).toBe(0);
  });

  test('are asked for in one request by all statements of a tick, as far as the store does that', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { query } = aClient(cache);
    await cache.getOrSet({
      key: 'a',
      load: async () => {
        store.forget();
        await query({ tags: ['T', 'U', 'T'], droppable: ['U', 'V'] }, () => 1);
      },
    });
    expect(store.calls.map(({ operation, tags }) => [operation, tags])).toContainEqual(['read', ['T', 'U', 'V']]);
    expect(store.counts.read).toBe(1);
  });

  test('are known from memory where changes are reported', async () => {
    const { cache } = aCache({ store: memoryStore(), maxStale: 1000 });
    const { begin, query } = aClient(cache);
    await cache.getOrSet({ key: 'a', load: () => query({ tags: ['T'] }, () => 1) });
    await cache.getOrSet({ key: 'b', load: () => expect(begin({ tags: ['T'] })).not.toBeInstanceOf(Promise) });
    await cache.invalidate('T');
    expect([await cache.has('a'), await cache.has('b')]).toEqual([false, false]);
  });

  test('are done without when the store is down, at once', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { begin, query } = aClient(cache);
    const read = () =>
      cache.read({
        key: 'a',
        load: async () => {
          store.down();
          const value = await query({ tags: ['T'] }, () => 1);
          expect(begin({ tags: ['T'] })).not.toBeInstanceOf(Promise);
          return value;
        },
      });
    expect(await read()).toMatchObject({ value: 1, stored: false, reason: 'the store is not available' });
    expect(await read()).toMatchObject({ value: 1, stored: false, reason: 'the store is not available' });
  });

  test('that the store does not tell keep the value out, and the statement runs', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { query } = aClient(cache);
    const errors = heard(cache, 'error');
    const load = async () => {
      const mend = store.fail('read', new Error('odd'));
      const value = await query({ tags: ['T'] }, () => 1);
      mend();
      return value;
    };
    expect(await cache.read({ key: 'a', load })).toMatchObject({
      value: 1,
      stored: false,
      reason: 'the store is not available',
    });
    expect(errors).toHaveLength(1);
  });

  test('of another epoch than the load began in keep the value out', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { query } = aClient(cache);
    const load = () => {
      store.lose();
      return query({ tags: ['T'] }, () => 1);
    };
    expect(await cache.read({ key: 'a', load })).toMatchObject({
      stored: false,
      reason: 'the store may have lost data while the load ran',
    });
  });

  test('of another epoch that memory knows already keep the value out too', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store, maxStale: 1000 });
    const { query } = aClient(cache);
    const other = () => cache.getOrSet({ key: 'b', tags: ['T'], load: () => 1 });
    const gate = deferred<void>();
    const load = async () => {
      await gate.promise;
      return query({ tags: ['T'] }, () => 1);
    };
    const reading = cache.read({ key: 'a', load });
    await turns();
    store.lose();
    await other();
    gate.resolve();
    expect(await reading).toMatchObject({ stored: false, reason: 'the store may have lost data while the load ran' });
  });
});

test('a statement of another cache’s client keeps a value out: versions of one store mean nothing in another', async () => {
  const { cache } = aCache();
  const { query, port } = aClient(aCache().cache);
  const read = await cache.read({
    key: 'a',
    load: () => {
      expect(port.inLoad()).toBe(true);
      return query({ tags: ['T'] }, () => 1);
    },
  });
  expect(read).toMatchObject({ value: 1, stored: false, reason: 'it holds a value of another cache' });
});

describe('a write', () => {
  test('is acknowledged by the store', async () => {
    const { here, there } = processes();
    await there.getOrSet({ key: 'a', tags: ['T'], load: () => 1 });
    const outcome = await portOfCache(here).acknowledge(['T'], 'result');
    expect(outcome).toMatchObject({ tags: ['T'] });
    expect(await there.has('a')).toBe(false);
    expect(await portOfCache(here).acknowledge([], 'result')).toBe(undefined);
  });

  test('that is not confirmed is told and queued, and fails under onUnacknowledged: throw alone', async () => {
    for (const onUnacknowledged of ['report', 'throw'] as const) {
      const store = faultyStore(memoryStore());
      const { cache } = aCache({ store, onUnacknowledged });
      const unacknowledged = heard(cache, 'unacknowledged');
      store.down();
      const outcome = await portOfCache(cache)
        .acknowledge(['T'], 'result')
        .catch((error) => error);
      expect(outcome).toMatchObject({ code: 'INVALIDATION_PENDING', committed: onUnacknowledged === 'throw' });
      if (onUnacknowledged === 'throw') expect(outcome.result).toBe('result');
      expect(unacknowledged).toMatchObject([{ tags: ['T'] }]);
      store.up();
      await cache.settled();
    }
  });

  test('of a client is invalidated at once inside a transaction by hand, and once more with it', async () => {
    const { cache } = aCache();
    const invalidations = heard(cache, 'invalidate');
    await cache.transaction(async () => {
      await portOfCache(cache).acknowledge(['T'], undefined);
      expect(invalidations.map(({ tags }) => tags)).toEqual([['T']]);
    });
    expect(invalidations.map(({ tags }) => tags)).toEqual([['T'], ['T']]);
    // The client's database has it, whatever becomes of the rest.
    await expect(
      cache.transaction(async () => {
        await portOfCache(cache).acknowledge(['U'], undefined);
        throw new Error('rollback');
      }),
    ).rejects.toThrow('rollback');
    expect(invalidations.map(({ tags }) => tags)).toEqual([['T'], ['T'], ['U']]);
  });

  test('whose outcome is unknown is invalidated once more later', async () => {
    const { cache, clock } = aCache();
    const invalidations = heard(cache, 'invalidate');
    portOfCache(cache).acknowledgeLater(['T'], 5000);
    await clock.advance(4999);
    expect(invalidations).toEqual([]);
    await clock.advance(1);
    expect(invalidations).toMatchObject([{ tags: ['T'] }]);
    await cache.close();
    expect(invalidations).toHaveLength(1);
  });

  test('whose outcome is unknown is invalidated once more when the cache is closed', async () => {
    const store = memoryStore();
    const { here, there, clock } = processes({ store });
    await there.getOrSet({ key: 'a', tags: ['T'], load: () => 1 });
    portOfCache(here).acknowledgeLater(['T'], 5000);
    await here.close();
    expect(await there.has('a')).toBe(false);
    expect(clock.pending).toBe(0);
    portOfCache(here).acknowledgeLater(['T'], 5000);
    expect(clock.pending).toBe(0);
  });

  test('that cannot be delivered later is told', async () => {
    const store = faultyStore(memoryStore());
    const { cache, clock } = aCache({ store });
    const unacknowledged = heard(cache, 'unacknowledged');
    portOfCache(cache).acknowledgeLater(['T'], 100);
    store.down();
    await clock.advance(100);
    expect(unacknowledged).toMatchObject([{ tags: ['T'] }]);
    store.up();
    await cache.settled();
  });

  test('of nobody knows what ends everything', async () => {
    for (const place of everywhere) {
      const { cache } = aCache(stores[place]());
      const view = cache.namespace('n');
      for (const own of [cache, view]) await own.set('a', 1);
      await portOfCache(view).acknowledge(portOfCache(view).everything, undefined);
      expect([await cache.has('a'), await view.has('a')]).toEqual([false, false]);
    }
  });
});

describe('inside a transaction of a client', () => {
  test('reads go past the cache, and invalidations join it', async () => {
    const { cache } = aCache();
    const { port } = aClient(cache);
    await cache.set('a', 1, { since: await cache.snapshot('T') });
    const unit = port.createUnit();
    const result = await port.within(unit, async () => {
      expect([port.unit(), port.whyPast()]).toEqual([unit, 'inside a transaction']);
      expect(await cache.get('a')).toBe(undefined);
      await cache.invalidate('T');
      return 'result';
    });
    expect([result, [...unit.tags], port.unit()]).toEqual(['result', ['T'], undefined]);
    expect(await cache.has('a')).toBe(true);
  });

  test('a receipt waits for what becomes of it', async () => {
    const { cache } = aCache();
    const { port } = aClient(cache);
    const unit = port.createUnit();
    const savepoint = port.createUnit();
    const receipt = await port.within(unit, () => port.within(savepoint, () => cache.invalidate('T')));
    let done = false;
    const everywhere = receipt.everywhere.then(() => {
      done = true;
    });
    savepoint.settle(unit.outcome);
    await turns();
    expect([done, savepoint.ended, unit.ended]).toEqual([false, true, false]);
    unit.end();
    unit.settle(await port.acknowledge([...savepoint.tags], undefined));
    await everywhere;
    const failed = port.createUnit();
    const lost = await port.within(failed, () => cache.invalidate('T'));
    failed.settle(new Error('not confirmed'));
    await expect(lost.everywhere).rejects.toThrow('not confirmed');
    const rolledBack = port.createUnit();
    const dropped = await port.within(rolledBack, () => cache.invalidate('T'));
    rolledBack.settle();
    await dropped.everywhere;
  });

  test('what outlives it is outside of it', async () => {
    const { cache } = aCache();
    const { port } = aClient(cache);
    const unit = port.createUnit();
    const gate = deferred<void>();
    const outliving = port.within(unit, async () => {
      await gate.promise;
      return [port.unit(), (await cache.invalidate('T')).tags];
    });
    unit.settle();
    gate.resolve();
    expect(await outliving).toEqual([undefined, ['T']]);
    expect([...unit.tags]).toEqual([]);
  });
});

describe('within', () => {
  test('runs as part of the transaction that a handle stands for', async () => {
    const { cache } = aCache();
    aClient(cache, 'another');
    const { port, units, detach } = aClient(cache);
    const trx = () => {};
    const unit = port.createUnit();
    units.set(trx, unit);
    await cache.within(trx, async () => {
      expect(port.unit()).toBe(unit);
      await cache.invalidate('T');
    });
    expect([...unit.tags]).toEqual(['T']);
    await expect(cache.within({}, async () => 1)).rejects.toThrow(
      /belong to a client wrapped.*got an object.*cache\.transaction/,
    );
    await expect(cache.within(null as never, async () => 1)).rejects.toThrow(TypeError);
    await expect(cache.within(trx, 7 as never)).rejects.toThrow(/`fn` to be a function/);
    unit.settle();
    await expect(cache.within(trx, async () => 1)).rejects.toThrow(/to be running, got one that has ended/);
    detach();
    await expect(cache.within(trx, async () => 1)).rejects.toThrow(/belong to a client wrapped/);
  });
});

describe('rows read through the cache', () => {
  const statement = { key: ['sql', 'select 1', []], name: 'select 1', likely: ['T'] };

  test('are served until a tag of theirs is invalidated, a copy each', async () => {
    const { cache } = aCache();
    const { port, query } = aClient(cache);
    const settings = port.settings({ copy: 'clone', ttl: '1m' });
    const rows = () => port.read({ ...statement, settings, load: () => query({ tags: ['T'] }, () => [{ id: 1 }]) });
    const first = await rows();
    expect(first).toMatchObject({ value: [{ id: 1 }], source: 'load', stored: true });
    (first.value[0] as { id: number }).id = 2;
    expect(await rows()).toMatchObject({ value: [{ id: 1 }], source: 'near' });
    await cache.invalidate('T');
    expect(await rows()).toMatchObject({ source: 'load' });
    expect(await port.read({ ...statement, settings, fresh: true, load: async () => [] })).toMatchObject({
      source: 'load',
    });
  });

  test('end what they are part of', async () => {
    const { cache } = aCache();
    const { port, query } = aClient(cache);
    const settings = port.settings({});
    const rows = () => port.read({ ...statement, settings, load: () => query({ tags: ['T'] }, () => 1) });
    await rows();
    for (const key of ['a', 'b']) {
      await cache.getOrSet({ key, load: async () => (await rows()).value });
      expect(await ends(cache, key, 'T')).toBe(true);
    }
  });

  test('are asked for with the versions that their load will need, in one round trip', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const { port, begin } = aClient(cache);
    await port.read({
      ...statement,
      settings: port.settings({}),
      load: async () => {
        const observation = begin({ tags: ['T'] });
        expect(observation).not.toBeInstanceOf(Promise);
        return 1;
      },
    });
    expect(store.counts.read).toBe(1);
    expect((await cache.explain(['sql', 'select 1', []])).tags.map(({ tag }) => tag)).toContain('T');
  });

  test('do not depend on what they might have depended on', async () => {
    const { cache } = aCache({ store: memoryStore() });
    const { port, query } = aClient(cache);
    const rows = () =>
      port.read({ ...statement, settings: port.settings({}), load: () => query({ tags: ['U'] }, () => 1) });
    await rows();
    await cache.invalidate('T');
    expect(await rows()).toMatchObject({ source: expect.stringMatching(/near|store/) });
  });

  test('have the keys of their view', async () => {
    const { cache } = aCache();
    const acme = cache.tenant('acme');
    const port = portOfCache(acme);
    const rows = (own = port) => own.read({ ...statement, settings: port.settings({}), load: async () => 1 });
    await rows();
    expect((await rows()).source).toBe('near');
    expect((await rows(portOfCache(cache))).source).toBe('load');
    await acme.clear();
    expect((await rows()).source).toBe('load');
  });

  test('are loaded once for all who ask at the same time', async () => {
    const { cache } = aCache();
    const { port, query } = aClient(cache);
    const gate = deferred<number>();
    let loads = 0;
    const load = () => {
      loads++;
      return query({ tags: ['T'] }, () => gate.promise);
    };
    const reads = [1, 2, 3].map(() => port.read({ ...statement, settings: port.settings({ copy: 'clone' }), load }));
    await turns();
    gate.resolve(1);
    expect((await Promise.all(reads)).map(({ value }) => value)).toEqual([1, 1, 1]);
    expect(loads).toBe(1);
  });

  test('go past the cache inside a transaction, and where their values are no key', async () => {
    const { cache } = aCache();
    const { port } = aClient(cache);
    const settings = port.settings({});
    const load = async () => 1;
    const unit = port.createUnit();
    expect(await port.within(unit, () => port.read({ ...statement, settings, load }))).toMatchObject({
      source: 'database',
      reason: 'inside a transaction',
    });
    expect(await port.read({ ...statement, key: ['sql', () => 1], settings, load })).toMatchObject({
      source: 'database',
    });
  });

  test('have settings that are checked', () => {
    const { cache } = aCache({ ttl: '5m' });
    const port = portOfCache(cache);
    expect(port.settings({ swr: '1m' })).toMatchObject({ ttl: 300_000, swr: 60_000, tags: undefined });
    expect(port.settings({ ttl: 7 }, port.settings({ swr: 6 }))).toMatchObject({ ttl: 7, swr: 6 });
    expect(() => port.settings({ ttl: 'soon' })).toThrow(/`ttl` to be a duration/);
    expect(() => port.settings({ tll: 1 })).toThrow(/Unknown option `tll`/);
  });
});

test('an adapter can tell of its own events, and asks the cache for the time', async () => {
  const { cache, clock } = aCache();
  const port = portOfCache(cache);
  const errors = heard(cache, 'error');
  port.emit('error', { error: 'odd' });
  expect(errors).toEqual([{ type: 'error', error: 'odd' }]);
  await clock.advance(7);
  expect(port.now()).toBe(clock.now());
  expect(partsOf(cache).clients.any).toBe(false);
});
