import type { Duration } from './duration.js';
import { entryHash, type Identity } from './identity.js';
import type { LoadContext, ReadSettings } from './options.js';
import type { Scope } from './scope.js';
import type { Counter } from './stats.js';

/** What a value says about itself once it is loaded. */
export interface Refined {
  readonly ttl?: Duration | undefined;
  /** As the cache keeps them. */
  readonly tags?: readonly string[] | undefined;
}

/** A read as a wrapped function or a single call describes it. */
export interface Query {
  readonly name: string;
  readonly settings: ReadSettings;
  /** Of the value's shape. */
  readonly version: string;
  readonly fresh?: boolean;
  /** Tags that the load will most likely depend on: a look brings their versions too. */
  readonly likely?: readonly string[];
  /**
   * The value is no data: it stays in this process, is neither copied nor encoded, and goes on changing. Asked at the
   * moment at which it is kept: how many bytes it takes, and what it has come to depend on, into the scope's pairs.
   */
  readonly resident?: (value: never, scope: Scope) => number;
  /** What is read are the rows of one statement, which its key names. */
  readonly isStatement?: boolean;
  readonly load: (context: LoadContext) => unknown;
  /** How to load once more when the reader has gone on; false if that cannot be. @defaultValue `load` */
  readonly again?: false | (() => unknown) | undefined;
  readonly refine?: (value: unknown) => Refined;
}

/** One read that was not answered at once: what is asked for, and how to get it. */
export class Ask {
  readonly identity: Identity;
  readonly counter: Counter;
  readonly settings: ReadSettings;
  readonly fresh: boolean;
  readonly query: Query;
  #hash: string | undefined;
  #keyHash: string | undefined;

  constructor(identity: Identity, counter: Counter, query: Query) {
    this.identity = identity;
    this.counter = counter;
    this.settings = query.settings;
    this.fresh = query.fresh === true;
    this.query = query;
  }

  /** The entry's name in the store. */
  get hash(): string {
    const { version } = this.query;
    this.#hash ??= version === '' ? this.keyHash : entryHash(this.identity, version);
    return this.#hash;
  }

  /** The same for every version of the value's shape: where the key's own tag comes from. */
  get keyHash(): string {
    this.#keyHash ??= entryHash(this.identity, '');
    return this.#keyHash;
  }
}
