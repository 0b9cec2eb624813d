import type { Ask } from '../../core/ask.js';
import { refuseUnknown } from '../../core/check.js';
import { checkTags, type What } from '../../core/dependency.js';
import { answerOf } from '../../core/entry.js';
import { expected } from '../../core/errors.js';
import { type Landing, valueOf } from '../../core/flight.js';
import type { ReadSettings } from '../../core/options.js';
import type { Receipt } from '../../core/receipt.js';
import { resolveReadOptions, withTags } from '../../core/resolve.js';
import type { View } from '../../core/view.js';
import { encodeKey, type Key, type KeyPart } from '../../values/index.js';
import { Collector } from './collector.js';
import { matcherOf } from './match.js';
import type { Batch } from './types.js';

/** What the types of the face say, as seen from inside. */
export interface GivenBatch {
  readonly name: string;
  readonly load: (inputs: readonly unknown[]) => unknown;
  readonly by?: string | undefined;
  readonly many?: boolean | undefined;
  readonly key?: ((input: unknown) => Key) | undefined;
  readonly tags?: ((input: unknown) => readonly What<string>[]) | undefined;
  readonly maxBatch?: number | undefined;
  readonly apart?: boolean | undefined;
  /** Of an adapter: why nothing is served and stored. */
  readonly past?: string | undefined;
}

/** A batch whose name nobody else has. @throws TypeError */
export function createBatch(view: View, options: GivenBatch): Batch<any, any> {
  const batch = openBatch(view, options);
  view.claim(options.name, batch);
  return batch;
}

/** One of any number by the same name, whose keys must say which is which. @throws TypeError */
export function openBatch(view: View, options: GivenBatch): Batch<any, any> {
  if (typeof options !== 'object' || options === null)
    throw expected('options', 'an object with `name` and `load`', options);
  const { name, load, by, many, key, tags, maxBatch = 1000, apart = false, past, ...timing } = options;
  if (typeof name !== 'string' || name === '') throw expected('name', 'a non-empty text', name);
  if (typeof load !== 'function') throw expected('load', 'a function', load);
  for (const [what, fn] of Object.entries({ key, tags }))
    if (fn !== undefined && typeof fn !== 'function') throw expected(what, 'a function of an input', fn);
  if (!Number.isInteger(maxBatch) || maxBatch < 1) throw expected('maxBatch', 'a whole number of at least 1', maxBatch);
  for (const [what, flag] of Object.entries({ many, apart }))
    if (flag !== undefined && typeof flag !== 'boolean') throw expected(what, 'true or false', flag);
  if (by !== undefined && typeof by !== 'string') throw expected('by', 'the name of a column', by);
  if (many !== undefined && by === undefined) throw expected('by', 'the name of a column, since `many` is given', by);
  refuseUnknown(timing, timingNames, 'batch');
  const settings = resolveReadOptions(timing, view.parts.settings.read);
  const match = matcherOf(by, many ?? false);
  const collector = new Collector(view, { name, load, match, maxBatch, apart });
  return new CachedBatch(view, { name, key, tags, settings, collector, past });
}

const timingNames = [
  ...['ttl', 'swr', 'staleOnError', 'jitter', 'timeout', 'negativeTtl'],
  ...['maxStale', 'tolerate', 'copy'],
];

interface Parts {
  readonly name: string;
  readonly key: GivenBatch['key'];
  readonly tags: GivenBatch['tags'];
  readonly settings: ReadSettings;
  readonly collector: Collector;
  readonly past: string | undefined;
}

/**
 * Each input is read as by `getOrSet`, in its caller's place: it is a hit, joins who is loading it, is checked, refreshed
 * and reported as any other. Only what has to be loaded is collected, and loaded together; so everything that is promised
 * of a single read is promised of a batch.
 */
class CachedBatch implements Batch<unknown, unknown> {
  readonly #view: View;
  readonly #of: Parts;

  constructor(view: View, of: Parts) {
    this.#view = view;
    this.#of = of;
  }

  load(input: unknown): Promise<unknown> {
    const { settings, past } = this.#of;
    const view = this.#view;
    try {
      const key = view.keyOf(this.#textOf(input));
      if (past !== undefined) return view.past(this.#ask(key, input), past).then(valueOf);
      const entry = view.hit(key, settings);
      if (entry !== undefined) return answerOf(entry);
      const joined = settings.tolerate === 0 ? view.join(key, settings) : undefined;
      if (joined === undefined) return this.#miss(key, input).then(valueOf);
      return joined.then((landing) =>
        landing === undefined ? this.#miss(key, input).then(valueOf) : valueOf(landing),
      );
    } catch (error) {
      return this.#failed(error, input).then(valueOf);
    }
  }

  async loadMany(inputs: readonly unknown[]): Promise<unknown[]> {
    if (!Array.isArray(inputs)) throw expected('inputs', 'a list', inputs);
    return Promise.all(inputs.map((input) => this.load(input)));
  }

  async invalidate(input: unknown): Promise<Receipt> {
    return this.#view.delete(this.#keyOf(input));
  }

  async #miss(key: string, input: unknown): Promise<Landing> {
    return this.#view.miss(this.#ask(key, input));
  }

  #ask(key: string, input: unknown): Ask {
    const { name, tags, settings, collector } = this.#of;
    return this.#view.ask(key, {
      name,
      settings: tags === undefined ? settings : withTags(settings, checkTags(tags(input))),
      version: this.#view.parts.settings.version,
      load: () => collector.load(input, key),
    });
  }

  #failed(error: unknown, input: unknown): Promise<Landing> {
    const { name, tags, collector } = this.#of;
    return this.#view.unkeyable(error, name, (context) => {
      // For the load around this one, which may be stored.
      if (tags !== undefined) context.tag(...tags(input));
      return collector.load(input, input);
    });
  }

  #textOf(input: unknown): string {
    return encodeKey(this.#keyOf(input), this.#view.parts.types);
  }

  #keyOf(input: unknown): Key {
    const { name, key } = this.#of;
    if (key === undefined) return [name, input as KeyPart];
    const own = key(input);
    return [name, ...(Array.isArray(own) ? own : [own as KeyPart])];
  }
}
