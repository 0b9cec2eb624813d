import { errorMonitor } from 'node:events';
import type { Readable } from 'node:stream';
import type { Client, Params, Per, Session } from '../../src/adapter/index.js';
import type { Manager, QueryRunner, Result } from './internals.js';
import type { Results } from './results.js';

/** What the runners of one data source share. */
export interface Watch {
  /** Undefined while the data source is closed, and when it was unwrapped. */
  cache: Client<Result> | undefined;
  readonly results: Results;
  /** What a query builder has said that is about to call `query` of its runner, in the same tick. */
  said: Said | undefined;
  /** The connection that all runners share: SQLite. */
  shared(): object | undefined;
  /** SQLite: the face of the runner that has begun the transaction which is open. */
  owner: QueryRunner | undefined;
  /** Makes a runner of its own, on the primary. */
  create(): QueryRunner;
}

export interface Said {
  readonly by: QueryRunner;
  readonly per: Per;
  readonly name: string | undefined;
}

/** How a runner was before, and how it sends a statement that is seen. */
interface Ways {
  readonly query: QueryRunner['query'];
  run(by: QueryRunner, sql: string, params: unknown): Promise<Result>;
}
const watched = new WeakMap<QueryRunner, Ways>();

/** Sees every statement of a runner. SQLite has one for all, which comes again and again. */
export function watchRunner(watch: Watch, runner: QueryRunner, isForReading: boolean): QueryRunner {
  if (watched.has(runner)) return runner;
  const query = runner.query.bind(runner);
  const ways: Ways = {
    query,
    async run(by, sql, params) {
      const { cache } = watch;
      const connection = cache && (await runner.connect());
      if (!cache || !connection) return query(sql, params, true);
      const session = cache.session(connection);
      const { unit } = session;
      try {
        return await session.run(sql, (params ?? []) as Params, (text) => query(text, params, true));
      } finally {
        if (session.unit === undefined) watch.owner = undefined;
        else {
          for (const handle of [by, by.manager]) cache.bind(handle, session);
          if (unit === undefined) watch.owner ??= by;
        }
      }
    },
  };
  watched.set(runner, ways);
  const { stream } = runner;
  runner.query = queryOf(watch, runner, { ways, by: runner, isForReading });
  if (watch.shared() === undefined) runner.stream = streamOf(watch, runner, stream.bind(runner));
  return runner;
}

/** SQLite: a face of the one runner, so that whoever began a transaction is told from whoever is beside it. */
export function faceOf(
  watch: Watch,
  runner: QueryRunner,
  { isForReading, manage }: { isForReading: boolean; manage(face: QueryRunner): Manager },
): QueryRunner {
  const own: Record<PropertyKey, unknown> = {};
  const face = new Proxy(runner, {
    get: (target, name) => (Object.hasOwn(own, name) ? own[name] : Reflect.get(target, name)),
    set: (target, name, value) => Reflect.set(Object.hasOwn(own, name) ? own : target, name, value),
  });
  own.manager = manage(face);
  own.query = queryOf(watch, runner, { ways: watched.get(runner) as Ways, by: face, isForReading });
  own.release = async () => {
    // Given back with its transaction open: what comes now is in it, whoever it is of.
    if (watch.owner === face) watch.owner = undefined;
    await runner.release();
  };
  return face;
}

/**
 * What a query builder reads by a runner that it has made for that, and what is read as text, may come from the cache.
 * What it reads by a runner that somebody holds must not, unless the query says so: `save()` reads that way what it is
 * going to change, and would leave out a change that undoes one of the meantime.
 */
function queryOf(
  watch: Watch,
  runner: QueryRunner,
  { ways, by, isForReading }: { ways: Ways; by: QueryRunner; isForReading: boolean },
): QueryRunner['query'] {
  const answer = async (sql: string, params: unknown, structured: boolean, said: Said | undefined) => {
    const { cache, results } = watch;
    const mayRead = isForReading || !structured || said !== undefined;
    // A connection that is held is the one to ask: whoever holds one must not wait for somebody who wants one.
    if (cache === undefined || !mayRead || isHeld(watch, cache, runner, by)) return ways.run(by, sql, params);
    const load = async () => {
      // The caller may be gone before it ends, and so may his runner.
      const own = watch.create();
      try {
        return results.pack(await (watched.get(own) ?? ways).run(own, sql, params));
      } finally {
        await own.release();
      }
    };
    const statement = { sql, params: (params as unknown[] | undefined) ?? [], per: said?.per, name: said?.name };
    // What the kit runs without keeping it belongs on the caller's own runner, so that is left to do.
    const result = await cache.read<Result | undefined>(statement, async () => undefined, {
      pack: load,
      unpack: results.unpack,
    });
    return result ?? ways.run(by, sql, params);
  };
  return async (sql, params, structured = false) => {
    const said = watch.said?.by === by ? watch.said : undefined;
    watch.said = undefined;
    if (watch.cache === undefined || runner.isReleased || typeof sql !== 'string')
      return ways.query(sql, params, structured);
    const result = await answer(sql, params, structured, said);
    return structured ? result : result.raw;
  };
}

function isHeld(watch: Watch, cache: Client<Result>, runner: QueryRunner, by: QueryRunner): boolean {
  const shared = watch.shared();
  if (shared === undefined) return (runner.databaseConnection ?? runner.databaseConnectionPromise) !== undefined;
  const { owner } = watch;
  return cache.session(shared).unit !== undefined && (owner === undefined || owner === by || runner === by);
}

function streamOf(watch: Watch, runner: QueryRunner, stream: QueryRunner['stream']): QueryRunner['stream'] {
  return async (sql, params, onEnd, onError) => {
    const { cache } = watch;
    if (cache === undefined || runner.isReleased) return stream(sql, params, onEnd, onError);
    const session: Session<Result> = cache.session(await runner.connect());
    const statement = await session.open(sql, params ?? []);
    try {
      const rows: Readable = await stream(sql, params, onEnd, onError);
      const push = rows.push.bind(rows);
      // Whoever reads the stream sees its end when what the statement wrote is invalidated.
      rows.push = (chunk, encoding) => {
        if (chunk !== null) return push(chunk, encoding);
        statement.end().then(
          () => push(null),
          (error) => rows.destroy(error),
        );
        return false;
      };
      rows.once(errorMonitor, (error) => void statement.end(error).catch(() => {}));
      rows.once('close', () => void statement.end(new Error('The stream was closed before its end.')).catch(() => {}));
      return rows;
    } catch (error) {
      await statement.end(error);
      throw error;
    }
  };
}
