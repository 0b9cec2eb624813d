import { types as brand } from 'node:util';
import type { TypeTable } from './types.js';

/**
 * What an object is, for everybody who walks values: one answer, so that keys, memory and stores agree on what is
 * data. A prototype decides, because `instanceof` lets subclasses through that keep more than their base does; a
 * brand check confirms, because `Object.create(Date.prototype)` is no Date. Objects of another realm (Jest runs tests
 * in one) count as what they are.
 */
export type Kind =
  | 'object' // a plain object
  | 'bare' // an object without prototype
  | 'array'
  | 'date'
  | 'map'
  | 'set'
  | 'bytes' // a Buffer, a typed array or a DataView
  | 'buffer' // an ArrayBuffer
  | 'regexp'
  | 'error' // of a built-in class
  | 'instance'; // of a class with a rule

/** How deep containers may be nested in a value. Far below the depth at which recursion becomes dangerous. */
export const maxDepth = 256;

type View = new (buffer: ArrayBuffer) => ArrayBufferView;
/** Views by their number in stored bytes: append only. */
export const views: readonly View[] = [
  Buffer as unknown as View, // never called: a Buffer is made by Buffer.from
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

/** Errors by their number in stored bytes: append only. */
export const errors = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const;

const kinds = new Map<unknown, readonly [Kind, ((value: unknown) => boolean) | undefined]>([
  [Object.prototype, ['object', undefined]],
  [null, ['bare', undefined]],
  [Array.prototype, ['array', Array.isArray]],
  [Date.prototype, ['date', brand.isDate]],
  [Map.prototype, ['map', brand.isMap]],
  [Set.prototype, ['set', brand.isSet]],
  [ArrayBuffer.prototype, ['buffer', brand.isArrayBuffer]],
  [RegExp.prototype, ['regexp', brand.isRegExp]],
  ...views.map((view) => [view.prototype, ['bytes', ArrayBuffer.isView]] as const),
  ...errors.map((error) => [error.prototype, ['error', brand.isNativeError]] as const),
]);

/** What `value` is, or undefined when it is nothing that we know. */
export function kindOf(value: object, types?: TypeTable): Kind | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return 'object';
  const known = kinds.get(prototype);
  if (known !== undefined) return known[1] === undefined || known[1](value) ? known[0] : undefined;
  if (types?.byPrototype.has(prototype as object)) return 'instance';
  return kindInOtherRealm(value, prototype as object);
}

function kindInOtherRealm(value: object, prototype: object): Kind | undefined {
  const base: unknown = Object.getPrototypeOf(prototype);
  if (base === null) return isRoot(prototype) ? 'object' : undefined;
  // A subclass of ours or theirs has a longer chain than the built-in classes themselves.
  if (Object.getPrototypeOf(base) !== null) return undefined;
  if (Array.isArray(value)) return Array.isArray(prototype) ? 'array' : undefined;
  if (!isRoot(base as object)) return undefined;
  if (brand.isDate(value)) return 'date';
  if (brand.isMap(value)) return 'map';
  if (brand.isSet(value)) return 'set';
  return brand.isRegExp(value) ? 'regexp' : undefined;
}

/** Whether `prototype` is the Object.prototype of some realm. */
export function isRoot(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

/** Whether `text` has no unpaired surrogates: only then UTF-8 can carry it. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed(); // in every Node that we run on, not yet in ES2023
}

/**
 * Whether an object of this kind carries more than its kind shows: symbol properties, properties on an array, a Date
 * or a Map, holes. Leaving them out would make two different values one.
 */
export function hasExtras(value: object, kind: Kind): boolean {
  if (kind === 'bytes') return false; // their indices are properties too: counting them costs more than it finds
  const symbols = Object.getOwnPropertySymbols(value);
  if (symbols.length > 0 && symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol)))
    return true;
  if (kind === 'object' || kind === 'bare' || kind === 'error' || kind === 'instance') return false;
  if (kind !== 'array') return Object.keys(value).length > 0;
  const array = value as unknown[];
  // Naming a thousand indices costs as much as storing what they hold; long arrays are only searched for holes.
  if (array.length <= 1000) return Object.keys(array).length !== array.length;
  for (let at = 0; at < array.length; at++) if (!(at in array)) return true;
  return false;
}

/** A thing that is no data, as an error names it. */
export function nameOf(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null) return String(value);
  const kind = kindOf(value);
  if (kind === 'object' || kind === 'bare') return 'an object with symbol properties';
  if (kind === 'array') return 'an array with holes or properties';
  if (kind === 'date' && Number.isNaN((value as Date).getTime())) return 'an invalid Date';
  const { constructor } = value as { constructor?: unknown };
  const name = (typeof constructor === 'function' && constructor.name) || 'an instance of an anonymous class';
  return kind !== undefined && hasExtras(value, kind) ? `a ${name} with properties` : name;
}
