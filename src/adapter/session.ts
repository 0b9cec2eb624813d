import type { Unit } from '../core/port.js';
import type { Asking } from './catalogue.js';
import { type Shared, State } from './shared.js';
import type { Known } from './statements.js';
import { type Tracked, track } from './track.js';
import type { Params, Row } from './types.js';
import { UnderWay } from './under-way.js';

/** One connection, and all statements that run on it. */
export interface Session<R> {
  /** Runs a statement, transaction control included. `execute` gets the text to send, which may return more. */
  run(sql: string, params: Params, execute: (sql: string) => Promise<R>): Promise<R>;
  /** A statement whose rows are streamed: to be called before it is sent. */
  open(sql: string, params: Params): Promise<OpenStatement>;
  /** What a transaction on this connection has changed so far; undefined outside of one. */
  readonly unit: Unit | undefined;
}

export interface OpenStatement {
  /** To be called when its rows have ended, when it failed, or when nobody wants the rest; again, it does nothing. */
  end(error?: unknown): Promise<void>;
}

/**
 * From a statement to what the cache must know of it, on one connection.
 *
 * Before it is sent, its load gets the versions of what it reads, and its transaction what it is going to change; when
 * it has ended, what is committed is published before its caller hears of it. Statements are sent in the order in which
 * they came, also when some of them have to wait for the cache.
 *
 * The cache never fails a statement. What goes wrong in here is told by an event; then nothing is stored, and what was
 * written counts as unknown.
 */
export class Connection<R> implements Session<R>, Asking {
  readonly #shared: Shared<R>;
  readonly #connection: object;
  readonly #state: State<R>;
  /** The last statement that waits for something before it is sent. */
  #waiting: Promise<unknown> | undefined;

  constructor(shared: Shared<R>, connection: object) {
    this.#shared = shared;
    this.#connection = connection;
    this.#state = new State(shared);
  }

  get unit(): Unit | undefined {
    return this.#state.work.unit;
  }

  get transaction(): object | undefined {
    return this.#state.transaction;
  }

  get isInTransaction(): boolean {
    return this.transaction !== undefined;
  }

  get isAborted(): boolean {
    const { aborted } = this.#state;
    return this.#shared.dialect.name === 'postgres' && aborted !== undefined && aborted === this.transaction;
  }

  readonly ask = (sql: string): Promise<readonly Row[]> => this.#shared.driver.ask(this.#connection, sql);

  run(sql: string, params: Params, execute: (sql: string) => Promise<R>): Promise<R> {
    const known = this.#shared.statements.of(sql);
    const tracked = this.#prepare(known, params);
    if (this.#waiting === undefined && !(tracked instanceof Promise))
      return this.#send(known, params, execute, tracked);
    return this.#inOrder(tracked, (it) => this.#send(known, params, execute, it));
  }

  open(sql: string, params: Params): Promise<OpenStatement> {
    const known = this.#shared.statements.of(sql);
    return this.#inOrder(this.#prepare(known, params), async (tracked) => {
      const under = new UnderWay(this.#state, known, params, { tracked, mayAdd: false });
      let ended: Promise<void> | undefined;
      return {
        end: (error) => {
          ended ??= under.end(error === undefined, undefined, undefined);
          return ended;
        },
      };
    });
  }

  /** What must be known before it is sent: the catalogue, and for a load the versions of what it reads. */
  #prepare(known: Known, params: Params): Tracked | undefined | Promise<Tracked | undefined> {
    const { catalogue, failed } = this.#shared;
    try {
      const loading = catalogue.await(known, this);
      if (loading === undefined) return track(this.#state, known, params);
      return loading.then(() => track(this.#state, known, params));
    } catch (error) {
      return void failed(error);
    }
  }

  /** Sends in the order of coming: nobody passes a statement that waits. */
  #inOrder<T>(tracked: Tracked | undefined | Promise<Tracked | undefined>, send: (it?: Tracked) => Promise<T>) {
    const before = this.#waiting;
    const sent = (async () => {
      const it = await tracked;
      await before;
      return { result: send(it) };
    })();
    const passed: Promise<void> = sent.then(nothing, nothing).then(() => {
      if (this.#waiting === passed) this.#waiting = undefined;
    });
    this.#waiting = passed;
    return sent.then(({ result }) => result);
  }

  #send(known: Known, params: Params, execute: (sql: string) => Promise<R>, tracked?: Tracked): Promise<R> {
    // Most statements are queries outside of everything, of which there is nothing to tell.
    const isAlone = tracked === undefined && !this.isInTransaction && !this.#shared.port.inLoad();
    if (isAlone && known.isQuery && isQuiet(this.#state, known)) return start(execute, known.sql);
    return this.#follow(known, params, execute, tracked);
  }

  async #follow(
    known: Known,
    params: Params,
    execute: (sql: string) => Promise<R>,
    tracked: Tracked | undefined,
  ): Promise<R> {
    const under = new UnderWay(this.#state, known, params, { tracked, mayAdd: true });
    const isChanged = under.sql !== known.sql;
    let result: R;
    try {
      result = await start(execute, under.sql);
    } catch (error) {
      const isOurs = isChanged && refusals.has(String((error as { code?: unknown } | undefined)?.code));
      if (isOurs) this.#shared.addsReturning = false;
      await under.end(false, undefined, undefined);
      // It has changed nothing. In a transaction nothing else can be done any more.
      if (isOurs && under.transaction === undefined) return this.#follow(known, params, execute, undefined);
      throw error;
    }
    const { driver } = this.#shared;
    const rows = this.#safely(() => driver.rowsOf(result), undefined);
    await under.end(true, rows, result);
    return isChanged && driver.hideRows ? this.#safely(() => driver.hideRows!(result), result) : result;
  }

  #safely<T>(fn: () => T, otherwise: T): T {
    try {
      return fn();
    } catch (error) {
      this.#shared.failed(error);
      return otherwise;
    }
  }
}

/** PostgreSQL: what a statement may fail with because of a RETURNING that it did not have. */
const refusals = new Set(['42501', '42601', '42703']);

/** Whether it changes nothing, as far as anybody knows. */
function isQuiet(state: State<unknown>, known: Known): boolean {
  const plan = state.planOf(known);
  return plan === undefined ? known.statement.functions.length === 0 : !plan.writes && plan.everything === undefined;
}

/** One that throws at once fails its own statement only. */
function start<R>(execute: (sql: string) => Promise<R>, sql: string): Promise<R> {
  try {
    return execute(sql);
  } catch (error) {
    return Promise.reject(error);
  }
}

const nothing = () => {};
