import { Unfit } from './fault.js';
import { copyBytes, define, makeError, makeView, withPrototype } from './make.js';
import { endOfPlainData } from './plain.js';
import type { TypeTable } from './types.js';
import {
  ARRAY,
  BARE,
  BIGINT,
  BUFFER,
  BYTES,
  DATE,
  ERROR,
  FIRST_SHAPE,
  INSTANCE,
  MAP,
  NEGATIVE_ZERO,
  packr,
  REGEXP,
  SET,
  UNDEFINED,
  UNITS,
} from './wire.js';

/**
 * The value, new on every call.
 *
 * @throws when the bytes are not what {@link writeValue} wrote; of what type is not said
 */
export function readValue(bytes: Uint8Array, types?: TypeTable): unknown {
  const end = endOfPlainData(bytes);
  const shapes = packr.unpack(bytes.subarray(0, end)) as unknown[];
  const root = shapes.pop();
  const reader = new Reader(bytes, end, types);
  for (const shape of shapes) reader.shapes.push(reader.readNames(shape));
  const value = reader.read(root);
  if (reader.at !== bytes.length) throw new Unfit();
  return value;
}

class Reader {
  readonly shapes: string[][] = [];
  at: number;
  readonly #bytes: Uint8Array;
  readonly #types: TypeTable | undefined;
  constructor(bytes: Uint8Array, at: number, types: TypeTable | undefined) {
    this.#bytes = bytes;
    this.at = at;
    this.#types = types;
  }

  read(node: unknown): unknown {
    // msgpackr made the arrays for us alone: each becomes the array that it describes.
    return typeof node === 'object' && node !== null ? this.#array(node as unknown[]) : node;
  }

  #array(list: unknown[]): unknown {
    const kind = list.pop();
    if (typeof kind !== 'number') throw new Unfit();
    if (kind >= FIRST_SHAPE) return this.#properties(this.shapes[kind - FIRST_SHAPE], list);
    switch (kind) {
      case ARRAY:
        return this.#list(list);
      case UNDEFINED:
        return undefined;
      case NEGATIVE_ZERO:
        return -0;
      case DATE:
        return new Date(number(list[0]));
      case BIGINT: {
        const digits = text(list[0]);
        return digits.startsWith('-') ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
      }
      case MAP: {
        const map = new Map<unknown, unknown>();
        for (let at = 0; at < list.length; at += 2) {
          const key = this.read(list[at]);
          map.set(key, this.read(list[at + 1]));
        }
        return map;
      }
      case SET:
        return new Set(this.#list(list));
      case BYTES:
        return makeView(number(list[0]), this.#blob(list[1]));
      case BUFFER:
        return this.#blob(list[0]).buffer;
      case REGEXP: {
        const pattern = new RegExp(text(this.read(list[0])), text(list[1]));
        pattern.lastIndex = number(this.read(list[2]));
        return pattern;
      }
      case ERROR: {
        const shown = object(this.read(list[1]));
        return makeError(number(list[0]), shown, object(this.read(list[2])));
      }
      case BARE:
        return withPrototype(null, object(this.read(list[0])));
      case INSTANCE: {
        const named = this.#types?.byName.get(text(list[0]));
        if (named === undefined) throw new Unfit();
        const data = this.read(list[1]);
        return named.rule.decode ? named.rule.decode(data) : withPrototype(named.rule.class.prototype, object(data));
      }
      case UNITS:
        return Buffer.from(text(list[0]), 'base64').toString('utf16le');
      default:
        throw new Unfit();
    }
  }

  #list(list: unknown[]): unknown[] {
    for (let at = 0; at < list.length; at++) {
      const item = list[at];
      if (typeof item === 'object' && item !== null) list[at] = this.#array(item as unknown[]);
    }
    return list;
  }

  #properties(names: readonly string[] | undefined, list: readonly unknown[]): object {
    if (names === undefined || names.length !== list.length) throw new Unfit();
    const object: Record<string, unknown> = {};
    for (let at = 0; at < names.length; at++) {
      const name = names[at]!;
      if (name === '__proto__') define(object, name, this.read(list[at]));
      else object[name] = this.read(list[at]);
    }
    return object;
  }

  readNames(list: unknown): string[] {
    if (!Array.isArray(list)) throw new Unfit();
    return list.map((name) => text(this.read(name)));
  }

  #blob(length: unknown): Uint8Array<ArrayBuffer> {
    const end = this.at + number(length);
    if (!(end >= this.at && end <= this.#bytes.length)) throw new Unfit();
    // A copy with a buffer of its own: the value must neither keep the whole answer of the store nor share its bytes.
    const copy = copyBytes(this.#bytes.subarray(this.at, end));
    this.at = end;
    return copy;
  }
}

// Hostile bytes may be well-formed and still name a number where a text belongs.
function number(value: unknown): number {
  if (typeof value !== 'number') throw new Unfit();
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Unfit();
  return value;
}

function object(value: unknown): object {
  if (typeof value !== 'object' || value === null) throw new Unfit();
  return value;
}
