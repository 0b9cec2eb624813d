import type { ReadSettings } from '../core/options.js';
import type { Port } from '../core/port.js';
import type { Catalog, Relation } from './catalog/index.js';
import type { Per, PerOptions } from './options.js';
import type { Rules } from './rules.js';
import type { Plan } from './types.js';

/** What rules of tables are asked for. */
type Reads = Pick<Plan, 'reads'>;

/** How long an answer is kept. */
export interface Wish {
  readonly settings: ReadSettings;
  readonly fresh: boolean;
}

/** From what was said about keeping answers to the settings of a read, each worked out once. */
export class Wishes {
  readonly #port: Port;
  readonly #rules: Rules;
  readonly #base: ReadSettings;
  readonly #durations = new Map<unknown, Wish>();
  readonly #options = new WeakMap<PerOptions, Wish>();
  readonly #ofPlans = new WeakMap<Reads, { readonly wish: Wish | undefined }>();

  constructor(port: Port, rules: Rules) {
    this.#port = port;
    this.#rules = rules;
    // As without a cache: whoever gets rows may change them.
    this.#base = port.settings({ copy: 'clone' });
  }

  /** @throws TypeError */
  of(per: Per): Wish | undefined {
    if (per === false) return undefined;
    const isOptions = typeof per === 'object' && per !== null;
    const known = isOptions ? this.#options.get(per) : this.#durations.get(per);
    if (known !== undefined) return known;
    const { fresh = false, ...options } = isOptions ? per : { ttl: per };
    const wish = { settings: this.#port.settings(options, this.#base), fresh };
    if (isOptions) this.#options.set(per, wish);
    else {
      if (this.#durations.size >= maxDurations) this.#durations.clear();
      this.#durations.set(per, wish);
    }
    return wish;
  }

  /** What the rules of all tables say that a statement reads: the shortest counts. */
  byRules(plan: Reads, catalog: Catalog): Wish | undefined {
    let known = this.#ofPlans.get(plan);
    if (known === undefined) {
      known = { wish: this.#shortest(plan, catalog) };
      this.#ofPlans.set(plan, known);
    }
    return known.wish;
  }

  #shortest({ reads }: Reads, catalog: Catalog): Wish | undefined {
    const said = (relation: Relation): Per | undefined => {
      const { cache, ttl } = this.#rules.of(relation, catalog);
      return cache ? ttl : false;
    };
    const views = reads.filter((relation) => relation.kind === 'view' && said(relation) !== undefined);
    let shortest: Wish | undefined;
    for (const relation of reads) {
      let per = said(relation);
      if (per === undefined) {
        // The tables behind a view speak for it, or it for them.
        if (relation.kind === 'view' || views.some(({ bases }) => bases.includes(relation))) continue;
        per = this.#rules.default;
      }
      const wish = per === undefined ? undefined : this.of(per);
      if (wish === undefined) return undefined;
      if (shortest === undefined || wish.settings.ttl < shortest.settings.ttl) shortest = wish;
    }
    return shortest;
  }
}

/** They may come from computed values. */
const maxDurations = 1000;
