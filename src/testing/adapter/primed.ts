import assert from 'node:assert/strict';
import type { Duration } from '../../core/duration.js';
import type { Cache } from '../../index.js';
import type { AdapterClient, AdapterDatabase, AdapterRow } from './driver.js';

/** Who reads and who writes. */
export interface Sides {
  readonly database: AdapterDatabase;
  /** Reads what the writer changes; the same client where one can do both at a time. */
  readonly reader: AdapterClient;
  readonly writer: AdapterClient;
  /** The caches of both; the same one in one process. */
  readonly cacheOfReader: Cache;
  readonly cacheOfWriter: Cache;
}

/** A statement whose answer is in the cache, if it may be. */
export interface Primed {
  /** The answer is another one by now, and every way of reading gives it. */
  changed(): Promise<void>;
  /** Every way of reading gives the answer of now, whether it has changed or not. */
  right(): Promise<void>;
  /** The answer is what it was. */
  unchanged(): Promise<void>;
  /** The answer is what it was, and it was not asked for again. */
  kept(): Promise<void>;
}

export type Prime = (sql: string, params?: readonly unknown[]) => Promise<Primed>;

/** Reads statements in every way that stores their answers, and checks that they are stored. */
export function priming({ database, reader, writer, cacheOfReader, cacheOfWriter }: Sides): Prime {
  const count = counting([reader, writer]);
  let keys = 0;
  return async (sql: string, params: readonly unknown[] = []): Promise<Primed> => {
    const key = ['primed', keys++, sql] as const;
    const pairs = [{ client: reader, cache: cacheOfReader, who: 'the reader' }];
    if (reader !== writer) pairs.push({ client: writer, cache: cacheOfWriter, who: 'the writer' });
    const ways = pairs.flatMap(({ client, cache, who }) => [
      { name: `${who} reading through`, read: () => client.read(sql, params, hour) },
      {
        name: `a load of ${who}`,
        read: () => cache.getOrSet({ key, ttl: hour, load: () => client.read(sql, params) }),
      },
    ]);
    const now = async () => canonical(await database.bare(sql, params), sql);
    const before = await now();
    const check = async (twin: readonly string[]) => {
      for (const { name, read } of ways)
        assert.deepEqual(canonical(await read(), sql), twin, `${name} got another answer than the database gives`);
    };
    await check(before);
    const asked = count(sql);
    await check(before);
    assert.equal(count(sql) - asked, 0, 'the case needs the answer to be in the cache');
    return {
      async changed() {
        const twin = await now();
        assert.notDeepEqual(twin, before, 'the case needs something that changes the answer');
        await check(twin);
      },
      right: async () => check(await now()),
      async unchanged() {
        assert.deepEqual(await now(), before, 'the case needs something that does not change the answer');
        await check(before);
      },
      async kept() {
        assert.deepEqual(await now(), before, 'the case needs something that does not change the answer');
        const asked = count(sql);
        await check(before);
        assert.equal(count(sql) - asked, 0, 'what was in the cache should have stayed in it');
      },
    };
  };
}

/** How often a statement has reached the database through these clients. */
export function counting(all: readonly AdapterClient[]): (sql: string) => number {
  const clients = [...new Set(all)];
  return (sql) => {
    const text = plainText(sql);
    return clients.reduce((sum, client) => sum + client.sent().filter((one) => plainText(one) === text).length, 0);
  };
}

export const hour: Duration = '1h';

/** A statement as it was given, whatever the client made of its parameters. */
function plainText(sql: string): string {
  return sql
    .replace(/\$\d+/g, '?')
    .replace(/\s+/g, ' ')
    .replace(/[\s;]+$/, '');
}

/** Rows to compare: in the order that the statement asks for, if it does. */
function canonical(rows: readonly AdapterRow[], sql: string): readonly string[] {
  const texts = rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)));
  return /order by/i.test(sql) ? texts : texts.sort();
}
