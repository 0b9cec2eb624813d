import { UnstorableError } from './errors.js';
import { explain, Unfit } from './fault.js';
import { hasExtras, type Kind, kindOf, maxDepth } from './kind.js';
import { errorParts, makeError, withPrototype } from './make.js';
import { copyAlong, copyLeaf, Encoded, justThis, merge, type Plan } from './plan.js';
import { copyProperties } from './shape.js';
import type { TypeTable } from './types.js';
import { faultOf } from './write.js';

/**
 * Values in memory, such that nobody who gets one can change what the next one gets.
 *
 * What `Object.freeze` protects is frozen once, when it is kept, and then shared by all: a hit costs the same whatever
 * the size of the value. What it does not protect (a Date, a Map, a Buffer, a RegExp's lastIndex) is copied for every
 * hit, together with the objects and arrays on the way to it; everything beside that way stays shared. Where those
 * ways are is found once too, and kept as a {@link Plan}. Why Dates are copied: `docs/decisions/002-dates-in-memory.md`.
 *
 * The object that a load returned belongs to whoever made it: it is copied, never frozen and never kept.
 */
export type CopyPolicy = 'frozen' | 'clone' | 'reference';

/** A value in memory. Made by {@link keep}, read by {@link handOut}. */
export interface Kept {
  /** What every hit hands out when `shared`; else the original of the copies, which must stay inside. */
  readonly value: unknown;
  readonly shared: boolean;
  readonly copy: CopyPolicy;
  /** About how many bytes of heap the value takes. */
  readonly bytes: number;
}

/** How {@link keep} may treat the value. */
export interface KeepOptions {
  types?: TypeTable | undefined;
  /** The value is fresh from the decoder and nobody else's: it may be frozen in place. @defaultValue false */
  owned?: boolean;
  /** Larger values are refused, before all of them was looked at. @defaultValue no limit */
  maxBytes?: number;
}

interface Keeping extends Kept {
  readonly plan: Plan | undefined;
  readonly types: TypeTable | undefined;
}

/**
 * Takes a value into memory.
 *
 * @throws UnstorableError when it could not be stored either: memory and store agree on what is kept
 */
export function keep(value: unknown, copy: CopyPolicy, options: KeepOptions = {}): Kept {
  const { types, owned = false, maxBytes = Number.POSITIVE_INFINITY } = options;
  const keeper = new Keeper(copy, owned, types, maxBytes);
  try {
    const kept = keeper.take(value, 0);
    const shared = copy === 'reference' || keeper.plan === undefined;
    const result: Keeping = { value: kept, shared, copy, bytes: keeper.bytes, plan: keeper.plan, types };
    return result;
  } catch (error) {
    throw explain(error, value, 'value', (part) => faultOf(part, types), maxDepth, UnstorableError);
  }
}

/** The value for one more reader. */
export function handOut(kept: Kept): unknown {
  if (kept.shared) return kept.value;
  const { value, plan, types } = kept as Keeping;
  return copyAlong(plan, value, types);
}

/** One walk that checks, copies or freezes, weighs, and finds the plan. */
class Keeper {
  bytes = 0;
  /** The plan of what was taken last. */
  plan: Plan | undefined;
  readonly #copies: boolean;
  readonly #freezes: boolean;
  /** By reference: only check and weigh. */
  readonly #looks: boolean;
  readonly #types: TypeTable | undefined;
  readonly #maxBytes: number;
  constructor(copy: CopyPolicy, owned: boolean, types: TypeTable | undefined, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#looks = copy === 'reference';
    this.#copies = !owned && !this.#looks;
    this.#freezes = copy === 'frozen';
    this.#types = types;
  }

  /** Stops at once when it gets too much: the walk over a huge value is what blocks a process. */
  #weigh(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.#maxBytes) throw new UnstorableError('value', `larger than ${this.#maxBytes} bytes`);
  }

  take(value: unknown, depth: number): unknown {
    this.plan = undefined;
    switch (typeof value) {
      case 'string':
        this.#weigh(24 + value.length);
        return value;
      case 'object':
        return value === null ? value : this.#object(value, depth + 1);
      case 'bigint':
        this.#weigh(24);
        return value;
      case 'function':
      case 'symbol':
        throw new Unfit();
      default:
        this.#weigh(8);
        return value;
    }
  }

  #object(value: object, depth: number): unknown {
    const kind = kindOf(value, this.#types);
    if (kind === undefined || depth > maxDepth || hasExtras(value, kind)) throw new Unfit();
    switch (kind) {
      case 'object':
        return this.#properties(this.#copies ? copyProperties(value as Record<string, unknown>) : value, depth);
      case 'bare':
        return this.#properties(this.#copies ? withPrototype(null, value) : value, depth);
      case 'array':
        return this.#array(value as unknown[], depth);
      case 'instance':
        return this.#instance(value, depth);
      default:
        return this.#leaf(value, kind, depth);
    }
  }

  #properties(target: object, depth: number): object {
    const object = target as Record<string, unknown>;
    const names = Object.keys(object);
    this.#weigh(80 + 8 * names.length); // with what V8 sets aside for further properties
    let below: { names: string[]; plans: Plan[] } | undefined;
    for (const name of names) {
      const value = object[name];
      const taken = this.take(value, depth);
      if (typeof taken === 'object' && taken !== value) object[name] = taken;
      if (this.plan !== undefined) {
        below ??= { names: [], plans: [] };
        below.names.push(name);
        below.plans.push(this.plan);
      }
    }
    this.plan = below ?? (this.#freezes ? undefined : justThis);
    // Only what is spread can follow a list of names; a copy of anything else has to look at what it copies.
    // `__proto__` must not be on a list either: a row without an own one would have its prototype replaced.
    if (
      this.plan !== undefined &&
      (Object.getPrototypeOf(object) !== Object.prototype || below?.names.includes('__proto__'))
    )
      this.plan = 'all';
    return this.plan === undefined ? Object.freeze(object) : object;
  }

  #array(value: unknown[], depth: number): unknown[] {
    const array = this.#copies ? value.slice() : value;
    this.#weigh(32 + 8 * array.length);
    let items: Plan | undefined;
    for (let at = 0; at < array.length; at++) {
      const item = array[at];
      const taken = this.take(item, depth);
      if (typeof taken === 'object' && taken !== item) array[at] = taken;
      if (this.plan !== undefined) items = items === undefined ? this.plan : merge(items, this.plan);
    }
    if (items === undefined && this.#freezes) {
      this.plan = undefined;
      return Object.freeze(array) as unknown[];
    }
    this.plan = { items: items ?? justThis };
    return array;
  }

  #leaf(value: object, kind: Kind, depth: number): object {
    this.#weigh(96);
    const taken = this.#leafOf(value, kind, depth);
    this.plan = 'all';
    return this.#looks ? value : taken;
  }

  #leafOf(value: object, kind: Kind, depth: number): object {
    switch (kind) {
      case 'map': {
        this.#weigh(64 * (value as Map<unknown, unknown>).size);
        const map = new Map<unknown, unknown>();
        for (const [key, item] of value as Map<unknown, unknown>)
          map.set(this.take(key, depth), this.take(item, depth));
        return map;
      }
      case 'set':
        this.#weigh(48 * (value as Set<unknown>).size);
        return new Set(Array.from(value as Set<unknown>, (item) => this.take(item, depth)));
      case 'error': {
        const { type, shown, hidden } = errorParts(value);
        for (const part of [shown, hidden] as Record<string, unknown>[])
          for (const name of Object.keys(part)) part[name] = this.take(part[name], depth);
        return makeError(type, shown, hidden);
      }
      default:
        if (kind === 'bytes' || kind === 'buffer') this.#weigh((value as ArrayBufferView | ArrayBuffer).byteLength);
        return this.#copies ? copyLeaf(value, kind) : value;
    }
  }

  #instance(value: object, depth: number): object {
    const named = this.#types!.byPrototype.get(Object.getPrototypeOf(value))!;
    if (named.rule.immutable) {
      this.#weigh(96);
      return value;
    }
    if (!named.rule.encode)
      return this.#properties(this.#copies ? withPrototype(Object.getPrototypeOf(value), value) : value, depth);
    // What `encode` gives may still be part of the instance, and what `decode` gets may become part of one: neither is
    // shared or frozen.
    const inner = new Keeper('clone', false, this.#types, this.#maxBytes);
    const encoded = new Encoded(named, inner.take(named.rule.encode(value), depth), inner.plan);
    encoded.decode(this.#types); // a rule that fails shall fail here, not at a reader
    this.#weigh(96 + inner.bytes);
    this.plan = 'all';
    return this.#looks ? value : encoded;
  }
}
