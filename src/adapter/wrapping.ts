import { isDeepStrictEqual } from 'node:util';
import { expected } from '../core/errors.js';
import { portIn } from './client.js';
import type { WrapOptions } from './options.js';

/** What an adapter keeps of a thing that it has wrapped. */
export interface Wrapping {
  /** Gives the thing its own ways back. */
  unwrap(): void;
}

/** A wrapping that is taken back by `ends`, in their order. */
export function takenBackBy(...ends: readonly (() => void)[]): Wrapping {
  return {
    unwrap() {
      for (const end of ends) end();
    },
  };
}

/**
 * Wraps a thing if nobody has: two parts of a program may do the same without knowing of each other.
 *
 * @param adapter - its name: what is wrapped is known to both copies of the package, ESM and CommonJS
 * @returns what `wrap` makes, or has made before
 * @throws TypeError for options that are none, for a thing that is wrapped with others already, and what `wrap` throws
 */
export function wrapOnce<W extends Wrapping>(adapter: string, thing: object, options: WrapOptions, wrap: () => W): W {
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object with a `cache`', options);
  portIn(options.cache);
  const name = keyOf(adapter);
  const before = (thing as Wrapped<W>)[name];
  if (before === undefined) {
    const wrapping = wrap();
    Object.defineProperty(thing, name, { value: { options, wrapping }, configurable: true });
    return wrapping;
  }
  if (before.options.cache !== options.cache || !isDeepStrictEqual({ ...before.options }, { ...options }))
    throw new TypeError('This is wrapped already, with another cache or other options: unwrap it first.');
  return before.wrapping;
}

/** @param name - of the argument, for the error. @throws TypeError for what is not wrapped */
export function unwrapOnce(adapter: string, thing: object, name: string): void {
  const key = keyOf(adapter);
  const before = (thing as Wrapped<Wrapping>)[key];
  if (before === undefined) throw expected(name, 'one that was wrapped by withCache', thing);
  before.wrapping.unwrap();
  delete (thing as Wrapped<Wrapping>)[key];
}

type Wrapped<W> = Record<symbol, { readonly options: WrapOptions; readonly wrapping: W } | undefined>;

const keyOf = (adapter: string) => Symbol.for(`unstale.${adapter}`);

/** Which objects come as this argument of a method, from now on. */
export function noted<K extends string>(object: Record<K, (...args: any[]) => any>, name: K, at: number) {
  const seen = new WeakSet<object>();
  const method = object[name];
  const end = replace(object, name, (...args) => {
    seen.add(args[at]);
    return method.apply(object, args);
  });
  return { seen, end };
}

/** Puts a function in a method's place, on this object only, and gives the way back. */
export function replace<K extends string, F extends (...args: any[]) => any>(
  object: Record<K, F>,
  name: K,
  by: F,
): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { value: by, configurable: true, writable: true, enumerable: false });
  return () => {
    // Somebody else has replaced it since.
    if (object[name] !== by) return;
    if (before === undefined) delete (object as Partial<Record<K, F>>)[name];
    else Object.defineProperty(object, name, before);
  };
}
