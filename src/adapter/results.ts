import { ClosedError } from '../core/errors.js';
import { perAround } from './cached.js';
import type { Relation } from './catalog/index.js';
import type { Per } from './options.js';
import type { Form } from './read-through.js';
import type { Shared } from './shared.js';
import type { Wish, Wishes } from './wishes.js';

/** What a library makes of the rows of one statement or several, of which nobody has the text before it is sent. */
export interface ReadResult {
  /** What tells it from every other result of this client. */
  readonly key: readonly unknown[];
  /** For statistics and events. */
  readonly name: string;
  /** What the call says about keeping it. */
  readonly per?: Per | undefined;
  /** The tables that it is made of, for what is said about those. */
  tables(): Iterable<{ readonly schema: string | undefined; readonly name: string }>;
}

/**
 * Answers whole results from the cache, where there is no statement to go by: what a result depends on is found out by
 * the statements that its load sends, as in any other load.
 */
export class Results {
  readonly #shared: Shared<any>;
  readonly #wishes: Wishes;
  readonly #adapter: string;
  readonly #place: readonly string[];
  /** By the tags of their tables, so that what the rules say is worked out once. */
  readonly #sets = new Map<string, { readonly reads: readonly Relation[] }>();

  constructor(shared: Shared<any>, wishes: Wishes, o: { adapter: string; place: readonly string[] }) {
    this.#shared = shared;
    this.#wishes = wishes;
    this.#adapter = o.adapter;
    this.#place = o.place;
  }

  /** @throws TypeError for a wrong `per`; what `load` throws */
  async read<T>(result: ReadResult, load: () => Promise<T>, form: Form<T>): Promise<T> {
    const { port, taint } = this.#shared;
    const said = result.per ?? perAround();
    const wish = said === undefined ? this.#byRules(result) : this.#wishes.of(said);
    if (wish === undefined || port.whyPast() !== undefined) return load();
    const name = `${this.#adapter}:${result.name}`;
    if (taint !== undefined) {
      if (said !== undefined) port.emit('untracked', { key: '', name, reason: taint });
      return load();
    }
    try {
      const { value } = await port.read<unknown>({
        key: ['result', ...this.#place, ...result.key],
        name,
        statement: { text: name, params: result.key },
        settings: wish.settings,
        fresh: wish.fresh,
        likely: [],
        load: async () => form.pack(await load()),
      });
      return form.unpack(value);
    } catch (error) {
      // Without the cache the database is still there.
      if (error instanceof ClosedError) return load();
      throw error;
    }
  }

  /** Which tables there are is known once there is a catalogue. */
  #byRules(result: ReadResult): Wish | undefined {
    const { current } = this.#shared.catalogue;
    if (current === undefined) return undefined;
    const reads: Relation[] = [];
    for (const table of result.tables()) {
      const relation = current.find(table);
      if (relation === undefined) return undefined;
      reads.push(relation);
    }
    const tags = reads.map(({ tag }) => tag).join(' ');
    let known = this.#sets.get(tags);
    // A relation belongs to one state of the catalogue.
    if (known === undefined || known.reads.some((relation, at) => relation !== reads[at])) {
      if (this.#sets.size >= maxSets) this.#sets.clear();
      known = { reads };
      this.#sets.set(tags, known);
    }
    return this.#wishes.byRules(known, current);
  }
}

/** They come from queries, and there may be any number of those. */
const maxSets = 1000;
