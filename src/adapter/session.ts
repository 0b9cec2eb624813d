import type { Unit } from '../core/port.js';
import { runAtOnce } from './at-once.js';
import type { Asking } from './catalogue.js';
import { type Shared, State } from './shared.js';
import type { Known } from './statements.js';
import { type Tracked, track } from './track.js';
import type { Params, Row } from './types.js';
import { UnderWay } from './under-way.js';

/** One connection, and all statements that run on it. */
export interface Session<R> {
  /**
   * Runs a statement, transaction control included. `execute` gets the text to send, which may return more.
   *
   * @param mayAdd - `false`: the text must stay as it is. @defaultValue true
   */
  run(sql: string, params: Params, execute: (sql: string) => Promise<R>, mayAdd?: boolean): Promise<R>;
  /** The same of a driver that answers at once: `execute` gets the text as it is. */
  runAtOnce(sql: string, params: Params, execute: () => R): R;
  /** A statement whose rows are streamed: to be sent in the turn in which the promise resolves. */
  open(sql: string, params: Params): Promise<OpenStatement>;
  /** What a transaction on this connection has changed so far; undefined outside of one. */
  readonly unit: Unit | undefined;
  /** Whether nothing is on its way here that was given to `run`, and no transaction is open. */
  readonly isIdle: boolean;
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
  /** Statements on their way. One may be a `BEGIN` that nobody awaited. */
  #running = 0;

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

  get isIdle(): boolean {
    return this.#running === 0 && this.unit === undefined;
  }

  readonly ask = (sql: string): Promise<readonly Row[]> => this.#shared.driver.ask(this.#connection, sql);

  run(sql: string, params: Params, execute: (sql: string) => Promise<R>, mayAdd = true): Promise<R> {
    const known = this.#shared.statements.of(sql);
    const tracked = this.#prepare(known, params);
    const send = (it?: Tracked) => this.#send({ known, params, execute, mayAdd }, it);
    this.#running++;
    const isNext = this.#waiting === undefined && !(tracked instanceof Promise);
    const running = isNext ? send(tracked) : this.#inOrder(tracked, send);
    running.then(this.#ended, this.#ended);
    return running;
  }

  runAtOnce(sql: string, params: Params, execute: () => R): R {
    const about = { state: this.#state, asking: this, connection: this.#connection };
    return runAtOnce(about, this.#shared.statements.of(sql), params, execute);
  }

  readonly #ended = () => {
    this.#running--;
  };

  open(sql: string, params: Params): Promise<OpenStatement> {
    const known = this.#shared.statements.of(sql);
    const open = async (tracked?: Tracked): Promise<OpenStatement> => {
      const under = new UnderWay(this.#state, known, params, { tracked, mayAdd: false });
      let ended: Promise<void> | undefined;
      return {
        end: (error) => {
          ended ??= under.end(error === undefined, undefined, undefined);
          return ended;
        },
      };
    };
    // What comes behind it is sent when it was.
    return this.#inOrder(this.#prepare(known, params), open, () => new Promise(setImmediate));
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
  #inOrder<T>(
    tracked: Tracked | undefined | Promise<Tracked | undefined>,
    send: (it?: Tracked) => Promise<T>,
    leave: () => void | Promise<void> = nothing,
  ): Promise<T> {
    const before = this.#waiting;
    const sent = (async () => {
      const it = await tracked;
      await before;
      return { result: send(it) };
    })();
    const passed: Promise<void> = sent.then(leave, nothing).then(() => {
      if (this.#waiting === passed) this.#waiting = undefined;
    });
    this.#waiting = passed;
    return sent.then(({ result }) => result);
  }

  #send(sending: Sending<R>, tracked?: Tracked): Promise<R> {
    const { known, execute } = sending;
    // Most statements are queries outside of everything, of which there is nothing to tell.
    const isAlone = tracked === undefined && !this.isInTransaction && !this.#shared.port.inLoad();
    if (isAlone && known.isQuery && isQuiet(this.#state, known)) return start(execute, known.sql);
    return this.#follow(sending, tracked);
  }

  async #follow({ known, params, execute, mayAdd }: Sending<R>, tracked?: Tracked): Promise<R> {
    const under = new UnderWay(this.#state, known, params, { tracked, mayAdd });
    const isChanged = under.sql !== known.sql;
    let result: R;
    try {
      result = await start(execute, under.sql);
    } catch (error) {
      const blamed = isChanged ? blame(error, known.sql) : 'not ours';
      await under.end(false, undefined, undefined);
      if (blamed === 'ours') this.#shared.addsReturning = false;
      // In a transaction nothing else can be done any more.
      else if (under.transaction !== undefined && blamed === 'nobody') this.#shared.asItIs.add(known);
      if (under.transaction !== undefined || blamed === 'not ours') throw error;
      // It has changed nothing.
      const again = await this.#follow({ known, params, execute, mayAdd: false });
      this.#shared.addsReturning = false;
      return again;
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

/** A statement that is to be sent. */
interface Sending<R> {
  readonly known: Known;
  readonly params: Params;
  readonly execute: (sql: string) => Promise<R>;
  readonly mayAdd: boolean;
}

/** PostgreSQL: what a statement may fail with because of a RETURNING that it did not have. */
const refusals = new Set(['42501', '42601', '42703']);

/** Whether what was added behind `sql` is to blame. A privilege that is missing has no place in the text. */
function blame(error: unknown, sql: string): 'ours' | 'not ours' | 'nobody' {
  const { code, position } = Object(error) as { code?: unknown; position?: unknown };
  if (!refusals.has(String(code))) return 'not ours';
  if (position === undefined) return 'nobody';
  return Number(position) > [...sql].length ? 'ours' : 'not ours';
}

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
