import { type Client, clientIn, type Form, type Params, type Per, streamed } from '../../src/adapter/index.js';
import type { DataSource, QueryRunner, Result } from './internals.js';

/** What a query builder has said that is about to call `query` of its runner, in the same tick. */
interface Said {
  readonly by: QueryRunner;
  readonly per: Per;
  readonly name: string | undefined;
}

/** Who sends a statement: a runner, or on SQLite a face of the only one. */
interface Sender {
  readonly runner: QueryRunner;
  readonly by: QueryRunner;
}

/** The query runners of one data source, of which every statement is seen. */
export class Runners {
  /** Undefined while the data source is closed, and when it was unwrapped. */
  cache: Client<Result> | undefined;
  said: Said | undefined;
  readonly #ds: DataSource;
  readonly #form: Form<Result>;
  readonly #shared: () => object | undefined;
  /** `query` as it was. SQLite has one runner for all, which comes again and again. */
  readonly #queries = new WeakMap<QueryRunner, QueryRunner['query']>();
  /** SQLite: the face of the runner that has begun the transaction which is open. */
  #owner: QueryRunner | undefined;

  /** @param shared - the connection that all runners share: SQLite */
  constructor(ds: DataSource, form: Form<Result>, shared: () => object | undefined) {
    this.#ds = ds;
    // Another one with each `initialize`, and none in between.
    Object.defineProperty(ds, clientIn, { get: () => this.cache, configurable: true });
    this.#form = form;
    this.#shared = shared;
  }

  /** The data source is no longer the cache's. */
  leave(): void {
    Reflect.deleteProperty(this.#ds, clientIn);
  }

  watch(runner: QueryRunner, isForReading: boolean): QueryRunner {
    const isShared = this.#shared() !== undefined;
    if (!this.#queries.has(runner)) {
      this.#queries.set(runner, runner.query.bind(runner));
      runner.query = this.#queryOf({ runner, by: runner }, isForReading);
      if (!isShared) runner.stream = this.#streamOf(runner);
    }
    return isShared ? this.#faceOf(runner, isForReading) : runner;
  }

  /** SQLite: a face of the one runner, so that whoever began a transaction is told from whoever is beside it. */
  #faceOf(runner: QueryRunner, isForReading: boolean): QueryRunner {
    const own: Record<PropertyKey, unknown> = {};
    const face = new Proxy(runner, {
      get: (target, name) => (Object.hasOwn(own, name) ? own[name] : Reflect.get(target, name)),
      set: (target, name, value) => Reflect.set(Object.hasOwn(own, name) ? own : target, name, value),
    });
    own.manager = this.#ds.createEntityManager(face);
    own.query = this.#queryOf({ runner, by: face }, isForReading);
    own.release = async () => {
      // Given back with its transaction open: what comes now is in it, whoever it is of.
      if (this.#owner === face) this.#owner = undefined;
      await runner.release();
    };
    return face;
  }

  /**
   * What a query builder reads by a runner that it has made for that, and what is read as text, may come from the cache.
   * What it reads by a runner that somebody holds must not, unless the query says so: `save()` reads that way what it is
   * going to change, and would leave out a change that undoes one of the meantime.
   */
  #queryOf(sender: Sender, isForReading: boolean): QueryRunner['query'] {
    const { runner, by } = sender;
    return async (sql, params, structured = false) => {
      const said = this.said?.by === by ? this.said : undefined;
      this.said = undefined;
      const { cache } = this;
      if (cache === undefined || runner.isReleased || typeof sql !== 'string')
        return this.#queries.get(runner)!(sql, params, structured);
      const send = () => this.#send(sender, sql, params);
      const load = async () => {
        // The caller may be gone before it ends, and so may his runner.
        const own = this.#ds.createQueryRunner('master');
        const to = this.#queries.has(own) ? own : runner;
        return this.#send({ runner: to, by: own }, sql, params).finally(() => own.release());
      };
      const mayRead = isForReading || !structured || said !== undefined;
      const statement = { sql, params: (params ?? []) as Params, per: said?.per, name: said?.name };
      // A connection that is held is the one to ask: whoever holds one must not wait for somebody who wants one.
      const isRead = mayRead && !this.#isHeld(cache, sender);
      const result = await (isRead ? cache.read(statement, load, this.#form, send) : send());
      return structured ? result : result.raw;
    };
  }

  #isHeld(cache: Client<Result>, { runner, by }: Sender): boolean {
    const shared = this.#shared();
    if (shared === undefined) return (runner.databaseConnection ?? runner.databaseConnectionPromise) !== undefined;
    const isOurs = this.#owner === undefined || this.#owner === by || runner === by;
    return isOurs && cache.session(shared).unit !== undefined;
  }

  async #send({ runner, by }: Sender, sql: string, params: any): Promise<Result> {
    const query = this.#queries.get(runner)!;
    const connection = await runner.connect();
    const { cache } = this;
    if (cache === undefined) return query(sql, params, true);
    const session = cache.session(connection);
    const { unit } = session;
    try {
      return await session.run(sql, params ?? [], (text) => query(text, params, true));
    } finally {
      if (session.unit === undefined) this.#owner = undefined;
      else {
        for (const handle of [by, by.manager]) cache.bind(handle, session);
        if (unit === undefined) this.#owner ??= by;
      }
    }
  }

  #streamOf(runner: QueryRunner): QueryRunner['stream'] {
    const stream = runner.stream.bind(runner);
    return async (sql, params, onEnd, onError) => {
      if (this.cache === undefined || runner.isReleased) return stream(sql, params, onEnd, onError);
      const opened = this.cache.session(await runner.connect()).open(sql, params ?? []);
      const statement = await opened;
      try {
        const source = await stream(sql, params);
        const rows = streamed(opened, () => source);
        if (onEnd) rows.on('end', onEnd);
        return onError ? rows.on('error', onError) : rows;
      } catch (error) {
        await statement.end(error);
        throw error;
      }
    };
  }
}
