import type { Atom } from '../values/index.js';

/**
 * Whether a type can become a key by itself: every leaf of it is data. Entities and DTOs without methods pass;
 * requests, Decimals, functions and symbols do not. At a depth of 6 the run time decides.
 */
export type Derivable<T, D extends 0[] = []> = 0 extends 1 & T
  ? false
  : unknown extends T
    ? false
    : T extends Atom
      ? true
      : T extends ((...args: any[]) => unknown) | symbol
        ? false
        : D['length'] extends 6
          ? true
          : T extends ReadonlyMap<infer K, infer V>
            ? false extends Derivable<K, [0, ...D]> | Derivable<V, [0, ...D]>
              ? false
              : true
            : T extends ReadonlySet<infer V>
              ? Derivable<V, [0, ...D]>
              : T extends readonly (infer I)[]
                ? Derivable<I, [0, ...D]>
                : T extends object
                  ? false extends { [K in keyof T]-?: Derivable<T[K], [0, ...D]> }[keyof T]
                    ? false
                    : true
                  : false;
