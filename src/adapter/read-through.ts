import { ClosedError } from '../core/errors.js';
import { perAround } from './cached.js';
import type { Per } from './options.js';
import type { Shared } from './shared.js';
import type { Known } from './statements.js';
import type { Params, Plan } from './types.js';
import type { Wish, Wishes } from './wishes.js';

/** A statement of which the answer may come from the cache. */
export interface ReadStatement {
  readonly sql: string;
  readonly params: Params;
  /** What the call says about keeping it. */
  readonly per?: Per | undefined;
  /** For statistics. @defaultValue the adapter and the tables */
  readonly name?: string | undefined;
  /** What the same statement has other rows by, or rows of another shape. */
  readonly shape?: string | undefined;
  /**
   * How it is loaded once more when the reader has gone on; false where that would take a connection that he holds.
   * @defaultValue the load
   */
  readonly again?: false | (() => Promise<any>) | undefined;
}

/** How a result is kept, when it is not data as it is. */
export interface Form<T> {
  pack(result: T): unknown;
  unpack(packed: any): T | Promise<T>;
}

/**
 * Answers statements from the cache. The load of such a read sends the statement the usual way, on whatever connection,
 * and what it depends on is found out there as in any other load: there is one mechanism for both.
 */
export class ReadThrough {
  readonly #shared: Shared<any>;
  readonly #wishes: Wishes;
  readonly #adapter: string;
  /** What tells this client's answers from those of others. */
  readonly #place: readonly string[];
  /** Whether anybody says anything but calls and `cached`. */
  readonly #hasRules: boolean;

  constructor(
    shared: Shared<any>,
    wishes: Wishes,
    { adapter, place, hasRules }: { adapter: string; place: readonly string[]; hasRules: boolean },
  ) {
    this.#shared = shared;
    this.#wishes = wishes;
    this.#adapter = adapter;
    this.#place = place;
    this.#hasRules = hasRules;
  }

  /** Whether anybody wants it to come from the cache. */
  isWanted(per: Per | undefined): boolean {
    const said = per ?? perAround();
    return said === undefined ? this.#hasRules : said !== false;
  }

  /** @throws TypeError for a wrong `per`; what `load` and `past` throw */
  read<T>(statement: ReadStatement, load: () => Promise<T>, form?: Form<T>, past = load): Promise<T> {
    if (!this.isWanted(statement.per)) return past();
    return this.#readAs(statement.per ?? perAround(), statement, { load, form, past });
  }

  async #readAs<T>(said: Per | undefined, statement: ReadStatement, ways: Ways<T>): Promise<T> {
    const known = this.#shared.statements.of(statement.sql);
    // Made beside the look for the answer, an agreement would be younger than what that has seen.
    const agreeing = this.#shared.catalogue.current && this.#shared.narrowing.await();
    if (agreeing !== undefined) await agreeing;
    const plan = this.#planOf(known);
    const wish = said === undefined ? this.#byRules(plan) : this.#wishes.of(said);
    if (wish === undefined || this.#shared.port.whyPast() !== undefined) return ways.past();
    const name = statement.name ?? nameOf(this.#adapter, known);
    const why = this.#whyNot(known, plan);
    if (why !== undefined) {
      // Somebody counts on it.
      if (said !== undefined) this.#shared.port.emit('untracked', { key: '', name, reason: `${why}: ${known.text}` });
      return ways.past();
    }
    return this.#answer({ statement, known, plan, wish, name }, ways);
  }

  async #answer<T>(asked: Asked, { load, form, past }: Ways<T>): Promise<T> {
    const { statement, known, plan, wish, name } = asked;
    const { sql, params, shape, again } = statement;
    const { port, catalogue, narrowing, failed } = this.#shared;
    try {
      const { value } = await port.read<unknown>({
        key: ['sql', ...this.#place, sql, params, ...(shape === undefined ? [] : [shape])],
        name,
        statement: { text: known.text, params: Array.isArray(params) ? params : Object.entries(params).flat() },
        settings: wish.settings,
        fresh: wish.fresh,
        get likely() {
          return likelyOf(plan, params, [catalogue.tag, narrowing.tag], failed);
        },
        load: form === undefined ? load : async () => form.pack(await load()),
        again: again && form ? async () => form.pack(await again()) : again,
      });
      return form === undefined ? (value as T) : await form.unpack(value);
    } catch (error) {
      // Without the cache the database is still there.
      if (error instanceof ClosedError) return past();
      throw error;
    }
  }

  #planOf(known: Known): Plan | undefined {
    const { catalogue, plans, coarsePlans, narrowing } = this.#shared;
    return catalogue.current && (narrowing.mayNarrow ? plans : coarsePlans).of(known, catalogue.current);
  }

  /** Which tables it reads is known once there is a catalogue. */
  #byRules(plan: Plan | undefined): Wish | undefined {
    const { current } = this.#shared.catalogue;
    return plan === undefined || current === undefined ? undefined : this.#wishes.byRules(plan, current);
  }

  /** Why it cannot come from the cache. Without a catalogue its load finds out, and is not stored. */
  #whyNot({ statement, isQuery }: Known, plan: Plan | undefined): string | undefined {
    if (this.#shared.taint !== undefined) return this.#shared.taint;
    return plan?.uncacheable ?? statement.uncacheable ?? (isQuery ? undefined : 'it is no query');
  }
}

/** How a statement is sent when its answer is to be kept, and when it is not. */
interface Ways<T> {
  readonly load: () => Promise<T>;
  readonly form: Form<T> | undefined;
  readonly past: () => Promise<T>;
}

interface Asked {
  readonly statement: ReadStatement;
  readonly known: Known;
  readonly plan: Plan | undefined;
  readonly wish: Wish;
  readonly name: string;
}

/** What the load will depend on, if everything stays as it is: to be asked for together with the entry. */
function likelyOf(
  plan: Plan | undefined,
  params: Params,
  always: readonly string[],
  failed: (error: unknown) => void,
): readonly string[] {
  try {
    if (plan === undefined) return [];
    const { tags, droppable } = plan.readTags(params);
    return [...tags, ...droppable, ...always];
  } catch (error) {
    failed(error);
    return [];
  }
}

const names = new WeakMap<Known, string>();
const longest = 100;

function nameOf(adapter: string, known: Known): string {
  let name = names.get(known);
  if (name === undefined) {
    const tables = [...new Set(known.statement.reads.map(({ table }) => table.name))].sort();
    name = `${adapter}:${tables.join(',')}`.slice(0, longest);
    names.set(known, name);
  }
  return name;
}
