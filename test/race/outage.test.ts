import { describe, expect, test } from 'vitest';
import { createCache, InvalidationPendingError, type Store } from '../../src/index.js';
import { type FaultyStore, fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, partsOf, watch } from '../support/audit.js';
import { contains, Database, StaleRead, signal, turn } from '../support/database.js';
import type { Flaw } from '../support/naive.js';
import { aNaiveWorld, everywhere, places, shared } from '../support/world.js';

// The store is down, hangs, or answers late. Whoever invalidates is told the truth, and what could not be delivered is
// delivered later; meanwhile reads come from the database, and this process serves nothing that should have ended.

auditAfterEach();

function aWorldWithFaults(place: (typeof shared)[number], options = {}) {
  const clock = fakeClock();
  const server = memoryStore();
  const way = places[place] as (store: Store) => Store;
  const wire = faultyStore(server, { timeout: 100 });
  const open = (store: FaultyStore) => watch(createCache({ clock, jitter: 0, store: way(store), ...options }), clock);
  const here = open(wire);
  const there = open(faultyStore(server));
  const db = new Database();
  const read = (who: typeof here, soft = {}) =>
    who.read({ key: 'row', tags: ['rows'], ...soft, load: async () => db.read('row') });
  /** Starts something, lets `ms` pass, and tells what became of it. */
  const within = async <T>(ms: number, call: Promise<T>) => {
    let outcome: unknown = 'still waiting';
    call.then(
      (value) => {
        outcome = value;
      },
      (error) => {
        outcome = error;
      },
    );
    await clock.advance(ms);
    return outcome as T | Error | 'still waiting';
  };
  return { clock, here, there, wire, db, read, within };
}

/** How the store is out of reach, and how that ends. */
const outages = {
  'is down': (wire: FaultyStore) => {
    wire.down();
    return () => wire.up();
  },
  hangs: (wire: FaultyStore) => {
    const held = (['raise', 'read', 'write', 'lease'] as const).map((what) => wire.hold(what));
    return () => {
      for (const one of held) one.release();
    };
  },
  'carries out, and never answers,': (wire: FaultyStore) => {
    const held = (['raise', 'read', 'write', 'lease'] as const).map((what) => wire.hold(what, 'reply'));
    return () => {
      for (const one of held) one.release();
    };
  },
} as const;

describe.each(Object.entries(outages))('while the store %s', (name, begin) => {
  const ways = {
    invalidate: (it: ReturnType<typeof createCache>) => it.invalidate('rows'),
    delete: (it: ReturnType<typeof createCache>) => it.delete('row'),
    clear: (it: ReturnType<typeof createCache>) => it.clear(),
    set: (it: ReturnType<typeof createCache>) => it.set('row', 1),
  };
  for (const [what, way] of Object.entries(ways))
    test.each(shared)(
      `${what} rejects within ackTimeout, is delivered later, and nothing is served meanwhile, %s`,
      async (place) => {
        const { clock, here, there, wire, db, read, within } = aWorldWithFaults(place);
        await read(here);
        await turn();
        await read(there);
        const end = begin(wire);
        const newest = db.commit('row');
        const refused = await within(1000, way(here) as Promise<unknown>);
        expect(refused).toBeInstanceOf(InvalidationPendingError);
        expect((refused as InvalidationPendingError).tags.length).toBeGreaterThan(0);
        expect(
          await within(
            0,
            here.settled({ timeout: 10 }).catch((error) => error),
          ),
        ).toBe('still waiting');
        for (const soft of [{}, { swr: '1h' }, { staleOnError: '1h' }]) {
          const seen = await within(500, read(here, soft));
          expect(seen).toMatchObject({ value: newest, source: 'load' });
        }
        if (name === 'is down') expect((await read(there)).value).toBe(0);
        end();
        const settled = await within(
          3000,
          here.settled().then(() => 'settled'),
        );
        expect(settled).toBe('settled');
        for (const who of [there, here, there]) contains(newest, (await read(who)).value);
        expect(partsOf(here).invalidations.pending).toEqual([]);
        await clock.advance(2000);
      },
    );

  test.each(shared)('reads succeed, from the load, and nobody waits for ever, %s', async (place) => {
    const { clock, here, wire, db, read, within } = aWorldWithFaults(place);
    const end = begin(wire);
    for (let i = 0; i < 5; i++) {
      const newest = db.commit('row');
      expect(await within(300, read(here))).toMatchObject({ value: newest, stored: false });
    }
    expect(await within(300, here.get('row'))).toBeUndefined();
    end();
    await clock.advance(1000);
  });

  test.each(shared)('a transaction that has committed does not fail: it says so by an event, %s', async (place) => {
    const { clock, here, there, wire, db, read, within } = aWorldWithFaults(place);
    await read(here);
    await turn();
    const told: unknown[] = [];
    here.on('unacknowledged', ({ tags }) => told.push(...tags));
    const end = begin(wire);
    const committed = here.transaction(async () => {
      await here.invalidate('rows');
      return db.commit('row');
    });
    expect(await within(1000, committed)).toBe(1);
    expect(told).toEqual(['rows']);
    expect(await within(300, read(here))).toMatchObject({ value: 1 });
    end();
    await clock.advance(3000);
    await here.settled();
    contains(1, (await read(there)).value);
  });
});

describe('an invalidation that is refused', () => {
  test.each(shared)('a second time while the first is being delivered is not lost, %s', async (place) => {
    const { clock, here, there, wire, db, read, within } = aWorldWithFaults(place);
    await read(there);
    wire.down();
    db.commit('row');
    expect(await within(10, here.invalidate('rows'))).toBeInstanceOf(InvalidationPendingError);
    const delivery = wire.hold('raise', 'reply');
    wire.up();
    await delivery.arrived();
    // The first is in the store, and nobody knows yet. A second write fails to reach it.
    const fail = wire.fail('raise');
    const newest = db.commit('row');
    // What the other process loads in between holds the first write only.
    await there.getOrSet({ key: 'row', tags: ['rows'], load: async () => newest - 1 });
    await turn();
    expect(await within(10, here.invalidate('rows'))).toBeInstanceOf(InvalidationPendingError);
    delivery.release();
    await turn();
    expect(partsOf(here).invalidations.pending).toEqual(['rows']);
    expect((await within(10, read(here))) as unknown).toMatchObject({ value: newest });
    fail();
    await clock.advance(1000);
    await here.settled();
    contains(newest, (await read(there)).value);
  });

  test('a second time is lost by a cache that takes a delivery for every refusal of its tag', async () => {
    const scenario = async (...flaws: Flaw[]) => {
      const { here, there, db, server } = aNaiveWorld(...flaws);
      const read = (who = there) => who.getOrSet({ key: 'row', tags: ['rows'], load: async () => db.read('row') });
      await read();
      server.up = false;
      db.commit('row');
      await here.invalidate('rows').catch(() => {});
      server.up = true;
      const go = signal();
      server.gate = go.fired;
      const cache = here as unknown as { deliver(): Promise<void> };
      const delivering = cache.deliver();
      server.up = false;
      const newest = db.commit('row');
      await here.invalidate('rows').catch(() => {});
      server.up = true;
      server.gate = Promise.resolve();
      go.fire();
      await there.getOrSet({ key: 'row', tags: ['rows'], load: async () => newest - 1 });
      await delivering;
      await there.getOrSet({ key: 'row', tags: ['rows'], load: async () => newest - 1 });
      await cache.deliver();
      contains(newest, await read());
    };
    await expect(scenario('takes a delivery for every refusal of its tag')).rejects.toThrow(StaleRead);
    await scenario();
  });

  test('is got wrong by caches that acknowledge, forget or go on serving', async () => {
    const scenario = async (...flaws: Flaw[]) => {
      const { here, there, db, server } = aNaiveWorld(...flaws);
      const read = (who: typeof here) => who.getOrSet({ key: 'row', tags: ['rows'], load: async () => db.read('row') });
      await read(here);
      server.up = false;
      const newest = db.commit('row');
      const acknowledged = await here.invalidate('rows').then(
        () => true,
        () => false,
      );
      server.up = true;
      if (acknowledged) contains(newest, await read(there), 'another process, after an acknowledgement');
      contains(newest, await read(here), 'the process that wrote');
      await (here as unknown as { deliver(): Promise<void> }).deliver();
      contains(newest, await read(there), 'another process, after the delivery');
    };
    for (const flaw of [
      'acknowledges without the store',
      'forgets what it could not deliver',
      'serves what an undelivered tag should have ended',
    ] as const)
      await expect(scenario(flaw), flaw).rejects.toThrow(StaleRead);
    await scenario();
  });

  test.each(shared)('many times, for many tags, ends everything instead, %s', async (place) => {
    const { clock, here, there, wire, db, read, within } = aWorldWithFaults(place);
    await read(here);
    await turn();
    await read(there);
    wire.down();
    const newest = db.commit('row');
    await within(10, here.invalidate('rows'));
    for (let i = 0; i < 11; i++)
      await within(10, here.invalidate(...Array.from({ length: 1000 }, (_, j) => `other:${i}:${j}`)));
    expect(partsOf(here).invalidations.pending.length).toBeLessThan(2000);
    expect((await within(10, read(here))) as unknown).toMatchObject({ value: newest });
    wire.up();
    await clock.advance(1000);
    await here.settled();
    for (const who of [there, here]) contains(newest, (await read(who)).value);
  });

  test.each(shared)('takes a delete not longer than ackTimeout, although it goes in two steps, %s', async (place) => {
    const { clock, here, wire, within } = aWorldWithFaults(place);
    wire.delay(900);
    expect(await within(1000, here.delete('row'))).toBeInstanceOf(InvalidationPendingError);
    wire.delay(0);
    await clock.advance(3000);
    await here.settled();
  });
});

describe('settled and close', () => {
  test.each(shared)('name what is on its way as well as what was refused, %s', async (place) => {
    const { clock, here, wire, within } = aWorldWithFaults(place);
    wire.down();
    await within(10, here.invalidate('refused'));
    wire.up();
    await turn();
    const held = wire.hold('raise');
    const waiting = here.invalidate('waiting');
    const error = await within(20, here.settled({ timeout: 10 }));
    expect(error).toBeInstanceOf(InvalidationPendingError);
    expect((error as InvalidationPendingError).tags).toContain('waiting');
    held.release();
    await waiting;
    await clock.advance(1000);
    await here.settled({ timeout: 0 });
  });

  test.each(everywhere)('resolve at once when there is nothing to deliver, %s', async (place) => {
    const clock = fakeClock();
    const way = places[place];
    const cache = createCache({ clock, ...(way && { store: way(memoryStore()) }) });
    await cache.invalidate('rows');
    await cache.settled({ timeout: 0 });
    await cache.close({ timeout: 0 });
    expect(clock.pending).toBe(0);
  });

  test.each(shared)(
    'close rejects with what it could not deliver, in time, and has closed all the same, %s',
    async (place) => {
      const clock = fakeClock();
      const wire = faultyStore(memoryStore());
      const way = places[place] as (store: Store) => Store;
      const cache = createCache({ clock, store: way(wire) });
      wire.down();
      await expect(cache.invalidate('rows')).rejects.toThrow(InvalidationPendingError);
      const closing = cache.close({ timeout: 2000 }).then(
        () => 'closed',
        (error) => error,
      );
      await clock.advance(2000);
      expect(await closing).toMatchObject({ code: 'INVALIDATION_PENDING', tags: ['rows'] });
      await expect(cache.getOrSet({ key: 'row', load: async () => 1 })).rejects.toMatchObject({ code: 'CLOSED' });
      expect(clock.pending).toBe(0);
    },
  );

  test.each(shared)('close waits for the delivery, %s', async (place) => {
    const { clock, here, there, wire, db, read } = aWorldWithFaults(place);
    await read(there);
    wire.down();
    const newest = db.commit('row');
    await here.invalidate('rows').catch(() => {});
    const closing = here.close();
    await clock.advance(1500);
    wire.up();
    await clock.advance(1000);
    await closing;
    contains(newest, (await read(there)).value);
  });

  test.each(everywhere)(
    'a load that outlives its cache is told so, stores nothing and holds nothing, %s',
    async (place) => {
      const clock = fakeClock();
      const way = places[place];
      const cache = createCache({ clock, ...(way && { store: way(memoryStore()) }) });
      const go = signal();
      let aborted: AbortSignal | undefined;
      const reading = cache.getOrSet({
        key: 'row',
        load: async ({ signal }) => {
          aborted = signal;
          await go.fired;
          return 1;
        },
      });
      const outcome = reading.catch((error) => error);
      await turn();
      await cache.close();
      expect(aborted?.aborted).toBe(true);
      go.fire();
      expect(await outcome).toMatchObject({ code: 'CLOSED' });
      await turn();
      expect(partsOf(cache).near.size).toBe(0);
      expect(partsOf(cache).flights.size).toBe(0);
      expect(clock.pending).toBe(0);
    },
  );
});
