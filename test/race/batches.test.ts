import DataLoader from 'dataloader';
import { describe, expect, test } from 'vitest';
import { type CacheOptions, createCache } from '../../src/index.js';
import { fakeClock, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, watch } from '../support/audit.js';
import { contains, Database, StaleRead, signal, turn } from '../support/database.js';
import { everywhere, type Place, places } from '../support/world.js';

// A load for many rows, and a write of one of them at every moment of it. The negative control is what people build:
// a DataLoader in front of a cache that its rows are put into, and deleted from.

auditAfterEach();

interface Rows {
  load(row: string): Promise<number>;
  invalidate(row: string): Promise<unknown>;
}

interface World {
  readonly db: Database;
  readonly here: Rows;
  readonly there: Rows;
}

type Query = (rows: readonly string[]) => Promise<number[]>;

function ours(place: Place, db: Database, query: Query, options: CacheOptions = {}): World {
  const clock = fakeClock();
  const store = memoryStore({ maxVersions: 1000, maxEntries: 100 });
  const way = places[place];
  const open = (): Rows => {
    const cache = watch(createCache({ jitter: 0, clock, ...options, ...(way && { store: way(store) }) }), clock);
    const batch = cache.batch({ name: 'rows', load: query, tags: (row) => [`row:${row}`], ttl: '1h' });
    return { load: (row) => batch.load(row), invalidate: (row) => cache.invalidate(`row:${row}`) };
  };
  const here = open();
  return { db, here, there: way === undefined ? here : open() };
}

function naive(db: Database, query: Query): World {
  const stored = new Map<string, number>();
  const open = (): Rows => {
    const loader = new DataLoader<string, number>(
      async (rows) => {
        const missing = rows.filter((row) => !stored.has(row));
        const values = missing.length > 0 ? await query(missing) : [];
        missing.forEach((row, i) => void stored.set(row, values[i] as number));
        return rows.map((row) => stored.get(row) as number);
      },
      { cache: false },
    );
    return { load: (row) => loader.load(row), invalidate: async (row) => void stored.delete(row) };
  };
  return { db, here: open(), there: open() };
}

const moments = ['before the rows', 'after the rows', 'after the load'] as const;
type Moment = (typeof moments)[number];

async function writeDuring(
  make: (db: Database, query: Query) => World,
  { write, from, joins = false }: { write: Moment; from: 'here' | 'there'; joins?: boolean },
) {
  const reached = signal();
  const go = signal();
  let armed = true;
  const db = new Database();
  const pause = async (moment: Moment) => {
    if (!armed || moment !== write) return;
    armed = false;
    reached.fire();
    await go.fired;
  };
  const world = make(db, async (rows) => {
    await pause('before the rows');
    const values = rows.map((row) => db.read(row));
    await pause('after the rows');
    return values;
  });
  const { here } = world;
  const rows = ['a', 'b', 'c'];
  for (const row of rows) db.commit(row);
  const reading = Promise.all(rows.map((row) => here.load(row)));
  if (write === 'after the load') await reading;
  else await reached.fired;
  const newest = db.commit('b');
  await world[from].invalidate('b');
  // Whoever asks from here on must see the write, although the load of that row has begun before it.
  const joined = joins ? Promise.all(rows.map((row) => here.load(row))) : undefined;
  await turn();
  go.fire();
  await reading;
  contains(newest, (await joined)?.[1] ?? newest, 'who joined');
  await turn();
  for (const who of [here, world.there]) {
    const [a, b, c] = await Promise.all(rows.map((row) => who.load(row)));
    contains(newest, b);
    expect([a, c]).toEqual([1, 1]);
  }
}

describe('a write of one row during a load of many', () => {
  for (const write of moments)
    for (const from of ['here', 'there'] as const)
      for (const joins of [false, true])
        test.each(everywhere)(
          `is seen by all that ask afterwards: ${write}, from ${from}${joins ? ', by those who join' : ''}, %s`,
          (place) => writeDuring((db, query) => ours(place, db, query), { write, from, joins }),
        );

  test('is missed by a DataLoader in front of a cache', async () => {
    await expect(writeDuring(naive, { write: 'after the rows', from: 'there' })).rejects.toThrow(StaleRead);
    for (const write of ['before the rows', 'after the load'] as const)
      await writeDuring(naive, { write, from: 'there' });
  });
});

test('those whose row was ended while they waited load it together, and once', async () => {
  const db = new Database();
  const asked: (readonly string[])[] = [];
  const reached = signal();
  const go = signal();
  const world = ours('in memory', db, async (rows) => {
    asked.push(rows);
    const values = rows.map((row) => db.read(row));
    if (asked.length > 1) return values;
    reached.fire();
    await go.fired;
    return values;
  });
  const rows = Array.from({ length: 50 }, (_, i) => `${i}`);
  const reading = Promise.all(rows.map((row) => world.here.load(row)));
  await reached.fired;
  const newest = rows.map((row) => db.commit(row));
  await Promise.all(rows.map((row) => world.here.invalidate(row)));
  const later = [rows, rows].map((all) => Promise.all(all.map((row) => world.here.load(row))));
  await turn();
  go.fire();
  await reading;
  for (const values of await Promise.all(later)) values.forEach((value, i) => void contains(newest[i], value));
  expect(asked).toEqual([rows, rows]);
});
