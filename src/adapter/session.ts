import type { Unit } from '../core/port.js';
import { runAtOnce } from './at-once.js';
import type { Asking } from './catalogue.js';
import { Commits, type OnItsWay } from './commits.js';
import { type Sending, send } from './send.js';
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
  /**
   * Whether it has to be put into a transaction, by who gives the connection: where each statement may be sent on
   * another one, none can be begun here.
   */
  wantsTransaction(sql: string, params: Params): boolean;
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
  readonly #commits: Commits<R>;
  /** The last statement that waits for something before it is sent. */
  #waiting: Promise<unknown> | undefined;
  /** Statements on their way. One may be a `BEGIN` that nobody awaited. */
  #running = 0;

  constructor(shared: Shared<R>, connection: object) {
    this.#shared = shared;
    this.#connection = connection;
    this.#state = new State(shared);
    this.#commits = new Commits(this.#state, connection, this.ask);
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

  get isLoading(): boolean {
    return this.#shared.port.inLoad();
  }

  get isUsual(): boolean {
    return this.#state.names.areUsual(this.transaction);
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.unit === undefined;
  }

  readonly ask = (sql: string): Promise<readonly Row[]> => this.#shared.driver.ask(this.#connection, sql);

  run(sql: string, params: Params, execute: (sql: string) => Promise<R>, mayAdd = true): Promise<R> {
    const known = this.#shared.statements.of(sql);
    const tracked = this.#prepare(known, params);
    const sending = { known, params, execute, mayAdd };
    this.#running++;
    const running = this.#next(sending, tracked);
    running.then(this.#ended, this.#ended);
    return running;
  }

  #next(sending: Sending<R>, tracked: Tracked | undefined | Promise<Tracked | undefined>): Promise<R> {
    if (this.#commits.mayBeGuarded(sending.known))
      return this.#inOrder(tracked, (it) => this.#commits.send(sending, it));
    if (this.#waiting === undefined && !(tracked instanceof Promise)) return send(this.#state, sending, tracked);
    return this.#inOrder(tracked, (it) => ({ result: send(this.#state, sending, it) }));
  }

  wantsTransaction(sql: string, params: Params): boolean {
    return this.#commits.wantsTransaction(this.#shared.statements.of(sql), params);
  }

  runAtOnce(sql: string, params: Params, execute: () => R): R {
    const about = { state: this.#state, asking: this, connection: this.#connection };
    const known = this.#shared.statements.of(sql);
    this.#commits.pass(known, params);
    return runAtOnce(about, known, params, execute);
  }

  readonly #ended = () => {
    this.#running--;
  };

  open(sql: string, params: Params): Promise<OpenStatement> {
    const known = this.#shared.statements.of(sql);
    const open = async (tracked?: Tracked): Promise<OpenStatement> => {
      this.#commits.pass(known, params);
      const under = new UnderWay(this.#state, known, params, { tracked, mayAdd: false });
      let ended: Promise<void> | undefined;
      return {
        end: (error) => {
          ended ??= under.end(error === undefined, undefined, undefined, { error });
          return ended;
        },
      };
    };
    // What comes behind it is sent when it was.
    const sent = (it?: Tracked) => ({ result: open(it) });
    return this.#inOrder(this.#prepare(known, params), sent, () => new Promise(setImmediate));
  }

  /** What must be known before it is sent: the catalogue, and for a load the versions of what it reads. */
  #prepare(known: Known, params: Params): Tracked | undefined | Promise<Tracked | undefined> {
    const { catalogue, narrowing, failed } = this.#shared;
    try {
      const loading = both(catalogue.await(known, this), known.needsCatalog ? narrowing.await() : undefined);
      if (loading === undefined) return track(this.#state, known, params);
      return loading.then(() => track(this.#state, known, params));
    } catch (error) {
      return void failed(error);
    }
  }

  /** Sends in the order of coming: nobody passes a statement that waits. */
  #inOrder<T>(
    tracked: Tracked | undefined | Promise<Tracked | undefined>,
    sendIt: (it?: Tracked) => OnItsWay<T> | Promise<OnItsWay<T>>,
    leave: () => void | Promise<void> = nothing,
  ): Promise<T> {
    const before = this.#waiting;
    const sent = (async () => {
      const it = await tracked;
      await before;
      return sendIt(it);
    })();
    const passed: Promise<void> = sent.then(leave, nothing).then(() => {
      if (this.#waiting === passed) this.#waiting = undefined;
    });
    this.#waiting = passed;
    return sent.then(({ result }) => result);
  }
}

function both(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<unknown> | undefined {
  return one && other ? Promise.all([one, other]) : (one ?? other);
}

const nothing = () => {};
