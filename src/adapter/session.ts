import type { Unit } from '../core/port.js';
import { runAtOnce } from './at-once.js';
import type { Asking } from './catalogue.js';
import { collapse } from './collapse.js';
import { accompany, type Company } from './guard.js';
import { type Shared, State } from './shared.js';
import type { Known } from './statements.js';
import { type Tracked, track } from './track.js';
import type { Params, Row } from './types.js';
import { UnderWay, writesOf } from './under-way.js';

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
  /** The last statement that waits for something before it is sent. */
  #waiting: Promise<unknown> | undefined;
  /** Statements on their way. One may be a `BEGIN` that nobody awaited. */
  #running = 0;
  /** The last statement was a COMMIT that was rolled back instead. */
  #refused = false;
  /** MySQL: between LOCK TABLES and UNLOCK TABLES. */
  #holdsTables = false;

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
    const sending = { known, params, execute, mayAdd };
    this.#running++;
    const running = this.#next(sending, tracked);
    running.then(this.#ended, this.#ended);
    return running;
  }

  #next(sending: Sending<R>, tracked: Tracked | undefined | Promise<Tracked | undefined>): Promise<R> {
    if (this.#mayBeGuarded(sending.known)) return this.#inOrder(tracked, (it) => this.#sendGuarded(sending, it));
    if (this.#waiting === undefined && !(tracked instanceof Promise)) return this.#send(sending, tracked);
    return this.#inOrder(tracked, (it) => ({ result: this.#send(sending, it) }));
  }

  wantsTransaction(sql: string, params: Params): boolean {
    const known = this.#shared.statements.of(sql);
    if (this.isInTransaction || !this.#mayBeGuarded(known)) return false;
    // Of a query with functions nobody can tell before the catalogue is read, and most of them change nothing.
    if (this.#state.planOf(known) === undefined && known.isQuery) return false;
    return isWrite(this.#state, known, params);
  }

  runAtOnce(sql: string, params: Params, execute: () => R): R {
    const about = { state: this.#state, asking: this, connection: this.#connection };
    const known = this.#shared.statements.of(sql);
    const { work } = this.#state;
    const commits = known.controls.some((control) => work.commits(control)) && work.tags.length > 0;
    if (commits || this.wantsTransaction(sql, params)) this.#unguarded(known);
    return runAtOnce(about, known, params, execute);
  }

  readonly #ended = () => {
    this.#running--;
  };

  open(sql: string, params: Params): Promise<OpenStatement> {
    const known = this.#shared.statements.of(sql);
    const open = async (tracked?: Tracked): Promise<OpenStatement> => {
      if (this.wantsTransaction(sql, params)) this.#unguarded(known);
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
    const { catalogue, agreement, failed } = this.#shared;
    try {
      const loading = both(catalogue.await(known, this), known.needsCatalog ? agreement.await() : undefined);
      if (loading === undefined) return track(this.#state, known, params);
      return loading.then(() => track(this.#state, known, params));
    } catch (error) {
      return void failed(error);
    }
  }

  /** Sends in the order of coming: nobody passes a statement that waits. */
  #inOrder<T>(
    tracked: Tracked | undefined | Promise<Tracked | undefined>,
    send: (it?: Tracked) => Sent<T> | Promise<Sent<T>>,
    leave: () => void | Promise<void> = nothing,
  ): Promise<T> {
    const before = this.#waiting;
    const sent = (async () => {
      const it = await tracked;
      await before;
      return send(it);
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

  /** Whether something may have to accompany its COMMIT: asked before anything of it is looked at. */
  #mayBeGuarded({ isQuery, statement }: Known): boolean {
    return this.#shared.guards.length > 0 && !(isQuery && statement.functions.length === 0);
  }

  #unguarded({ text }: Known): void {
    for (const guard of this.#shared.guards) guard.unguarded(text);
  }

  /** What would commit something is sent in company. */
  async #sendGuarded(sending: Sending<R>, tracked?: Tracked): Promise<Sent<R>> {
    const { known, params } = sending;
    const { work, shared } = this.#state;
    const [control] = known.controls;
    const writes = isWrite(this.#state, known, params);
    const wasRefused = this.#refused;
    this.#refused = false;
    if (this.#cannotBeGuarded(known)) {
      if (writes || work.tags.length > 0) this.#unguarded(known);
    } else if (control !== undefined) {
      if (work.commits(control) && work.tags.length > 0)
        return this.#commit(control.on, (it) => this.#follow(sending, tracked, it));
      // Whoever hears that his COMMIT was refused rolls back, and SQLite takes it amiss that there is nothing left.
      if (wasRefused && control.action === 'rollback' && shared.dialect.name === 'sqlite') await this.ask('begin');
    } else if (writes && !this.isInTransaction) {
      // It is a transaction of its own: what comes behind it is none of it.
      const result = this.#alone(sending, tracked);
      await result.catch(nothing);
      return { result };
    }
    return { result: this.#send(sending, tracked) };
  }

  /** Whether nothing can be put between what it changes and its COMMIT, as far as it commits. */
  #cannotBeGuarded({ sql, isUncertain, isSeveral, controls, statement: { kind } }: Known): boolean {
    const { driver, dialect } = this.#shared;
    // A BEGIN would give them back.
    if (dialect.name === 'mysql' && tableLocks.test(sql)) this.#holdsTables = !/^\s*unlock/i.test(sql);
    if (driver.isSpread?.(this.#connection) || isUncertain || (isSeveral && controls.length > 0)) return true;
    return this.#holdsTables || (kind === 'ddl' && outsideOfTransactions.test(sql));
  }

  /** Sends a COMMIT in company. @throws what a guard does, when it is rolled back */
  async #commit<T>(chains: boolean, send: (company?: Company) => Promise<T>): Promise<Sent<T>> {
    const { guards } = this.#shared;
    let company: Company;
    try {
      company = await accompany(guards, this.ask, collapse(this.#state.work.tags));
    } catch (error) {
      // A statement in it has failed. PostgreSQL does nothing more in it, and takes COMMIT for ROLLBACK.
      if (causes(error).some((it) => codeOf(it) === '25P02')) return { result: send() };
      await this.#control(chains ? 'rollback and chain' : 'rollback').catch(nothing);
      this.#refused = true;
      throw error;
    }
    return { result: send(company) };
  }

  /** A statement that commits itself: in a transaction, so that something can be put before its COMMIT. */
  async #alone(sending: Sending<R>, tracked?: Tracked): Promise<R> {
    await this.#control('begin');
    let result: R;
    try {
      result = await this.#follow(sending, tracked);
    } catch (error) {
      await this.#control('rollback').catch(nothing);
      // Perhaps what was added to its text is to blame: it has changed nothing.
      if (sending.mayAdd && refusals.has(codeOf(error))) return this.#alone({ ...sending, mayAdd: false });
      throw error;
    }
    try {
      const { result: committed } = await this.#commit(false, (it) => this.#control('commit', { company: it, result }));
      await committed;
    } catch (error) {
      // SQLite, when it is busy, keeps what it does not commit.
      if (this.isInTransaction) await this.#control('rollback').catch(nothing);
      throw error;
    }
    return result;
  }

  /** Transaction control of the kit's own. */
  async #control(sql: string, { company, result }: { company?: Company | undefined; result?: R } = {}): Promise<void> {
    const known = this.#shared.statements.of(sql);
    const under = new UnderWay(this.#state, known, [], { tracked: undefined, mayAdd: false });
    try {
      await this.ask(sql);
    } catch (error) {
      await under.end(false, undefined, undefined, { company, error });
      throw error;
    }
    await under.end(true, undefined, result, { company });
  }

  async #follow({ known, params, execute, mayAdd }: Sending<R>, tracked?: Tracked, company?: Company): Promise<R> {
    const under = new UnderWay(this.#state, known, params, { tracked, mayAdd });
    const isChanged = under.sql !== known.sql;
    let result: R;
    let isSent = false;
    try {
      const running = execute(under.sql);
      isSent = true;
      result = await running;
    } catch (error) {
      const blamed = isChanged ? blame(error, known.sql) : 'not ours';
      await under.end(false, undefined, undefined, { company, error, isSent });
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
    await under.end(true, rows, result, { company });
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

/** In a box: a promise that comes out of a promise would be waited for. */
interface Sent<T> {
  readonly result: Promise<T>;
}

/** PostgreSQL: what a statement may fail with because of a RETURNING that it did not have. */
const refusals = new Set(['42501', '42601', '42703']);

/** Whether what was added behind `sql` is to blame. A privilege that is missing has no place in the text. */
function blame(error: unknown, sql: string): 'ours' | 'not ours' | 'nobody' {
  const { position } = Object(error) as { position?: unknown };
  if (!refusals.has(codeOf(error))) return 'not ours';
  if (position === undefined) return 'nobody';
  return Number(position) > [...sql].length ? 'ours' : 'not ours';
}

function codeOf(error: unknown): string {
  return String((Object(error) as { code?: unknown }).code);
}

/** An error, and what it was made of. */
function causes(error: unknown): object[] {
  const all: object[] = [];
  for (let it = error; typeof it === 'object' && it !== null && all.length < 8; it = (it as Error).cause) all.push(it);
  return all;
}

/** MySQL. */
const tableLocks = /^\s*(?:un)?lock\s+tables?\b/i;
/** PostgreSQL: definitions that it does not carry out in a transaction. */
const outsideOfTransactions = /\bconcurrently\b|^\s*\w+\s+(?:database|tablespace|subscription|system)\b/i;

/** Whether it may change rows, as far as anybody knows. */
function isWrite(state: State<unknown>, known: Known, params: Params): boolean {
  if (known.statement.kind === 'ddl' && known.statement.writes.length === 0) return false;
  return writesOf(state, known, state.planOf(known), params) !== undefined;
}

/** Whether it changes nothing, as far as anybody knows. */
function isQuiet(state: State<unknown>, known: Known): boolean {
  const plan = state.planOf(known);
  return plan === undefined ? known.statement.functions.length === 0 : !plan.writes && plan.everything === undefined;
}

function both(one: Promise<void> | undefined, other: Promise<void> | undefined): Promise<unknown> | undefined {
  return one && other ? Promise.all([one, other]) : (one ?? other);
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
