import type { Knex as Instance } from 'knex';
import type { Cache } from '../../../src/index.js';
import type { Wrap } from './knex.js';

/**
 * What people write by hand, with the usual mistakes: the negative control of the suite. A case that all of these pass
 * proves nothing; a case that even `forgets everything after COMMIT` fails, other than by having forgotten, asks too much.
 */
export type Naive =
  /** Values live for their time. */
  | 'ends nothing'
  /** After each statement, which is before COMMIT, and inside of transactions too. */
  | 'forgets everything after each write'
  /** Right about COMMIT, but serves and stores inside of transactions. */
  | 'forgets everything after COMMIT, and caches inside of transactions'
  /** Right, and of little use. */
  | 'forgets everything after COMMIT'
  /** One look-up at a time, on a connection, by what stands behind FROM; rows as JSON, none are a miss. */
  | 'keeps JSON under half of the text'
  /** The same rows for everybody. */
  | 'hands out what it holds';

export const flaws: readonly Naive[] = [
  'ends nothing',
  'forgets everything after each write',
  'forgets everything after COMMIT, and caches inside of transactions',
  'forgets everything after COMMIT',
  'keeps JSON under half of the text',
  'hands out what it holds',
];

export function naively(flaw: Naive): Wrap {
  return (knex, { cache }) => {
    if (flaw.startsWith('forgets')) forget(knex, cache, flaw);
    let line: Promise<unknown> = Promise.resolve();
    const held = new Map<string, string>();
    return {
      knex,
      async read(from, sql, params, per) {
        if (flaw === 'keeps JSON under half of the text' && per !== false) {
          const read = async () => {
            await knex.client.releaseConnection(await knex.client.acquireConnection());
            const key = /from.*/is.exec(sql)?.[0] ?? sql;
            // Also what nobody asked to be kept.
            if (!held.has(key) || held.get(key) === '[]')
              held.set(key, JSON.stringify(rowsOf(await from.raw(sql, params as never))));
            return { rows: JSON.parse(held.get(key) as string) };
          };
          line = line.then(read, read);
          return line;
        }
        const load = async () => rowsOf(await from.raw(sql, params as never));
        if (per === undefined || per === false) return { rows: await load() };
        if (from.isTransaction && flaw === 'forgets everything after COMMIT') return { rows: await load() };
        const texts = params.map((value) => `${typeof value} ${value}`);
        const copy = flaw === 'hands out what it holds' ? 'reference' : 'clone';
        return { rows: await cache.getOrSet({ key: ['naive', sql, ...texts], ttl: '1h', copy, load }) };
      },
      transaction: (from, fn) =>
        flaw === 'forgets everything after COMMIT' && !from.isTransaction
          ? from.transaction((trx) => cache.transaction(() => fn(trx)))
          : from.transaction(fn),
    };
  };
}

/** Sees each statement where an adapter would. */
function forget(knex: Instance, cache: Cache, flaw: Naive): void {
  const Original = knex.client.constructor;
  const open = new WeakSet<object>();
  class Forgetful extends Original {
    async query(connection: object, query: { sql: string } | string) {
      const sql = (typeof query === 'string' ? query : query.sql).trim();
      const ends = /^(commit|rollback(?!\s+to))/i.test(sql);
      const reads = /^(select|with|show|values|table|begin|start|savepoint|release|rollback)/i.test(sql);
      const at = flaw === 'forgets everything after each write' ? !reads : ends || (!reads && !open.has(connection));
      if (/^(begin|start)/i.test(sql)) open.add(connection);
      if (ends) open.delete(connection);
      try {
        return await super.query(connection, query);
      } finally {
        if (at) await cache.clear().catch(() => {});
      }
    }
  }
  Object.setPrototypeOf(knex.client, Forgetful.prototype);
}

function rowsOf(result: any): unknown[] {
  if (Array.isArray(result?.rows)) return result.rows;
  return Array.isArray(result) && Array.isArray(result[0]) ? result[0] : result;
}
