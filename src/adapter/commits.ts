import { collapse } from './collapse.js';
import { accompany, type Company } from './guard.js';
import { codeOf, follow, mayBeOurs, type Sending, send } from './send.js';
import type { State } from './shared.js';
import type { Known } from './statements.js';
import type { Tracked } from './track.js';
import type { Ask, Params } from './types.js';
import { UnderWay, writesOf } from './under-way.js';

/**
 * What one connection commits, and what its guards put before each COMMIT: the COMMIT of its caller gets company, a
 * statement that commits itself gets a transaction around it, and what nothing can be put before is shown to the guards.
 */
export class Commits<R> {
  readonly #state: State<R>;
  readonly #connection: object;
  readonly #ask: Ask;
  /** The last statement was a COMMIT that was rolled back instead. */
  #refused = false;
  /** MySQL: tables are locked. A BEGIN would give them back. */
  #holdsTables = false;

  constructor(state: State<R>, connection: object, ask: Ask) {
    this.#state = state;
    this.#connection = connection;
    this.#ask = ask;
  }

  /** Whether something may have to accompany its COMMIT: asked before anything of it is looked at. */
  mayBeGuarded({ isQuery, statement }: Known): boolean {
    return this.#state.shared.guards.length > 0 && !(isQuery && statement.functions.length === 0);
  }

  /** Whether it has to be put into a transaction. */
  wantsTransaction(known: Known, params: Params): boolean {
    if (this.#state.transaction !== undefined || !this.mayBeGuarded(known)) return false;
    // Of a query with functions nobody can tell before the catalogue is read, and most of them change nothing.
    if (this.#state.planOf(known) === undefined && known.isQuery) return false;
    return this.#isWrite(known, params);
  }

  /** To be called before a statement is sent as it is, without `send`. @throws what a guard does that must come before it */
  pass(known: Known, params: Params): void {
    const { work } = this.#state;
    const commits = known.controls.some((control) => work.commits(control)) && work.tags.length > 0;
    if (commits || this.wantsTransaction(known, params)) this.#unguarded(known);
  }

  /**
   * Sends what may have to be guarded; resolves when the next statement may be sent.
   *
   * @throws what a guard does, when its COMMIT was rolled back
   */
  async send(sending: Sending<R>, tracked?: Tracked): Promise<OnItsWay<R>> {
    const { known, params } = sending;
    const { work, shared } = this.#state;
    const [control] = known.controls;
    const writes = this.#isWrite(known, params);
    const wasRefused = this.#refused;
    this.#refused = false;
    if (this.#cannotBeGuarded(known)) {
      if (writes || work.tags.length > 0) this.#unguarded(known);
    } else if (control !== undefined) {
      if (work.commits(control) && work.tags.length > 0)
        return this.#commit(control.on, (it) => follow(this.#state, sending, tracked, it));
      // Whoever hears that his COMMIT was refused rolls back, and SQLite takes it amiss that there is nothing left.
      if (wasRefused && control.action === 'rollback' && shared.dialect.name === 'sqlite') await this.#ask('begin');
    } else if (writes && this.#state.transaction === undefined) {
      // It is a transaction of its own: what comes behind it is none of it.
      const result = this.#alone(sending, tracked);
      await result.catch(nothing);
      return { result };
    }
    const result = send(this.#state, sending, tracked);
    await this.#locks(known, result);
    return { result };
  }

  /** Notes whether tables are locked behind it. Only the answer tells, so what comes behind it has to wait for that. */
  async #locks({ isSeveral, statement: { holdsTables, parts } }: Known, result: Promise<unknown>): Promise<void> {
    if (holdsTables === undefined || (!holdsTables && !this.#holdsTables && !isSeveral)) return;
    try {
      await result;
      this.#holdsTables = holdsTables;
    } catch {
      // A LOCK TABLES that fails has given back what was locked before it. Of several, nobody knows how far they got.
      if (!isSeveral) this.#holdsTables &&= !holdsTables;
      else if (parts.some((part) => part.holdsTables)) this.#holdsTables = true;
    }
  }

  /** Whether nothing can be put between what it changes and its COMMIT, as far as it commits. */
  #cannotBeGuarded({ isUncertain, isSeveral, controls, statement }: Known): boolean {
    const { driver } = this.#state.shared;
    if (driver.isSpread?.(this.#connection) || isUncertain || (isSeveral && controls.length > 0)) return true;
    return this.#holdsTables || statement.refusesTransaction;
  }

  #unguarded({ text }: Known): void {
    for (const guard of this.#state.shared.guards) guard.unguarded(text);
  }

  /** Sends a COMMIT in company. @throws what a guard does, when it is rolled back */
  async #commit<T>(chains: boolean, commit: (company?: Company) => Promise<T>): Promise<OnItsWay<T>> {
    const { shared, work, names, transaction } = this.#state;
    let company: Company;
    try {
      company = await accompany(shared.guards, this.#ask, collapse(work.tags), names.areUsual(transaction));
    } catch (error) {
      // A statement in it has failed. PostgreSQL does nothing more in it, and takes COMMIT for ROLLBACK.
      if (causes(error).some((it) => codeOf(it) === '25P02')) return { result: commit() };
      await this.#control(chains ? 'rollback and chain' : 'rollback').catch(nothing);
      this.#refused = true;
      throw error;
    }
    return { result: commit(company) };
  }

  /** A statement that commits itself: in a transaction, so that something can be put before its COMMIT. */
  async #alone(sending: Sending<R>, tracked?: Tracked): Promise<R> {
    await this.#control('begin');
    let result: R;
    try {
      result = await follow(this.#state, sending, tracked);
    } catch (error) {
      await this.#control('rollback').catch(nothing);
      // Perhaps what was added to its text is to blame: it has changed nothing.
      if (sending.mayAdd && mayBeOurs(error)) return this.#alone({ ...sending, mayAdd: false });
      throw error;
    }
    try {
      const { result: committed } = await this.#commit(false, (it) => this.#control('commit', { company: it, result }));
      await committed;
    } catch (error) {
      // SQLite, when it is busy, keeps what it does not commit.
      if (this.#state.transaction !== undefined) await this.#control('rollback').catch(nothing);
      throw error;
    }
    return result;
  }

  /** Transaction control of the kit's own. */
  async #control(sql: string, { company, result }: { company?: Company | undefined; result?: R } = {}): Promise<void> {
    const known = this.#state.shared.statements.of(sql);
    const under = new UnderWay(this.#state, known, [], { tracked: undefined, mayAdd: false });
    try {
      await this.#ask(sql);
    } catch (error) {
      await under.end(false, undefined, undefined, { company, error });
      throw error;
    }
    await under.end(true, undefined, result, { company });
  }

  /** Whether it may change rows, as far as anybody knows. */
  #isWrite(known: Known, params: Params): boolean {
    const { kind, opaque, writes } = known.statement;
    if (kind === 'ddl' && opaque === undefined && writes.length === 0) return false;
    return writesOf(this.#state, known, this.#state.planOf(known), params) !== undefined;
  }
}

/** In a box: a promise that comes out of a promise would be waited for. */
export interface OnItsWay<T> {
  readonly result: Promise<T>;
}

/** An error, and what it was made of. */
function causes(error: unknown): object[] {
  const all: object[] = [];
  for (let it = error; typeof it === 'object' && it !== null && all.length < 8; it = (it as Error).cause) all.push(it);
  return all;
}

const nothing = () => {};
