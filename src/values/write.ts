import { UnstorableError } from './errors.js';
import { explain, Unfit } from './fault.js';
import { hasExtras, isWellFormed, kindOf, maxDepth, nameOf } from './kind.js';
import { copyBytes, errorParts, viewTypeOf } from './make.js';
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
 * @throws UnstorableError when something in `value` would not come back as it was
 */
export function writeValue(value: unknown, types?: TypeTable): Uint8Array[] {
  const writer = new Writer(types);
  try {
    const root = writer.write(value, 0);
    const packed = packr.pack([...writer.shapes, root]);
    return [packed, ...writer.blobs];
  } catch (error) {
    throw explain(error, value, 'value', (part) => faultOf(part, types), maxDepth, UnstorableError);
  }
}

/** What keeps `value`, its children aside, from being stored. */
export function faultOf(value: unknown, types?: TypeTable): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return nameOf(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const kind = kindOf(value, types);
  return kind === undefined || hasExtras(value, kind) ? nameOf(value) : undefined;
}

class Writer {
  readonly shapes: unknown[] = [];
  readonly blobs: Uint8Array[] = [];
  readonly #types: TypeTable | undefined;
  readonly #names: string[][] = [];
  readonly #byNames = new Map<string, number>();
  /** The shape that followed each shape last time: lists repeat themselves. */
  readonly #next: number[] = [];
  #last = 0;
  constructor(types: TypeTable | undefined) {
    this.#types = types;
  }

  write(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return isWellFormed(value) ? value : [Buffer.from(value, 'utf16le').toString('base64'), UNITS];
      case 'number':
        return value === 0 && Object.is(value, -0) ? [NEGATIVE_ZERO] : value;
      case 'boolean':
        return value;
      case 'undefined':
        return [UNDEFINED];
      case 'bigint':
        return [value.toString(16), BIGINT];
      case 'object':
        return value === null ? null : this.#object(value, depth + 1);
      default:
        throw new Unfit();
    }
  }

  #object(value: object, depth: number): unknown[] {
    const kind = kindOf(value, this.#types);
    if (kind === undefined || depth > maxDepth || hasExtras(value, kind)) throw new Unfit();
    switch (kind) {
      case 'object':
        return this.#properties(value, depth);
      case 'bare':
        return [this.#properties(value, depth), BARE];
      case 'array':
        return this.#list(value as unknown[], depth, ARRAY);
      case 'date':
        return [(value as Date).getTime(), DATE];
      case 'map':
        return this.#list([...(value as Map<unknown, unknown>)].flat(1), depth, MAP);
      case 'set':
        return this.#list([...(value as Set<unknown>)], depth, SET);
      case 'bytes':
        return [viewTypeOf(value as ArrayBufferView), this.#blob(copyBytes(value as ArrayBufferView)), BYTES];
      case 'buffer':
        return [this.#blob(copyBytes(value as ArrayBuffer)), BUFFER];
      case 'regexp': {
        const { source, flags, lastIndex } = value as RegExp;
        return [this.write(source, depth), flags, this.write(lastIndex, depth), REGEXP];
      }
      case 'error': {
        const { type, shown, hidden } = errorParts(value);
        return [type, this.#properties(shown, depth), this.#properties(hidden, depth), ERROR];
      }
      case 'instance': {
        const { name, rule } = this.#types!.byPrototype.get(Object.getPrototypeOf(value))!;
        return [name, rule.encode ? this.write(rule.encode(value), depth) : this.#properties(value, depth), INSTANCE];
      }
    }
  }

  #list(items: readonly unknown[], depth: number, kind: number): unknown[] {
    const list = new Array<unknown>(items.length + 1);
    for (let at = 0; at < items.length; at++) list[at] = this.write(items[at], depth);
    list[items.length] = kind;
    return list;
  }

  #properties(value: object, depth: number): unknown[] {
    const names = Object.keys(value);
    const list = new Array<unknown>(names.length + 1);
    for (let at = 0; at < names.length; at++)
      list[at] = this.write((value as Record<string, unknown>)[names[at]!], depth);
    list[names.length] = FIRST_SHAPE + this.#shapeOf(names);
    return list;
  }

  #shapeOf(names: string[]): number {
    let shape = this.#next[this.#last];
    if (shape === undefined || !equal(this.#names[shape]!, names)) {
      const text = names.join('\0');
      shape = this.#byNames.get(text);
      // Two lists of names may have the same text when a name contains the separator.
      if (shape === undefined || !equal(this.#names[shape]!, names)) {
        shape = this.#names.push(names) - 1;
        this.shapes.push(names.map((name) => this.write(name, 0)));
        this.#byNames.set(text, shape);
      }
      this.#next[this.#last] = shape;
    }
    this.#last = shape;
    return shape;
  }

  #blob(bytes: Uint8Array): number {
    this.blobs.push(bytes);
    return bytes.length;
  }
}

function equal(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (some[at] !== others[at]) return false;
  return true;
}
