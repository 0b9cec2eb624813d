import type { Key } from '../values/index.js';
import type { What } from './dependency.js';
import type { Derivable } from './derivable.js';
import type { Duration } from './duration.js';
import type { Explanation } from './explain.js';
import type { ReadOptions } from './options.js';
import type { Cached } from './outcome.js';
import type { Receipt } from './receipt.js';

/** Whether every argument can become a key by itself. */
export type AllDerivable<A extends readonly unknown[]> = false extends { [I in keyof A]-?: Derivable<A[I]> }[number]
  ? false
  : true;

/** Any async function. */
export type AsyncFn = (...args: any[]) => Promise<any>;

/** What a wrapped function can do besides being called. */
export interface Handles<A extends readonly unknown[], R> {
  /** Loads now, whatever is stored, and stores the result. */
  fresh(...args: A): Promise<R>;
  /** The value, and how it was come by. */
  read(...args: A): Promise<Cached<R>>;
  /** The key of these arguments, for `cache.get`, `cache.delete` and `cache.explain`. @throws UnkeyableError */
  key(...args: A): string;
  /** Ends what is stored for these arguments. @throws InvalidationPendingError */
  invalidate(...args: A): Promise<Receipt>;
  /** What is stored for these arguments, and why it would be served or not. */
  explain(...args: A): Promise<Explanation>;
  /** Many calls at once, looked up in one trip; of a function of exactly one parameter. */
  many: A extends readonly [infer One] ? (inputs: readonly One[]) => Promise<R[]> : NeedsOneParameter;
}

/** The compiler's way to say that `many` gives each call one argument. */
export interface NeedsOneParameter {
  'unstale: `many` is for functions of exactly one parameter': never;
}

/** The function itself, its generics and overloads kept, plus its handles. */
export type CachedFunction<F extends AsyncFn> = F & Handles<Parameters<F>, Awaited<ReturnType<F>>>;

/** What functions and methods have in common. */
export interface FnBase<A extends readonly unknown[], R, This, Tag extends string>
  extends Omit<ReadOptions<Tag>, 'tags' | 'ttl' | 'fresh'> {
  /** Of the shape of the value; part of the key. @defaultValue the cache's */
  version?: string | number;
  /** A duration, or a function that gives one for a loaded value. @defaultValue the cache's */
  ttl?: Duration | ((value: R, ...args: A) => Duration);
  /** Tags known before the load, from the arguments. */
  tags?: readonly What<Tag>[] | ((this: This, ...args: A) => readonly What<Tag>[]);
  /** Tags that only the loaded value tells. They cost one more load the first time, when the cache has a store. */
  tagsOf?: (value: R, ...args: A) => readonly What<Tag>[];
  /** Whether a call uses the cache. @defaultValue always */
  when?: (this: This, ...args: A) => boolean;
}

/** What a call is stored under, beside the function's name. */
export type KeyOf<A extends readonly unknown[], This> = (this: This, ...args: A) => Key;
/** `key` may be left out only when all arguments are data. */
export type KeyRule<A extends readonly unknown[], This> =
  AllDerivable<A> extends true ? { key?: KeyOf<A, This> } : { key: KeyOf<A, This> };

/** Options of a wrapped function. */
export type FunctionOptions<A extends readonly unknown[], R, Tag extends string> = FnBase<A, R, void, Tag> & {
  name: string;
} & KeyRule<A, void>;

/** Options of a decorated method. */
export interface MethodOptions<A extends readonly unknown[], R, This, Tag extends string>
  extends FnBase<A, R, This, Tag> {
  /** @defaultValue `Class.method` */
  name?: string;
}

/** The compiler's way to say that `key` is missing. */
export interface NeedsKey {
  'unstale: an argument cannot become a key; pass `key`': never;
}

/** A decorator for both kinds: standard, and `experimentalDecorators`. */
export interface MethodDecorator<A extends readonly unknown[], R, This, HasKey extends boolean = false> {
  // A callback may name fewer parameters than the method has.
  <T extends This, B extends readonly [...A, ...any[]], S extends R>(
    method: (this: T, ...args: B) => Promise<S>,
    context: ClassMethodDecoratorContext<T, (this: T, ...args: B) => Promise<S>> &
      (HasKey extends true ? unknown : AllDerivable<B> extends true ? unknown : NeedsKey),
  ): void;
  <F extends (...args: any[]) => Promise<any>>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<F> &
      (Parameters<F> extends readonly [...A, ...any[]] ? unknown : never) &
      (HasKey extends true ? unknown : AllDerivable<Parameters<F>> extends true ? unknown : NeedsKey),
  ): void;
}

/** Options of {@link invalidates}. */
export interface InvalidatesOptions<A extends readonly unknown[], R, This, Tag extends string> {
  /**
   * What the method ends, once it has succeeded. When the function throws, the method succeeds all the same, an `error`
   * event tells, and everything ends.
   */
  tags: readonly What<Tag>[] | ((call: { args: A; result: R; self: This }) => readonly What<Tag>[]);
}
