import type { Duration } from './duration.js';
import { entryHash, type Identity } from './identity.js';
import type { LoadContext, ReadSettings } from './options.js';
import type { Counter } from './stats.js';

/** What a value says about itself once it is loaded. */
export interface Refined {
  readonly ttl?: Duration | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** One read that was not answered at once: what is asked for, and how to get it. */
export class Ask {
  readonly identity: Identity;
  readonly counter: Counter;
  readonly settings: ReadSettings;
  readonly fresh: boolean;
  readonly load: (context: LoadContext) => unknown;
  readonly refine: ((value: unknown) => Refined) | undefined;
  readonly #version: string;
  #hash: string | undefined;
  #keyHash: string | undefined;

  constructor(o: {
    identity: Identity;
    counter: Counter;
    settings: ReadSettings;
    version: string;
    fresh?: boolean;
    load: (context: LoadContext) => unknown;
    refine?: ((value: unknown) => Refined) | undefined;
  }) {
    this.identity = o.identity;
    this.counter = o.counter;
    this.settings = o.settings;
    this.fresh = o.fresh ?? false;
    this.load = o.load;
    this.refine = o.refine;
    this.#version = o.version;
  }

  /** The entry's name in the store. */
  get hash(): string {
    this.#hash ??= this.#version === '' ? this.keyHash : entryHash(this.identity, this.#version);
    return this.#hash;
  }

  /** The same for every version of the value's shape: where the key's own tag comes from. */
  get keyHash(): string {
    this.#keyHash ??= entryHash(this.identity, '');
    return this.#keyHash;
  }
}
