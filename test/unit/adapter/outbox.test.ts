import { afterEach, describe, expect, test } from 'vitest';
import type { Driver } from '../../../src/adapter/driver.js';
import { guardsOf } from '../../../src/adapter/guards.js';
import { notConnected } from '../../../src/core/not-connected.js';
import { resolveCacheOptions } from '../../../src/core/resolve-cache.js';
import { outboxSql } from '../../../src/index.js';
import { type FakeClock, type FaultyStore, faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, heard, now, turns } from '../core/a-cache.js';
import { warningsOf } from '../core/warnings.js';

/** A database that has nothing but an outbox, and says what it was asked. */
function anOutbox() {
  const asked: string[] = [];
  const rows = new Map<string, readonly string[]>();
  const world = { asked, rows, fail: undefined as Error | undefined, lent: 0, borrowed: 0 };
  const ask = async (sql: string) => {
    asked.push(sql);
    if (world.fail !== undefined) throw world.fail;
    if (sql.startsWith('delete')) for (const [, id] of sql.matchAll(/'(\w+)'/g)) rows.delete(id as string);
    return sql.startsWith('select') ? [...rows].map(([id, tags]) => ({ id, tags: JSON.stringify(tags) })) : [];
  };
  const driver: Driver<unknown> = {
    ask: (_, sql) => ask(sql),
    rowsOf: () => undefined,
    async borrow(fn) {
      world.lent++;
      try {
        return await fn(ask);
      } finally {
        world.borrowed++;
      }
    },
  };
  return { ...world, world, ask, driver };
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function aGuard({
  interval = 1000,
  clock,
  borrows = true,
}: {
  interval?: number;
  clock?: FakeClock;
  borrows?: boolean;
} = {}) {
  const store: FaultyStore = faultyStore(memoryStore());
  const made = aCache({ store, crashSafe: { outbox: { interval } }, ackTimeout: 100, ...(clock && { clock }) });
  const outbox = anOutbox();
  const errors = heard(made.cache, 'error');
  const raised = heard(made.cache, 'invalidate');
  const port = (made.cache as any)[Symbol.for('unstale.port')];
  const open = (driver: Driver<unknown> = outbox.driver) => {
    const { borrow: _, ...alone } = driver;
    const failed = (error: unknown) => port.emit('error', { error });
    const of = {
      port,
      driver: borrows ? driver : alone,
      dialect: { name: 'postgres' as const },
      database: 'app',
      tableOf: (name: string) => name,
      failed,
    };
    const [guard] = guardsOf(of);
    guard!.open?.();
    ends.push(() => guard!.close?.());
    return guard!;
  };
  return { ...made, ...outbox, store, errors, raised, open, sent: () => outbox.asked.map((sql) => sql.split(' ')[0]) };
}

describe('an outbox', () => {
  test('gets what a transaction has changed as digits, in one statement', async () => {
    const { open, ask, asked } = aGuard();
    await open().before(ask, ['table:app.users#7', "it's"]);
    const [insert = ''] = asked;
    const [, digits = ''] = /decode\('(\w+)'/.exec(insert) ?? [];
    expect(insert).toMatch(/^insert into unstale_outbox \(id, cache, at, tags\) values \('\w{32}', 'unstale', /);
    expect(JSON.parse(Buffer.from(digits, 'hex').toString())).toEqual(['table:app.users#7', "it's"]);
    expect(asked).toHaveLength(1);
  });

  test('loses its own rows a quarter of the interval after they are acknowledged, all at once', async () => {
    const { open, ask, clock, sent, asked } = aGuard();
    const guard = open();
    for (let i = 0; i < 3; i++) (await guard.before(ask, ['a'])).ended?.('committed', true);
    asked.length = 0;
    await clock.advance(249);
    expect(asked).toEqual([]);
    await clock.advance(1);
    expect(sent()).toEqual(['delete']);
    expect(asked[0]?.match(/\w{32}/g)).toHaveLength(3);
    await clock.advance(249);
    expect(sent()).toEqual(['delete']);
  });

  test('keeps the rows of what was not acknowledged, or may not have been committed, and forgets what was rolled back', async () => {
    const { open, ask, clock, sent, asked } = aGuard();
    const guard = open();
    (await guard.before(ask, ['a'])).ended?.('committed', false);
    (await guard.before(ask, ['a'])).ended?.('unknown', true);
    (await guard.before(ask, ['a'])).ended?.('rolled back', false);
    asked.length = 0;
    await clock.advance(250);
    expect(sent()).toEqual([]);
  });

  test('is looked into twice in an interval, and what is in it is raised before it is removed', async () => {
    const { open, clock, rows, sent, asked, raised, store } = aGuard();
    open();
    await clock.advance(500);
    rows.set('1', ['a', 'b']);
    rows.set('2', ['b', 'c']);
    asked.length = 0;
    const raising = store.hold('raise');
    const later = clock.advance(500);
    await raising.arrived();
    expect(sent()).toEqual(['select', 'begin', 'select']);
    raising.release();
    await later;
    await turns();
    expect(sent()).toEqual(['select', 'begin', 'select', 'delete', 'commit']);
    expect(raised.map(({ tags }) => tags)).toEqual([['a', 'b', 'c']]);
    expect(rows.size).toBe(0);
  });

  test('keeps what could not be raised, tries less and less often, and is told of by the cache alone', async () => {
    const { open, clock, rows, sent, asked, errors, cache, store } = aGuard();
    const told = heard(cache, 'unacknowledged');
    open();
    rows.set('1', ['a']);
    store.down();
    await clock.advance(500);
    await turns();
    expect(sent()).toEqual(['select', 'begin', 'select', 'rollback']);
    asked.length = 0;
    await clock.advance(60_000);
    const tries = asked.filter((sql) => sql === 'rollback').length;
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(15);
    expect(told.length).toBe(tries + 1);
    expect(errors).toEqual([]);
    expect(rows.size).toBe(1);
    store.up();
    await clock.advance(16_000);
    await turns();
    expect(rows.size).toBe(0);
    // As often as at first.
    asked.length = 0;
    await clock.advance(1000);
    expect(sent()).toEqual(['select', 'select']);
  });

  test('that cannot be asked is told of once for each cause', async () => {
    const { open, clock, errors, world } = aGuard();
    open();
    world.fail = new Error('the server is gone');
    await clock.advance(20_000);
    world.fail = new Error('relation "unstale_outbox" does not exist');
    await clock.advance(20_000);
    world.fail = undefined;
    await clock.advance(20_000);
    world.fail = new Error('the server is gone');
    await clock.advance(20_000);
    const told = errors.map(({ error }) => (error as { code?: string }).code ?? (error as Error).message);
    expect(told).toEqual(['the server is gone', 'OUTBOX_UNAVAILABLE', 'the server is gone']);
  });

  test('of a client that is not connected yet is left alone', async () => {
    const { open, clock, errors, asked, driver } = aGuard();
    let isConnected = false;
    const borrow: typeof driver.borrow = (fn) => (isConnected ? driver.borrow!(fn) : Promise.reject(notConnected));
    open({ ...driver, borrow });
    await clock.advance(20_000);
    isConnected = true;
    await clock.advance(1000);
    expect(asked).toHaveLength(2);
    expect(errors).toEqual([]);
  });

  test('of each client has a relay of its own, since names may mean another table there', async () => {
    const { open, ask, clock, sent, asked } = aGuard();
    const [one, other] = [open(), open()];
    await clock.advance(500);
    expect(sent()).toEqual(['select', 'select']);
    one.close?.();
    await clock.advance(500);
    expect(sent()).toEqual(['select', 'select', 'select']);
    (await other.before(ask, ['a'])).ended?.('committed', true);
    asked.length = 0;
    other.close?.();
    await turns();
    expect(sent()).toEqual(['delete']);
    await clock.advance(5000);
    expect(sent()).toEqual(['delete']);
    other.open?.();
    await clock.advance(500);
    expect(sent()).toEqual(['delete', 'select']);
  });

  test('is looked into no more often after its client has left and come back during a look', async () => {
    const { open, clock, asked, driver } = aGuard();
    const gates: (() => void)[] = [];
    let isHeld = true;
    const guard = open({
      ...driver,
      borrow: async (fn) => {
        if (isHeld) await new Promise<void>((resolve) => gates.push(resolve));
        return driver.borrow!(fn);
      },
    });
    await clock.advance(500);
    guard.close?.();
    guard.open?.();
    isHeld = false;
    for (const open of gates) open();
    await turns();
    asked.length = 0;
    await clock.advance(5000);
    expect(asked).toHaveLength(10);
  });

  test('loses what is acknowledged when the cache is closed, which waits for that as long as it was told to', async () => {
    const { open, ask, clock, sent, asked, cache, driver } = aGuard();
    const guard = open();
    (await guard.before(ask, ['a'])).ended?.('committed', true);
    asked.length = 0;
    await cache.close();
    expect(sent()).toEqual(['delete']);
    expect(clock.pending).toBe(0);

    const slow = aGuard({ clock });
    const later = slow.open({ ...driver, borrow: () => new Promise(() => {}) });
    (await later.before(ask, ['a'])).ended?.('committed', true);
    const closing = slow.cache.close({ timeout: 300 });
    await clock.advance(299);
    expect(await now(closing)).toBe('waits');
    await clock.advance(1);
    await closing;
    expect(clock.pending).toBe(0);
  });

  test('that is missing says what to do; another error of the database is the caller’s as it is', async () => {
    const { open, world, ask } = aGuard();
    const guard = open();
    const cause = Object.assign(new Error('relation "unstale_outbox" does not exist'), { code: '42P01' });
    for (const error of [cause, new Error('failed', { cause }), Object.assign(new Error(), { driverError: cause })]) {
      world.fail = error;
      const refusal = await guard.before(ask, ['a']).then(undefined, (refusal) => refusal);
      expect(refusal).toMatchObject({ code: 'OUTBOX_UNAVAILABLE', cause: error });
      expect(refusal.message).toContain(outboxSql('postgres').up);
    }
    world.fail = Object.assign(new Error('could not serialize access'), { code: '40001' });
    await expect(guard.before(ask, ['a'])).rejects.toBe(world.fail);
  });

  test('warns once of what commits by itself, and of a client that has one connection', async () => {
    const { open, clock, asked } = aGuard({ borrows: false });
    const warnings = await warningsOf(() => {
      const guard = open();
      for (let i = 0; i < 2; i++) guard.unguarded('call something()');
      guard.close?.();
      guard.open?.();
    });
    expect(warnings.map(({ message }) => message.slice(0, 40))).toEqual([
      'The client of app has one connection, so',
      'This commits by itself, so nothing can b',
    ]);
    await clock.advance(5000);
    expect(asked).toEqual([]);
  });
});

describe('`crashSafe`', () => {
  const store = memoryStore();
  test('is for caches with a store: memory goes with its process', () => {
    expect(resolveCacheOptions({ crashSafe: 'outbox' }).outbox).toBeUndefined();
    expect(resolveCacheOptions({ store, crashSafe: 'outbox' }).outbox).toBe(1000);
    expect(resolveCacheOptions({ store, crashSafe: { outbox: { interval: '5s' } } }).outbox).toBe(5000);
    expect(resolveCacheOptions({ store }).outbox).toBeUndefined();
  });

  test.each([
    ['fence', /Expected `crashSafe` to be 'outbox' or \{ outbox: \{ interval \} \}, got "fence"/],
    [true, /Expected `crashSafe` to be .*, got true/],
    [null, /Expected `crashSafe` to be .*, got null/],
    [{}, /Expected `crashSafe` to be .*, got an object/],
    [{ outbox: { every: 1 } }, /`every`/],
    [{ outbox: {}, fence: {} }, /`fence`/],
    [
      { outbox: { interval: 99 } },
      /Expected `crashSafe.outbox.interval` to be at least 100 ms and not for ever, got 99/,
    ],
    [{ outbox: { interval: Infinity } }, /got Infinity/],
  ])('is refused as %o', (crashSafe, message) => {
    expect(() => resolveCacheOptions({ store, crashSafe: crashSafe as never })).toThrow(message);
  });
});

test('outboxSql of another dialect is a TypeError', () => {
  expect(() => outboxSql('oracle' as never)).toThrow("Expected `dialect` to be 'postgres', 'mysql' or 'sqlite', got");
});
