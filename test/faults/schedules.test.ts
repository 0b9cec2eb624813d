import { describe, expect, inject, test } from 'vitest';
import { readWays } from './history/unstale.js';
import { explore, type Found } from './schedules/explore.js';
import { everyOrder } from './schedules/orders.js';
import type { Held } from './schedules/wire.js';

// One schedule after the other on a real Redis and a real PostgreSQL, whose answers come in the order that was chosen. A
// thousand random orders of three readers and two writers: npx tsx test/faults/schedules/run.ts --readers 3 --writers 2 --random 1000.
// Here what was sent at once is answered at once; the thousands of orders in which each answer comes by itself: --one-by-one.
// Writes in transactions by every way of reading: --way 'two queries' --writes transaction.
// What these said last stands in schedules/results.md.

const { postgres } = inject('services');
const seed = Number(process.env.UNSTALE_SEED ?? 1 + (Date.now() % 100_000));

/** All orders there are, no stale read in any, and not for want of hits. */
function expectFresh({ orders, open, hits, violations }: Found): void {
  expect(violations).toEqual([]);
  expect(open).toBe(0);
  expect(orders).toBeGreaterThan(50);
  expect(hits).toBeGreaterThan(0);
}

describe.skipIf(postgres === undefined)(
  'answers in an order of our choice (skipped where there is no PostgreSQL)',
  () => {
    const url = postgres?.url as string;
    const one = { readers: 1, writers: 1, postgres: url, orders: { all: true, most: 3000 } } as const;

    test.each(readWays)(
      'every order of one reader by %s and one writer: no acknowledged write is missing',
      {
        timeout: 240_000,
      },
      async (way) => {
        expectFresh(await explore({ ...one, subject: 'unstale', way }));
      },
    );

    test.each(readWays)('the same by %s where loads take leases', { timeout: 240_000 }, async (way) => {
      expectFresh(await explore({ ...one, subject: 'unstale', way, takes: 10 }));
    });

    test('there are no other orders the second time', { timeout: 240_000 }, async () => {
      const twice = { ...one, subject: 'unstale', way: 'read-through', takes: 10 } as const;
      expect(await explore(twice)).toEqual(await explore(twice));
    });

    test.each(['one query', 'read-through'] as const)(
      'every order by %s where the write is a transaction',
      {
        timeout: 240_000,
      },
      async (way) => {
        expectFresh(await explore({ ...one, subject: 'unstale', way, writes: 'transaction' }));
      },
    );

    test('60 random orders of three readers, whose reads may join, and two writers', { timeout: 240_000 }, async () => {
      const many = { readers: 3, writers: 2, reads: 'at once', postgres: url, orders: { random: 60, seed } } as const;
      const { violations, hits } = await explore({ ...many, subject: 'unstale', takes: 10 });
      expect(violations, `seed ${seed}`).toEqual([]);
      expect(hits).toBeGreaterThan(0);
    });

    test('a cache that deletes on write is found out in 4 of its 64 orders', { timeout: 240_000 }, async () => {
      const { orders, open, violations } = await explore({ ...one, subject: 'deletes on write' });
      expect({ orders, open, violations: violations.length }).toEqual({ orders: 64, open: 0, violations: 4 });
    });

    test('of two queries the version before the first has to count: 22 of 602 orders tell', {
      timeout: 240_000,
    }, async () => {
      const { orders, open, violations } = await explore({ ...one, subject: 'lets the last version win' });
      expect({ orders, open, violations: violations.length }).toEqual({ orders: 602, open: 0, violations: 22 });
    });

    test('who always asks the database is never wrong, and has no hit', { timeout: 240_000 }, async () => {
      const { violations, hits } = await explore({ ...one, subject: 'never caches' });
      expect({ violations, hits }).toEqual({ violations: [], hits: 0 });
    });

    test('who acknowledges no write does not get away with it', { timeout: 240_000 }, async () => {
      await expect(explore({ ...one, subject: 'never acknowledges' })).rejects.toThrow(
        'Expected the write to be acknowledged, got unknown',
      );
    });
  },
);

describe('every order', () => {
  /** Of steps that each are next in a lane of their own. */
  const heldOf = (lanes: readonly (readonly string[])[]) =>
    lanes.flatMap(([name]) => (name === undefined ? [] : [{ name, asked: 0, pass() {} } satisfies Held]));

  test('is each interleaving once, and no branch is open then', () => {
    const every = everyOrder();
    const gone: string[] = [];
    do {
      const lanes = [['a', 'b', 'c'], ['x', 'y'], ['1']];
      const order: string[] = [];
      for (let held = heldOf(lanes); held.length > 0; held = heldOf(lanes)) {
        const { name } = held[every.choose(held, order.length)] as Held;
        order.push(name);
        lanes.find(([next]) => next === name)?.shift();
        expect(every.open).toBeGreaterThan(0);
      }
      gone.push(order.join(''));
    } while (every.next(6));
    expect(every.open).toBe(0);
    expect(new Set(gone).size).toBe(60); // 6! / (3! 2! 1!)
    expect(gone).toHaveLength(60);
  });

  test('breaks off when a step has other branches than before', () => {
    const every = everyOrder();
    every.choose(heldOf([['a'], ['x']]), 0);
    every.next(1);
    expect(() => every.choose(heldOf([['a'], ['x'], ['heartbeat']]), 0)).toThrow(
      'Expected step 0 to be [a,x] again, got [a,x,heartbeat]',
    );
  });

  test('breaks off when a run ends before it has come to its branch', () => {
    const every = everyOrder();
    every.choose(heldOf([['a']]), 0);
    every.choose(heldOf([['b'], ['x']]), 1);
    every.next(2);
    every.choose(heldOf([['a']]), 0);
    expect(() => every.next(1)).toThrow('Expected step 1 to be [b,x] again, got an end');
  });
});
