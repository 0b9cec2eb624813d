import { type Kind, kindOf } from './kind.js';
import { copyBytes, errorParts, makeError, makeView, viewTypeOf, withPrototype } from './make.js';
import type { NamedRule, TypeTable } from './types.js';

/**
 * Private copies of a kept value. The keeper found out once what must be copied and wrote it down as a plan; a hit
 * follows the plan and looks at nothing else. Rows of a list share one plan, so a list of any length has a short one.
 */

/** Where copies are needed: `'all'` below here, or only below these properties, or below the items of an array. */
export type Plan =
  | 'all'
  | { readonly names: readonly string[]; readonly plans: readonly Plan[] }
  | { readonly items: Plan };

/** A plan for an object of which nothing below needs a copy. */
export const justThis: Plan = { names: [], plans: [] };

/** A plan that serves where either does: copying more than needed does no harm. */
export function merge(some: Plan, other: Plan): Plan {
  if (some === other) return some;
  if (some === 'all' || other === 'all') return 'all';
  if ('items' in some) return 'items' in other ? itemsOf(some, merge(some.items, other.items)) : 'all';
  if ('items' in other) return 'all';
  const names = [...some.names];
  const plans = [...some.plans];
  let same = true;
  other.names.forEach((name, at) => {
    const plan = other.plans[at]!;
    // Like-shaped rows have the name at the same place.
    const to = names[at] === name ? at : names.indexOf(name);
    const merged = to === -1 ? plan : merge(plans[to]!, plan);
    if (to !== -1 && merged === plans[to]) return;
    same = false;
    if (to === -1) names.push(name);
    plans[to === -1 ? plans.length : to] = merged;
  });
  if (same) return some;
  // Objects that hardly share a name are a dictionary's: asking each for all names would cost more than looking.
  return names.length > 64 ? 'all' : { names, plans };
}

function itemsOf(some: { readonly items: Plan }, items: Plan): Plan {
  return items === some.items ? some : { items };
}

/** A private copy of what `plan` leads to; what it passes by is frozen, or unable to change, and shared. */
export function copyAlong(plan: Plan | undefined, value: unknown, types: TypeTable | undefined): unknown {
  if (typeof value !== 'object' || value === null || plan === undefined) return value;
  if (plan === 'all') return copyAll(value, types);
  // Plans of an array's items are merged, so a plan also meets items that have none: they are of another kind.
  if ('items' in plan) {
    if (!Array.isArray(value)) return value;
    const { items } = plan;
    const array = new Array<unknown>(value.length);
    for (let at = 0; at < value.length; at++) array[at] = copyAlong(items, value[at], types);
    return array;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const { names, plans } = plan;
  const object = { ...value } as Record<string, unknown>;
  for (let at = 0; at < names.length; at++) {
    const name = names[at]!;
    const inner = object[name];
    if (typeof inner === 'object' && inner !== null) object[name] = copyAlong(plans[at], inner, types);
  }
  return object;
}

function copyAll(value: unknown, types: TypeTable | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) === Date.prototype) return new Date((value as Date).getTime()); // the commonest by far
  if (value instanceof Encoded) return value.decode(types);
  const kind = kindOf(value, types)!;
  switch (kind) {
    case 'map':
      return new Map(
        Array.from(value as Map<unknown, unknown>, ([key, item]) => [copyAll(key, types), copyAll(item, types)]),
      );
    case 'set':
      return new Set(Array.from(value as Set<unknown>, (item) => copyAll(item, types)));
    case 'error': {
      const { type, shown, hidden } = errorParts(value);
      return makeError(type, copyProperties(shown, types), copyProperties(hidden, types));
    }
    case 'array':
      return Object.isFrozen(value) ? value : (value as unknown[]).map((item) => copyAll(item, types));
    case 'object':
      return Object.isFrozen(value) ? value : copyProperties({ ...value }, types);
    case 'bare':
      return Object.isFrozen(value) ? value : copyProperties(withPrototype(null, value), types);
    case 'instance': {
      const prototype = Object.getPrototypeOf(value) as object;
      const shared = Object.isFrozen(value) || types!.byPrototype.get(prototype)!.rule.immutable;
      return shared ? value : copyProperties(withPrototype(prototype, value), types);
    }
    default:
      return copyLeaf(value, kind);
  }
}

function copyProperties(fresh: object, types: TypeTable | undefined): object {
  const object = fresh as Record<string, unknown>;
  for (const name of Object.keys(object)) object[name] = copyAll(object[name], types);
  return object;
}

export function copyLeaf(value: object, kind: Kind): object {
  switch (kind) {
    case 'date':
      return new Date((value as Date).getTime());
    case 'bytes':
      return makeView(viewTypeOf(value as ArrayBufferView), copyBytes(value as ArrayBufferView));
    case 'buffer':
      return copyBytes(value as ArrayBuffer).buffer;
    default: {
      const { source, flags, lastIndex } = value as RegExp;
      const pattern = new RegExp(source, flags);
      pattern.lastIndex = lastIndex;
      return pattern;
    }
  }
}

/** An instance whose rule can make it again: kept as its data, since only the rule knows what its state is. */
export class Encoded {
  readonly #named: NamedRule;
  readonly #data: unknown;
  readonly #plan: Plan | undefined;
  constructor(named: NamedRule, data: unknown, plan: Plan | undefined) {
    this.#named = named;
    this.#data = data;
    this.#plan = plan;
  }

  decode(types: TypeTable | undefined): object {
    return this.#named.rule.decode!(copyAlong(this.#plan, this.#data, types));
  }
}
