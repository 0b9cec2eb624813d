import type { Models } from './internals.js';

/**
 * Arguments of a query as parts of a key. Prisma's own classes become data that nothing else can be; an instance of any
 * other class stays what it is, and a key that has one is no key.
 */
export function keyOf(value: any): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(keyOf);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null)
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, keyOf(part)]));
  if (isDecimal(value)) return new Map([['Decimal', value.toFixed()]]);
  // DbNull, JsonNull and AnyNull, which all have no properties.
  if (typeof value._getName === 'function') return new Map([['null', value._getName()]]);
  // Another column to compare with.
  if (typeof value._toGraphQLInputType === 'function') return new Map([['field', `${value.modelName}.${value.name}`]]);
  return value;
}

/** An instance of the Decimal that Prisma has, whichever copy of it. */
export function isDecimal(value: any): value is { toFixed(): string; constructor: new (text: string) => unknown } {
  return value?.[Symbol.toStringTag] === 'Decimal' && typeof value.toFixed === 'function';
}

/** What a client says of its models; computed fields are those of its extensions. */
export interface Known {
  readonly models: Models;
  computed(model: string): object | undefined;
}

/** The models that a query reads, as far as its arguments show; undefined when they select what nobody knows. */
export function modelsOf(known: Known, model: string, args: unknown): ReadonlySet<string> | undefined {
  const found = new Set([model]);
  return isKnown(known, model, args, found) ? found : undefined;
}

function isKnown(known: Known, model: string, args: any, found: Set<string>): boolean {
  if (Array.isArray(args)) return args.every((one) => isKnown(known, model, one, found));
  if (typeof args !== 'object' || args === null) return true;
  const fields = known.models[model]?.fields ?? [];
  const field = (name: string) => fields.find((one) => one.name === name);
  return Object.entries(args).every(([name, value]: [string, any]) => {
    const { kind, type } = field(name) ?? {};
    if (kind === 'object' && value !== false && value !== undefined) found.add(type as string);
    if (kind !== undefined) return kind !== 'object' || isKnown(known, type as string, value, found);
    if (name === '_count' && value === true)
      for (const { kind, type } of fields) if (kind === 'object') found.add(type);
    const computed = known.computed(model) ?? {};
    const isAsked = (one: string) => one === '_count' || one in computed || field(one) !== undefined;
    if ((name === 'select' || name === 'omit') && !Object.keys(value ?? {}).every(isAsked)) return false;
    return isKnown(known, model, value, found);
  });
}
