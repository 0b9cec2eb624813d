import { hash } from 'node:crypto';
import { types as brand } from 'node:util';
import { UnkeyableError } from './errors.js';
import { explain, Unfit } from './fault.js';
import { hasExtras, isRoot, isWellFormed, type Kind, kindOf, nameOf } from './kind.js';
import type { Key, TypeTable } from './types.js';

/**
 * The text that two calls share exactly when they ask for the same thing.
 *
 * It promises that different keys have different texts, whatever strings they contain: every part says its type first
 * and its length, or ends with a character that it cannot contain, so no text can be read in two ways. What counts as
 * different: `1`, `'1'`, `1n` and `true`; `null`, `undefined` and `'null'`; `{ a: undefined }` and `{}`; `['a']` and
 * `'a'`; an array and an object with its indices. What counts as the same: `-0` and `0`; a Buffer and a Uint8Array of
 * the same bytes; objects, Maps and Sets whatever the order of their parts; a plain object and one of a class without
 * methods.
 *
 * It relies on data being data: whatever has behaviour or hidden state is refused with the place where it was found,
 * because a text that leaves something out would let one caller have another's value.
 */

/** How deep a key may be nested. */
const maxKeyDepth = 32;

/**
 * The text of a key. A string is its own text, and not copied, unless it could be taken for the text of an array.
 *
 * @throws UnkeyableError when a part of the key is no data
 */
export function encodeKey(key: Key, types?: TypeTable): string {
  if (typeof key === 'string') {
    const first = key.charCodeAt(0);
    return first === 0x5b /* [ */ || first === 0x22 /* " */ ? `"${key}` : key;
  }
  if (!Array.isArray(key))
    throw new TypeError(`Expected \`key\` to be a string or an array, got ${nameOf(key)} (${typeof key})`);
  return encodeList(key, key.length, types, (at) => `key[${at}]`);
}

/**
 * The text of a call's arguments. `f(1)` equals `f(1, undefined)`: a function cannot be expected to tell them apart.
 *
 * @throws UnkeyableError when an argument is no data; arguments are counted from 1
 */
export function encodeArguments(args: readonly unknown[], types?: TypeTable): string {
  let count = args.length;
  while (count > 0 && args[count - 1] === undefined) count--;
  return encodeList(args, count, types, (at) => `argument ${at + 1}`);
}

function encodeList(
  parts: readonly unknown[],
  count: number,
  types: TypeTable | undefined,
  where: (at: number) => string,
): string {
  let at = 0;
  try {
    let text = '[';
    for (; at < count; at++) text += encodePart(parts[at], 0, types);
    return text;
  } catch (error) {
    throw explain(error, parts[at], where(at), (value) => faultOf(value, types), maxKeyDepth, UnkeyableError);
  }
}

function encodePart(value: unknown, depth: number, types: TypeTable | undefined): string {
  switch (typeof value) {
    case 'string':
      return encodeText(value);
    case 'number':
      return `${value};`; // the only texts that start with a digit, a minus, NaN or Infinity
    case 'boolean':
      return value ? 'T' : 'F';
    case 'undefined':
      return '!';
    case 'bigint':
      return `n${value};`;
    case 'object':
      return value === null ? '~' : encodeObject(value, depth, types);
    default:
      throw new Unfit();
  }
}

/** What stands before a text of each short length: one concatenation less on the path of every hit. */
const lengths = Array.from({ length: 64 }, (_, length) => `'${length}:`);

function encodeText(text: string): string {
  return (lengths[text.length] ?? `'${text.length}:`) + text;
}

function encodeObject(value: object, depth: number, types: TypeTable | undefined): string {
  if (depth >= maxKeyDepth) throw new Unfit();
  const part = (inner: unknown) => encodePart(inner, depth + 1, types);
  switch (formOf(value, types)) {
    case 'array':
      return `[${(value as unknown[]).map(part).join('')}]`;
    case 'object': {
      let text = '{';
      for (const name of sorted(Object.keys(value)))
        text += encodeText(name) + part((value as Record<string, unknown>)[name]);
      return `${text}}`;
    }
    case 'date':
      return `d${(value as Date).getTime()};`;
    case 'bytes':
      return `b${Buffer.from((value as Uint8Array).buffer, (value as Uint8Array).byteOffset, (value as Uint8Array).byteLength).toString('base64')};`;
    case 'map':
      return `m${Array.from(value as Map<unknown, unknown>, ([name, inner]) => part(name) + part(inner))
        .sort()
        .join('')};`;
    case 'set':
      return `s${Array.from(value as Set<unknown>, part)
        .sort()
        .join('')};`;
    case 'instance': {
      const { name, rule } = types!.byPrototype.get(Object.getPrototypeOf(value))!;
      return `c${encodeText(name)}${part(rule.key!(value))}`;
    }
    default:
      throw new Unfit();
  }
}

/** By code units, in place. Objects of arguments have few names, mostly in the order of last time. */
function sorted(names: string[]): string[] {
  if (names.length > 16) return names.sort();
  for (let at = 1; at < names.length; at++) {
    const name = names[at]!;
    let to = at;
    for (; to > 0 && names[to - 1]! > name; to--) names[to] = names[to - 1]!;
    names[to] = name;
  }
  return names;
}

/** As what an object goes into a key, or undefined when it cannot. */
function formOf(value: object, types: TypeTable | undefined): Kind | undefined {
  const kind = kindOf(value, types);
  switch (kind) {
    case 'object':
    case 'bare':
      return hasExtras(value, kind) ? undefined : 'object';
    case 'array':
    case 'map':
    case 'set':
      return hasExtras(value, kind) ? undefined : kind;
    case 'date':
      return Number.isNaN((value as Date).getTime()) || hasExtras(value, kind) ? undefined : kind;
    case 'bytes':
      return brand.isUint8Array(value) ? kind : undefined;
    case 'instance':
      if (types!.byPrototype.get(Object.getPrototypeOf(value))!.rule.key !== undefined) return kind;
      break;
    case undefined:
      break;
    default:
      return undefined;
  }
  return isPureData(Object.getPrototypeOf(value)) && !hasExtras(value, 'object') ? 'object' : undefined;
}

const pureData = new WeakMap<object, boolean>();

/** Whether a class adds nothing to the properties of its instances: no methods, no accessors, up to Object. */
function isPureData(prototype: object): boolean {
  let pure = pureData.get(prototype);
  if (pure === undefined) {
    const base: object | null = Object.getPrototypeOf(prototype);
    pure =
      Reflect.ownKeys(prototype).every((name) => {
        const { get, set, value } = Object.getOwnPropertyDescriptor(prototype, name)!;
        return name === 'constructor' || (!get && !set && typeof value !== 'function');
      }) &&
      base !== null &&
      (isRoot(base) || isPureData(base));
    pureData.set(prototype, pure);
  }
  return pure;
}

function faultOf(value: unknown, types: TypeTable | undefined): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return nameOf(value);
  return typeof value === 'object' && value !== null && formOf(value, types) === undefined ? nameOf(value) : undefined;
}

/** 22 characters for a text of any length: 132 bits of SHA-256, so that nobody finds two texts with the same ones. */
export function hashKey(text: string): string {
  // UTF-8 would write every unpaired surrogate alike. 0xff occurs in no UTF-8, so the two forms cannot meet.
  const input = isWellFormed(text) ? text : Buffer.concat([Buffer.of(0xff), Buffer.from(text, 'utf16le')]);
  return hash('sha256', input, 'base64url').slice(0, 22);
}

/** What must not stand in a tag: it has a meaning in store keys, in patterns or on the wire, or no UTF-8 form. */
const special = /[{}:|*?[\]\\\r\n\0%]|\p{Cs}/gu;

/**
 * A tag as a part of store keys: at most 512 bytes of well-formed text, different for different tags. Users' text in
 * tags can neither leave the braces around it nor match more than itself.
 */
export function escapeTag(tag: string): string {
  const text = tag.search(special) === -1 ? tag : tag.replace(special, escape);
  // A length that cannot exceed the limit needs no count. `%#` is what no escaped text contains.
  return text.length <= 170 || Buffer.byteLength(text) <= 512 ? text : `%#${hashKey(tag)}`;
}

function escape(character: string): string {
  const code = character.charCodeAt(0).toString(16);
  return code.length > 2 ? `%u${code}` : `%${code.padStart(2, '0')}`;
}
