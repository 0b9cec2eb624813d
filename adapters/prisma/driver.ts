import type { Client, Session } from '../../src/adapter/index.js';
import type { DriverAdapter, SqlQuery, Transaction } from './internals.js';
import { type Asker, asking, told } from './requests.js';
import type { Result } from './rows.js';
import { started } from './transactions.js';

/** What stands for a connection: where queries of ours are sent. */
export interface OnePlace {
  adapter: Pick<DriverAdapter, 'queryRaw'>;
}

type At = Pick<DriverAdapter, 'queryRaw' | 'executeRaw'>;
type Run = (session: Session<Result>) => Promise<Result>;

/**
 * A connected driver adapter, seen: a pool, or in SQLite the one connection. Each has one client.
 *
 * @param leaves - called before it is disposed of
 */
export function seenAdapter(inner: DriverAdapter, cache: Client<Result>, leaves: () => Promise<void>): DriverAdapter {
  const { provider, adapterName } = inner;
  const disposed = cache.use();
  // Where there is one connection, what runs beside a transaction runs in it.
  const single = adapterName === '@prisma/adapter-better-sqlite3' ? cache.session({ adapter: inner }) : undefined;
  /** The transaction on it that comes next waits for this one. */
  let turn = Promise.resolve();
  /** Transactions that were begun by text, on nobody knows which connection. */
  let begun: Session<Result>[] = [];
  let asker: Asker | undefined;

  /** What a client that nobody extended reads may be for any load: it runs in the async context of whoever asked first. */
  const hear = (sql: string, pattern = lookup) => {
    const { current } = asking;
    if (asker === undefined && current !== undefined && current.at === undefined) {
      asker = current;
      asker.at = inner;
    }
    if (asker === undefined && pattern.test(sql)) cache.refuseAll(`${unknownAsker}: ${sql}`);
  };

  /** Outside of a transaction of the client's: on some connection of the pool, which may be another one each time. */
  const alone = async (sql: string, run: Run): Promise<Result> => {
    if (single !== undefined) return run(single);
    const session = cache.session({ adapter: inner });
    const result = await run(session);
    // It may be a part of any of them, so it counts once more when that one is committed.
    for (const one of begun) await one.run(sql, [], async () => ({}));
    if (session.unit !== undefined) begun.push(session);
    begun = begun.filter(({ unit }) => unit !== undefined);
    return result;
  };

  /** A write that something must be put before its COMMIT needs one connection for all of that. */
  const wants = ({ sql, args }: SqlQuery) =>
    single === undefined && cache.session({ adapter: inner }).wantsTransaction(sql, args);
  const within = async <T>(fn: (tx: Transaction) => Promise<T>): Promise<T> => {
    const tx = await seen.startTransaction();
    // Some only give the connection back.
    const { usePhantomQuery } = tx.options as { usePhantomQuery?: boolean };
    const say = (sql: string) => (usePhantomQuery ? undefined : tx.executeRaw({ sql, args: [], argTypes: [] }));
    try {
      const result = await fn(tx);
      await say('COMMIT');
      await tx.commit();
      return result;
    } catch (error) {
      await Promise.resolve(say('ROLLBACK')).catch(() => {});
      await tx.rollback().catch(() => {});
      throw error;
    }
  };

  const seen: DriverAdapter = {
    provider,
    adapterName,
    async queryRaw(query) {
      if (wants(query)) return within((tx) => tx.queryRaw(query)).catch(told);
      hear(query.sql);
      return (await alone(query.sql, queried(inner, query)).catch(told)).set!;
    },
    async executeRaw(query) {
      if (wants(query)) return within((tx) => tx.executeRaw(query)).catch(told);
      return (await alone(query.sql, executed(inner, query)).catch(told)).count!;
    },
    async executeScript(script) {
      await alone(script, (session) => ran(session, script, () => inner.executeScript(script)));
    },
    async startTransaction(isolationLevel) {
      // Which connection it gets is known when it has begun, and whether the catalogue must be asked for before that.
      const at: OnePlace = { adapter: inner };
      const session = single ?? cache.session(at);
      const before = turn;
      let over = () => {};
      if (single !== undefined)
        turn = new Promise((done) => {
          over = done;
        });
      await before;
      let tx: Transaction | undefined;
      try {
        await ran(session, 'BEGIN', async () => {
          tx = await inner.startTransaction(isolationLevel);
          at.adapter = tx;
        });
      } catch (error) {
        over();
        throw error;
      }
      started(session);
      return seenTransaction(tx!, session, { over, hear: (sql) => hear(sql, anything) });
    },
    getConnectionInfo: () => inner.getConnectionInfo?.() ?? { supportsRelationJoins: false },
    underlyingDriver: () => inner.underlyingDriver?.(),
    async dispose() {
      if (asker !== undefined) asker.at = undefined;
      await leaves();
      await inner.dispose().finally(disposed);
    },
  };
  return seen;
}

/** What may be a lookup by a unique key, or several: nothing tells them from other queries with such a condition. */
const lookup = /\bSELECT\b.* (=|IN) /s;
const anything = /^/;
const unknownAsker =
  'Prisma sends lookups of several callers together; say withCache(client) for it to be known whose they are';

/** @param on - `over` is called when its connection is free again, `hear` for what it reads */
function seenTransaction(
  tx: Transaction,
  session: Session<Result>,
  { over, hear }: { over(): void; hear(sql: string): void },
): Transaction {
  // Some send it as a statement first, and then only give the connection back.
  const end = (sql: string, fn: () => Promise<void>) => async () =>
    void (await (session.unit === undefined ? fn() : ran(session, sql, fn)).finally(over));
  const points = ([name, sql]: (typeof control)[number]) =>
    tx[name] && [[name, async (point: string) => void (await ran(session, `${sql} ${point}`, () => tx[name]!(point)))]];
  return {
    provider: tx.provider,
    adapterName: tx.adapterName,
    options: tx.options,
    async queryRaw(query) {
      hear(query.sql);
      return (await queried(tx, query)(session)).set!;
    },
    executeRaw: async (query) => (await executed(tx, query)(session)).count!,
    commit: end('COMMIT', () => tx.commit()),
    rollback: end('ROLLBACK', () => tx.rollback()),
    ...Object.fromEntries(control.flatMap((one) => points(one) ?? [])),
  };
}

const control = [
  ['createSavepoint', 'SAVEPOINT'],
  ['rollbackToSavepoint', 'ROLLBACK TO SAVEPOINT'],
  ['releaseSavepoint', 'RELEASE SAVEPOINT'],
] as const;

function queried(at: At, query: SqlQuery): Run {
  return (session) =>
    session.run(query.sql, query.args, async (sql) => ({ set: await at.queryRaw({ ...query, sql }) }));
}

function executed(at: At, query: SqlQuery): Run {
  return (session) =>
    session.run(query.sql, query.args, async (sql) => {
      if (sql === query.sql) return { count: await at.executeRaw(query) };
      const set = await at.queryRaw({ ...query, sql });
      return { set, count: set.rows.length };
    });
}

const ran = (session: Session<Result>, sql: string, fn: () => Promise<void>) =>
  session.run(sql, [], async () => fn().then(() => ({})));
