import { describe, expect, test } from 'vitest';
import type { Driver } from '../../../src/adapter/driver.js';
import { fenceGuard } from '../../../src/adapter/fence/guard.js';
import { notConnected } from '../../../src/core/not-connected.js';
import { type Cache, type CacheOptions, FenceUnavailableError, fenceSql } from '../../../src/index.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, heard, now } from '../core/a-cache.js';
import { portIn } from '../core/strict-world.js';

/** The guard of a client whose database answers as the test says. */
function aGuard(
  dialect: 'postgres' | 'mysql' | 'sqlite',
  answer: (sql: string) => readonly object[],
  options: Pick<CacheOptions, 'store' | 'onFenceUnavailable'> = {},
) {
  const { cache, clock } = aCache({ strict: true, store: memoryStore(), ...options });
  const sent: string[] = [];
  const ask = async (sql: string) => {
    sent.push(sql);
    return answer(sql) as never;
  };
  const driver = { borrow: (fn) => fn(ask) } as Driver<unknown>;
  const make = (given = driver) =>
    fenceGuard({
      port: portIn(cache as Cache),
      driver: given,
      dialect: { name: dialect },
      database: 'shop',
      tableOf: (name) => name,
      failed() {},
    });
  const guard = make();
  if (guard === undefined) throw new Error('there is no guard');
  return { cache: cache as Cache, clock, sent, ask, make, guard };
}

const hex = 'ab'.repeat(16);

describe('a client', () => {
  test('of a cache that is not strict has no fence', () => {
    const { cache } = aCache();
    const driver = {} as Driver<unknown>;
    const of = { driver, dialect: { name: 'postgres' as const }, database: 'shop', failed() {} };
    const tableOf = (name: string) => name;
    expect(fenceGuard({ port: portIn(cache as Cache), tableOf, ...of })).toBe(undefined);
  });

  test('of one connection is refused', () => {
    const { make } = aGuard('postgres', () => []);
    expect(() => make({} as Driver<unknown>)).toThrow('Expected a client with a pool of connections');
    expect(() => make({} as Driver<unknown>)).toThrow(TypeError);
  });
});

describe('whether a transaction is over', () => {
  test('is not asked about one of another database, or of another kind', async () => {
    const { guard, sent } = aGuard('postgres', () => []);
    expect(await guard.isOver?.('random|xid|store|7')).toBe(undefined);
    expect(await guard.isOver?.(`random|row|shop|${hex}`)).toBe(undefined);
    expect(await guard.isOver?.('nothing of ours')).toBe(undefined);
    expect(sent).toEqual([]);
  });

  test.each([
    ['in progress', false],
    ['committed', true],
    ['aborted', true],
    ['long ago', true],
    ['elsewhere', undefined],
  ])('on PostgreSQL: %s', async (became, isOver) => {
    const { guard } = aGuard('postgres', () => [{ became }]);
    expect(await guard.isOver?.('random|xid|shop|7')).toBe(isOver);
  });

  test.each([
    [() => [], true],
    [() => [{ id: 1 }], true],
    [fails('Lock wait timeout exceeded; try restarting transaction'), false],
    [fails('Statement aborted because lock(s) could not be acquired immediately and NOWAIT is set.'), false],
    [fails('the server is gone'), undefined],
  ])('on MySQL and MariaDB: %#', async (answer, isOver) => {
    const { guard } = aGuard('mysql', answer);
    expect(await guard.isOver?.(`random|row|shop|${hex}`)).toBe(isOver);
    guard.close?.();
  });

  test.each([
    ['mysql', "x'); drop table users; --"],
    ['postgres', '7); drop table users; --'],
  ] as const)('is asked on %s without the words of whoever wrote into the store', async (dialect, name) => {
    const { guard, sent } = aGuard(dialect, () => []);
    await guard.isOver?.(['random', { mysql: 'row', postgres: 'xid' }[dialect], 'shop', name].join('|'));
    expect(sent.filter((sql) => sql.includes('drop'))).toEqual([]);
  });
});

describe('the names of transactions that are over', () => {
  const forgotten = (sent: readonly string[]) => sent.filter((sql) => sql.startsWith('delete')).length;
  const write = async ({ guard, ask }: ReturnType<typeof aGuard>) =>
    (await guard.before(ask, ['a'])).ended?.('committed', true);

  test('are forgotten before the connections are closed, and none afterwards until they are open again', async () => {
    const world = aGuard('mysql', () => []);
    const { clock, guard, sent } = world;
    guard.open?.();
    await write(world);
    await guard.rest?.();
    expect(forgotten(sent)).toBe(1);
    await write(world);
    await clock.advance(5000);
    expect(forgotten(sent)).toBe(1);
    expect(clock.pending).toBe(0);
    guard.close?.();
    guard.open?.();
    await write(world);
    await clock.advance(1000);
    expect(forgotten(sent)).toBe(2);
    expect(guard.rest?.()).toBe(undefined);
  });

  test('are waited for a second at most', async () => {
    const world = aGuard('mysql', (sql) => (sql.startsWith('delete') ? (new Promise(() => {}) as never) : []));
    const { clock, guard } = world;
    await write(world);
    const resting = guard.rest?.();
    await clock.advance(999);
    expect(await now(Promise.resolve(resting))).toBe('waits');
    await clock.advance(1);
    await resting;
  });
});

test('who waits for transactions waits no longer when the connections are closed', async () => {
  const { clock, guard } = aGuard('postgres', (sql) => (sql.includes('as own') ? [{ own: '7' }] : []));
  const failed = expect(guard.quiet?.()).rejects.toBe(notConnected);
  await clock.advance(1000);
  expect(guard.rest?.()).toBe(undefined);
  await failed;
  expect(clock.pending).toBe(0);
});

describe('before COMMIT', () => {
  test('the tags are fenced in the name that the database gives the transaction', async () => {
    const store = faultyStore(memoryStore());
    const { guard, ask } = aGuard('postgres', () => [{ id: '42' }], { store });
    const { owner, ended } = await guard.before(ask, ['a']);
    expect(owner).toMatch(/^[\da-f-]{36}\|xid\|shop\|42$/);
    expect(store.calls.map(({ operation }) => operation)).toContain('fence');
    ended?.('rolled back', false);
  });

  test('what the database refuses is refused, also under `degrade`', async () => {
    const fail = fails("Table 'shop.unstale_fence' doesn't exist");
    const { guard, ask, cache } = aGuard('mysql', fail, { onFenceUnavailable: 'degrade' });
    const told = heard(cache, 'unfenced');
    const error = await guard.before(ask, ['a']).catch((it) => it);
    expect(error).toBeInstanceOf(FenceUnavailableError);
    expect(error.message).toContain(fenceSql('mysql').up.trim());
    expect(told).toEqual([]);
  });

  test('what nothing can be put before is refused; under `degrade` it is told', () => {
    const { guard } = aGuard('postgres', () => []);
    expect(() => guard.unguarded('call it()')).toThrow(
      'nothing can be put before the COMMIT of what this changes: call it()',
    );
    const bold = aGuard('postgres', () => [], { onFenceUnavailable: 'degrade' });
    const told = heard(bold.cache, 'unfenced');
    bold.guard.unguarded('call it()');
    expect(told).toMatchObject([{ tags: [], reason: expect.stringContaining('call it()') }]);
  });
});

test('the migration is for MySQL alone', () => {
  expect(() => fenceSql('postgres' as never)).toThrow(TypeError);
  expect(fenceSql('mysql').down).toContain('drop table if exists unstale_fence');
});

function fails(message: string): () => never {
  return () => {
    throw new Error(message);
  };
}
