import { CommitUnknownError } from '../core/errors.js';
import type { Company } from './guard.js';
import { isCertain } from './outcome.js';
import { type Ended, publish } from './publish.js';
import { Narrowed, type State } from './shared.js';
import type { Known } from './statements.js';
import { endTracked, refuseUntracked, type Tracked } from './track.js';
import type { Params, Plan, Row, WriteTags } from './types.js';
import type { Step } from './unit-of-work.js';

/**
 * A statement from the moment when it is sent to its end. Making one changes the state of the connection, so nothing may
 * come between that and sending it.
 */
export class UnderWay {
  /** The text to send. */
  readonly sql: string;
  /** The transaction that it was sent in. */
  readonly transaction: object | undefined;
  readonly #state: State<unknown>;
  readonly #known: Known;
  readonly #tracked: Tracked | undefined;
  readonly #failing: (() => void) | undefined;
  readonly #steps: Step[] = [];
  readonly #isAtOnce: boolean;
  #writes: WriteTags | undefined;
  #written: (tags: readonly string[]) => readonly string[] = (tags) => tags;
  /** Whether its rows tell what it has changed. */
  readonly #tells: boolean;
  readonly #narrowed = new Narrowed();

  /**
   * @param mayAdd - whether its text may be made to return rows
   * @param isAtOnce - whether its caller waits for nobody
   */
  constructor(
    state: State<unknown>,
    known: Known,
    params: Params,
    { tracked, mayAdd, isAtOnce = false }: { tracked: Tracked | undefined; mayAdd: boolean; isAtOnce?: boolean },
  ) {
    this.#isAtOnce = isAtOnce;
    this.#state = state;
    this.#known = known;
    this.#tracked = tracked;
    const { work, names, shared } = state;
    this.transaction = work.transaction;
    this.#failing = work.failing();
    let returning: string | undefined;
    try {
      refuseUntracked(state, known, tracked);
      const plan = state.planOf(known);
      this.#writes = writesOf(state, known, plan, params);
      if (this.#writes !== undefined) this.#narrow(params);
      const adds = mayAdd && shared.addsReturning && !shared.asItIs.has(known);
      if (adds && shared.driver.hideRows !== undefined) returning = plan?.returning;
    } catch (error) {
      shared.failed(error);
      this.#writes = anything(state);
    }
    names.sent(known, this.transaction);
    const { controls, isSeveral, isUncertain, sql } = known;
    if (controls.length > 0) this.#steps.push(isSeveral ? work.several(controls) : work.control(controls[0]!));
    if (isUncertain) this.#steps.push(work.uncertain());
    if (this.#writes !== undefined) this.#written = work.write(this.#writes.tags);
    this.#tells = returning !== undefined || (!isSeveral && known.statement.writes.some((it) => it.returning));
    this.sql = returning === undefined ? sql : `${sql} returning "${returning.replaceAll('"', '""')}"`;
  }

  /**
   * It has ended; resolves when what follows for the cache is done.
   *
   * @param company - what has accompanied its COMMIT
   * @param error - what it has failed with
   * @param isSent - whether the driver has taken it. @defaultValue true
   * @throws InvalidationPendingError; CommitUnknownError when it has failed, and may have been carried out all the same
   */
  async end(
    ok: boolean,
    rows: readonly Row[] | undefined,
    result: unknown,
    { company, error, isSent = true }: { company?: Company | undefined; error?: unknown; isSent?: boolean } = {},
  ): Promise<void> {
    const { shared, work } = this.#state;
    const isOver = !isSent || isCertain(error, shared.dialect);
    const outcome = ok ? 'committed' : isOver ? 'rolled back' : 'unknown';
    const isAtOnce = this.#isAtOnce;
    const ended: Ended = { ok, result, tags: [], units: [], again: false, isAtOnce, company, outcome };
    if (this.#tracked !== undefined) endTracked(this.#state, this.#tracked, ok ? rows : undefined);
    if (!ok) this.#failing?.();
    ended.tags.push(...this.#written(this.#changed(ok ? rows : undefined)));
    // Its answer may have been lost, and the server may carry it out later.
    if (!ok && this.#writes !== undefined && this.transaction === undefined) ended.again = true;
    for (const step of this.#steps) {
      const publication = step(ok);
      if (publication === undefined) continue;
      ended.tags.push(...publication.tags);
      ended.units.push(...publication.units);
      ended.again ||= publication.again;
    }
    if (!ok) this.#state.aborted = this.transaction ?? work.transaction;
    else if (this.#known.controls.length > 0) this.#state.aborted = undefined;
    this.#define();
    const narrowed = this.#ofAll();
    if (ended.tags.length + ended.units.length > 0) await publish(shared, narrowed, ended);
    else company?.ended(outcome, true);
    // What a driver finds wrong with its arguments is no loss of a connection, and the caller's own.
    const isTheirs = error instanceof TypeError || error instanceof RangeError;
    if (outcome === 'unknown' && !isTheirs && this.#commits(ended)) {
      this.#state.unknown = new CommitUnknownError(ended.tags, { cause: error });
      throw this.#state.unknown;
    }
    // Who hears of that rolls back, on a connection that is gone, and would tell of nothing else.
    const rollsBack = this.#known.controls.some(({ action }) => action === 'rollback');
    if (!ok && rollsBack && this.#state.unknown !== undefined) throw this.#state.unknown;
    if (ok) this.#state.unknown = undefined;
  }

  /** Whether it would have committed what it has written, or what was written before it. */
  #commits({ tags }: Ended): boolean {
    const { controls, statement } = this.#known;
    if (this.transaction === undefined && controls.length === 0) return statement.writes.length > 0;
    return tags.length > 0 && controls.some(({ action }) => action !== 'rollback');
  }

  /** Remembers what the write is to those who go by other rules, if it goes by any. */
  #narrow(params: Params): void {
    const { version } = this.#state.shared.narrowing;
    if (version === undefined) return;
    const coarse = writesOf(this.#state, this.#known, this.#state.coarsePlanOf(this.#known), params)?.tags ?? [];
    this.#narrowed.add(version, coarse);
    if (this.transaction !== undefined) this.#state.narrowed.add(version, coarse);
  }

  /** What was narrowed by it, and in the transaction that it has ended. */
  #ofAll(): Narrowed {
    const { narrowed, transaction } = this.#state;
    const all = new Narrowed();
    for (const { versions, coarse } of [narrowed, this.#narrowed])
      for (const version of versions) all.add(version, coarse);
    if (transaction === undefined) this.#state.narrowed = new Narrowed();
    return all;
  }

  /** What it has changed, as far as its rows tell. */
  #changed(rows: readonly Row[] | undefined): readonly string[] {
    if (this.#writes === undefined) return [];
    if (rows === undefined || !this.#tells) return this.#writes.tags;
    try {
      return this.#writes.refine(rows);
    } catch (error) {
      this.#state.shared.failed(error);
      return this.#writes.tags;
    }
  }

  #define(): void {
    const { defines, controls } = this.#known;
    // Once now, since the connection sees it, and once when it is committed, since then the others do.
    if (defines || (this.#state.defines && controls.length > 0)) this.#state.shared.catalogue.change();
    this.#state.defines = this.#state.transaction !== undefined && (this.#state.defines || defines);
  }
}

/** What it may change, as far as anybody can tell before it is sent. */
export function writesOf(
  state: State<unknown>,
  { statement, defines }: Pick<Known, 'statement' | 'defines'>,
  plan: Plan | undefined,
  params: Params,
): WriteTags | undefined {
  if (defines) return and(writesOf(state, { statement, defines: false }, plan, params), [state.shared.catalogue.tag]);
  if (plan === undefined) {
    const mayWrite = statement.opaque !== undefined || statement.writes.length > 0 || statement.functions.length > 0;
    return mayWrite ? anything(state) : undefined;
  }
  if (plan.everything === undefined) return plan.writes ? plan.writeTags(params) : undefined;
  return and(plan.writeTags(params), state.shared.port.everything);
}

function and(writes: WriteTags | undefined, more: readonly string[]): WriteTags {
  return {
    tags: [...(writes?.tags ?? []), ...more],
    refine: (rows) => [...(writes?.refine(rows) ?? []), ...more],
  };
}

/** What nobody can tell may be all there is. */
function anything({ shared }: State<unknown>): WriteTags {
  const { everything } = shared.port;
  return { tags: everything, refine: () => everything };
}
