import { describe, expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { signal, turn } from '../support/database.js';
import { aNaiveWorld, aWorld, everywhere, type Subject, type World } from '../support/world.js';

// Whoever changes what he got changes it for himself alone: not for the next hit, not for those who waited with him,
// not for the load's own object, and the load cannot change what is stored either.

auditAfterEach();

type Change = (value: any) => unknown;

const samples: Record<string, { make: () => unknown; change: Change }> = {
  'an object': { make: () => ({ a: 1 }), change: (it) => Object.assign(it, { a: 2, b: 3 }) },
  'an object without prototype': {
    make: () => Object.assign(Object.create(null), { a: 1 }),
    change: (it) => Object.assign(it, { a: 2 }),
  },
  'an array': { make: () => [1, 2, 3], change: (it) => it.push(4) },
  'an array that is sorted': { make: () => [3, 1, 2], change: (it) => it.sort() },
  'a Map': { make: () => new Map([['a', 1]]), change: (it) => it.set('a', 2) },
  'a Map with objects': {
    make: () => new Map([['a', { b: 1 }]]),
    change: (it) => Object.assign(it.get('a'), { b: 2 }),
  },
  'a Set': { make: () => new Set([1]), change: (it) => it.add(2) },
  'a Date': { make: () => new Date(0), change: (it) => it.setTime(1) },
  'a Buffer': { make: () => Buffer.from('abc'), change: (it) => it.write('xyz') },
  'a typed array': { make: () => new Float64Array([1, 2]), change: (it) => it.fill(9) },
  'an ArrayBuffer': { make: () => new Uint8Array([1, 2]).buffer, change: (it) => new Uint8Array(it).fill(9) },
  'a DataView': { make: () => new DataView(new Uint8Array([1, 2]).buffer), change: (it) => it.setUint8(0, 9) },
  'the lastIndex of a RegExp': { make: () => /a/g, change: (it) => it.test('aaa') },
  'an Error': {
    make: () => new TypeError('no', { cause: { code: 1 } }),
    change: (it) => Object.assign(it, { message: 'yes', code: 7 }),
  },
  "an Error's cause": {
    make: () => new Error('no', { cause: { code: 1 } }),
    change: (it) => Object.assign(it.cause, { code: 2 }),
  },
  'a part deep inside': {
    make: () => ({ list: [{ at: new Date(0), tags: new Set(['x']), name: 'n' }], plain: { deep: [1] } }),
    change: (it) => {
      it.list[0].at.setTime(5);
      it.list[0].tags.add('y');
    },
  },
  'a plain part beside a Date': {
    make: () => ({ at: new Date(0), plain: { deep: [1] } }),
    change: (it) => it.plain.deep.push(2),
  },
  'a Map in a Map in a list': {
    make: () => [new Map([['a', new Map([['b', [1]]])]])],
    change: (it) => it[0].get('a').get('b').push(2),
  },
};

/** Frozen values refuse loudly, which protects as well. */
function attempt(change: Change, value: unknown): void {
  try {
    change(value);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
  }
}

async function leaks({ here, there }: World, { make, change }: { make: () => unknown; change: Change }, set = false) {
  const own: unknown[] = [];
  const go = signal();
  const load = async () => {
    await go.fired;
    own.push(make());
    return own[0];
  };
  const read = (who: Subject) => who.getOrSet({ key: 'it', load });
  if (set) {
    own.push(make());
    await here.set('it', own[0]);
    attempt(change, own[0]);
  } else {
    const waiting = [read(here), read(here), read(here)];
    await turn();
    go.fire();
    const [first, second, third] = await Promise.all(waiting);
    attempt(change, first);
    expect(second, 'another waiter of the same flight').toEqual(make());
    if (typeof first === 'object') expect(own[0], "the load's own object, changed by a reader").toEqual(make());
    change(own[0]);
    expect(third, 'a waiter, after the load changed its own object').toEqual(make());
  }
  await turn();
  for (const who of [here, here, there, there]) {
    const hit = await read(who);
    expect(hit, 'a hit').toEqual(make());
    if (hit instanceof RegExp) expect(hit.lastIndex).toBe(0);
    attempt(change, hit);
  }
}

describe('what one reader changes, no other sees:', () => {
  describe.each(Object.entries(samples))('%s', (_, sample) => {
    test.each(everywhere)('between hits, waiters and the load, %s', (place) => leaks(aWorld(place), sample));
    test.each(everywhere)('between hits, waiters and the load, when everybody gets a clone, %s', (place) =>
      leaks(aWorld(place, { copy: 'clone' }), sample),
    );
    test.each(everywhere)('after it was set, %s', (place) => leaks(aWorld(place), sample, true));
  });

  test('leaks from caches that hold what they got, or hand out what they hold', async () => {
    const { make, change } = samples['an object'] as (typeof samples)[string];
    for (const flaw of ['hands out what it holds', 'holds what the load returned'] as const)
      await expect(leaks(aNaiveWorld(flaw), { make, change })).rejects.toThrow(/toEqual|to deeply equal/);
    await leaks(aNaiveWorld(), { make, change });
  });
});

test.each(everywhere)('an error that one waiter changes is the one that all get, %s', async (place) => {
  // A failure is not a value: it reaches everybody unchanged, so it is the same object.
  const { here } = aWorld(place);
  const down = new Error('down');
  const load = () => Promise.reject(down);
  const both = await Promise.allSettled([here.getOrSet({ key: 'it', load }), here.getOrSet({ key: 'it', load })]);
  for (const one of both) expect((one as PromiseRejectedResult).reason).toBe(down);
});

describe('a part of a value', () => {
  test('that many read together belongs to each alone', async () => {
    const clock = fakeClock();
    const cache = watch(createCache({ clock }), clock);
    const read = () =>
      cache.getOrSetMany({
        inputs: [1, 1, 2],
        key: (i) => ['it', i],
        load: async (missing) => missing.map((i) => ({ i, at: new Date(i) })),
      });
    for (let round = 0; round < 3; round++) {
      const [one, again, two] = await read();
      one?.at.setTime(99);
      expect(again).toEqual({ i: 1, at: new Date(1) });
      expect(two).toEqual({ i: 2, at: new Date(2) });
    }
  });

  test('that an inner load handed to an outer one cannot be changed through it', async () => {
    const cache = watch(createCache());
    const inner = () => cache.getOrSet({ key: 'inner', load: async () => ({ at: new Date(0), list: [1] }) });
    const outer = () => cache.getOrSet({ key: 'outer', load: async () => ({ wrapped: await inner() }) });
    for (let round = 0; round < 2; round++) {
      (await outer()).wrapped.at.setTime(5);
      (await inner()).at.setTime(6);
      expect(await outer()).toEqual({ wrapped: { at: new Date(0), list: [1] } });
      expect(await inner()).toEqual({ at: new Date(0), list: [1] });
    }
  });
});
