import type { Ask } from '../../core/ask.js';
import { currentContext, handUp } from '../../core/context.js';
import { TenantMissingError } from '../../core/errors.js';
import { marksOf as labelsOf } from '../../core/events.js';
import type { Explanation } from '../../core/explain.js';
import { type Landing, valueOf } from '../../core/flight.js';
import type { LoadContext } from '../../core/options.js';
import { withTags } from '../../core/resolve.js';
import type { View } from '../../core/view.js';
import { encodeKey } from '../../values/index.js';
import { type AnyRow, type Definition, type Marks, marksOf, ownRows } from './definition.js';
import { explainRow } from './explain.js';
import { Forest } from './forest.js';
import { amend, grow, weigh } from './growth.js';
import { keyOf } from './item.js';
import { Levels } from './levels.js';
import type { Site } from './site.js';
import type { TreeContext } from './types.js';
import { Need, type Walk } from './walks.js';
import { loadWhole, plant } from './whole.js';

/**
 * How a tree is read. Its forest is an entry of the cache's memory like any other, that nobody but the tree asks for:
 * found, checked, replaced, bounded, cleared and counted as entries are, at one look for a whole subtree. A walk that
 * finds all it needs has been answered; for the rest, parts are loaded until it does, and then it is looked at once more.
 */
export class Reads {
  readonly #view: View;
  readonly #definition: Definition;
  #text: string;
  #generation: number;

  constructor(view: View, definition: Definition) {
    this.#view = view;
    this.#definition = definition;
    this.#generation = view.parts.clients.generation;
    this.#text = this.#textOf('forest');
  }

  /** What a walk finds: at once, if that is in the forest that may be served. */
  answer<T>(walk: Walk<AnyRow, T>, forest = this.here()): Promise<T> {
    if (forest === undefined) return this.#read(walk, undefined);
    try {
      const need = new Need();
      const found = walk(forest, need);
      return need.isEmpty ? Promise.resolve(found) : this.#read(walk, forest);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The forest, where a hit needs no thought. */
  here(): Forest<AnyRow> | undefined {
    const { clients } = this.#view.parts;
    if (clients.generation !== this.#generation) {
      this.#generation = clients.generation;
      this.#text = this.#textOf('forest');
    }
    try {
      const entry = this.#view.hit(this.#view.keyOf(this.#text), this.#definition.settings);
      return entry?.kept.value as Forest<AnyRow> | undefined;
    } catch {
      return undefined; // whoever reads on will meet it again
    }
  }

  async #read<T>(walk: Walk<AnyRow, T>, first: Forest<AnyRow> | undefined): Promise<T> {
    const view = this.#view;
    const { near, clock } = view.parts;
    view.refuseWhenClosed('read');
    const site = this.#site();
    const why = view.mode() === 'shadow' ? shadowed : view.whyPast();
    if (why !== undefined) return this.#past(site, walk, why);
    const levels = new Levels(site);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const here = attempt === 0 ? first : this.here();
      const known = near.peek(site.ask.identity.key)?.kept.value as Forest<AnyRow> | undefined;
      const state = known?.version;
      const landing = here === undefined ? await view.miss(site.ask) : undefined;
      const forest = here ?? (valueOf(landing as Landing) as Forest<AnyRow>);
      // While this one looked, others have put in what depends on more than it has looked at.
      if (landing !== undefined && !covers(landing, forest)) {
        amend(site, forest);
        continue;
      }
      const { era } = forest;
      // The look has proven what was there when it began; what others have put in since it has not.
      const isProven = landing === undefined || forest.isComplete;
      let need = new Need(isProven ? undefined : forest === known ? state : 0);
      let found = walk(forest, need);
      if (need.isEmpty && !need.isLate) return found;
      while (!need.isEmpty && levels.torn === undefined && forest.era - era < maxAttempts) {
        await levels.fetchAll(forest, need);
        need = new Need();
        found = walk(forest, need);
      }
      amend(site, forest);
      levels.flush(forest);
      if (levels.torn !== undefined) return this.#past(site, walk, levels.torn);
      // Parts that came later may be of another state than those that were here: so it is looked at once more.
      const isKept = near.peek(site.ask.identity.key)?.kept.value === forest;
      const isLast = attempt === maxAttempts - 1;
      if (!need.isEmpty || (isKept && !isLast)) continue;
      // Each part is right at some moment of this read, and there was none at which nothing moved.
      if (isKept) tellOfHaste(site, forest);
      if (currentContext() !== undefined && !forest.isDetached)
        handUp(view.parts, {
          pairs: forest.guards,
          ttl: forest.expiresAt - clock.now(),
          stale: false,
          torn: undefined,
        });
      return found;
    }
    return this.#past(site, walk, tooFast);
  }

  /** A read that goes past the cache: rows of its own, out of the database. */
  async #past<T>(site: Site, walk: Walk<AnyRow, T>, why: string): Promise<T> {
    const { options, shape } = this.#definition;
    const load = async (context: LoadContext) => {
      const own: TreeContext = { signal: context.signal, tenant: site.tenant };
      const forest =
        options.rows === undefined
          ? new Forest<AnyRow>(shape, false, true)
          : plant(this.#definition, ownRows(this.#definition, site.tenant, await options.rows(own)), undefined);
      const levels = new Levels(site);
      for (;;) {
        const need = new Need();
        const found = walk(forest, need);
        if (need.isEmpty) return found;
        await levels.fetchAll(forest, need);
      }
    };
    const ask = this.#view.ask(site.ask.identity.key, { ...site.ask.query, load });
    return (await this.#view.past(ask, why)).raw as T;
  }

  #site(): Site {
    const view = this.#view;
    const { parts } = view;
    const { name, options, settings } = this.#definition;
    const identity = view.identityOf(name);
    const { tenant } = identity;
    if (options.tenant !== undefined && tenant === undefined) throw new TenantMissingError(`the tree '${name}'`);
    const marks = this.#marks(tenant);
    const { version } = parts.settings;
    const tagged = withTags(options.rows === undefined ? { ...settings, jitter: 0 } : settings, marks.all);
    const askOf = (part: string) =>
      view.ask(view.keyOf(this.#textOf(part)), { name, settings: tagged, version, load: () => undefined });
    const prior = (key: string) => parts.near.peek(key)?.kept.value as Forest<AnyRow> | undefined;
    const ask: Ask = view.ask(view.keyOf(this.#textOf('forest')), {
      ...{ name, settings: tagged, version, resident: (forest: Forest<AnyRow>, scope) => weigh(site, forest, scope) },
      load: (context) => {
        const { key } = ask.identity;
        if (options.rows === undefined) return grow(site, context, prior(key));
        const own: TreeContext = {
          get signal() {
            return context.signal;
          },
          tenant,
        };
        return loadWhole(parts, this.#definition, askOf, own, prior(key));
      },
    });
    const site: Site = {
      ...{ parts, definition: this.#definition, ask, askOf, marks, tenant, trustedAgain: parts.tags.trustedAgain },
      amend: (forest) => amend(site, forest),
    };
    return site;
  }

  #marks(tenant: string | number | undefined): Marks {
    return marksOf(this.#view, this.#definition, tenant);
  }

  /** The text of a key. What the marks are made of is part of it: a tree that depends on others is another one. */
  #textOf(part: string): string {
    const { name, options } = this.#definition;
    const { all, isPrecise } = options.table === undefined ? { all: [], isPrecise: false } : this.#marks(undefined);
    return encodeKey(['~tree', name, part, all as string[], isPrecise]);
  }

  /** What a read of a row and all that is below it would find, and why not. */
  async explain(id: unknown): Promise<Explanation> {
    const past = this.#view.mode() === 'shadow' ? shadowed : this.#view.whyPast();
    return explainRow(this.#site(), id, past);
  }

  /** What this process knows of a row, old or not. */
  known(id: unknown) {
    const key = this.#view.keyOf(this.#textOf('forest'));
    const forest = this.#view.parts.near.peek(key)?.kept.value as Forest<AnyRow> | undefined;
    return forest?.items.get(keyOf(id));
  }
}

/** Whether a look has seen the versions of all that a forest depends on, and its reader hands all of them up. */
function covers({ pairs }: Landing, { guards }: Forest<AnyRow>): boolean {
  const seen = new Map(pairs);
  for (const [tag, version] of guards) if (seen.get(tag) !== version) return false;
  return true;
}

function tellOfHaste({ parts: { events, stats }, ask: { identity, counter } }: Site, { guards }: Forest<AnyRow>): void {
  const { key, tenant } = identity;
  if (events.hears('miss'))
    events.emit('miss', { key, name: counter.name, reason: tooFast, ...labelsOf(stats, tenant, guards) });
}

const shadowed = "the cache's mode is 'shadow'";
/** So often a read looks whether what it has found was there at one moment. */
const maxAttempts = 8;
const tooFast = 'it changes faster than it can be read';
