import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CopyPolicy, createTypeTable, decodeEntry, encodeEntry, handOut, keep, UnstorableError } from '../../../src/values/index.js';
import { aRow, head, leaves, limits, storable, unstorable } from './samples.js';

const privateCopies: CopyPolicy[] = ['frozen', 'clone'];

/** Every way in which code changes what it got. Each may throw; that is an answer too. */
const mutations: Record<string, (target: never) => unknown> = {
  'set Date': (date: Date) => date.setTime(0),
  'set Date past its methods': (date: Date) => Date.prototype.setFullYear.call(date, 1999),
  'add to Map': (map: Map<unknown, unknown>) => map.set('new', 1),
  'clear Map': (map: Map<unknown, unknown>) => Map.prototype.clear.call(map),
  'add to Set': (set: Set<unknown>) => set.add('new'),
  'clear Set': (set: Set<unknown>) => Set.prototype.clear.call(set),
  'write byte': (bytes: Uint8Array) => { bytes[0] = 99 as never; },
  'fill bytes': (bytes: Uint8Array) => bytes.fill(77 as never),
  'write through the buffer': (view: Uint8Array) => new Uint8Array(view.buffer).fill(55),
  'write into the buffer': (buffer: ArrayBuffer) => new Uint8Array(buffer).fill(44),
  'move lastIndex': (pattern: RegExp) => { pattern.lastIndex = 1; },
  'compile RegExp': (pattern: RegExp) => pattern.compile('other'),
  'change message': (error: Error) => { error.message = 'other'; },
  'change stack': (error: Error) => { error.stack = 'other'; },
  'assign property': (object: Record<string, unknown>) => { object.a = 'changed'; },
  'assign to every property': (object: Record<string, unknown>) => { for (const key of Object.keys(object)) object[key] = 'changed'; },
  'delete every property': (object: Record<string, unknown>) => { for (const key of Object.keys(object)) Reflect.deleteProperty(object, key); },
  'define property': (object: object) => Object.defineProperty(object, 'id', { value: 'changed' }),
  'change prototype': (object: object) => Object.setPrototypeOf(object, { evil: true }),
  push: (array: unknown[]) => array.push('new'),
  sort: (array: unknown[]) => array.reverse(),
  'set length': (array: unknown[]) => { array.length = 0; },
};

/** Applies `mutate` to everything that can be reached. */
function mutateAll(value: unknown, mutate: (target: never) => unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  const children: unknown[] = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : ArrayBuffer.isView(value) ? [] : Object.getOwnPropertyNames(value).map((name) => Reflect.get(value, name));
  for (const child of children) mutateAll(child, mutate, seen);
  try {
    mutate(value as never);
  } catch {
    // Refusing is as good as not being affected.
  }
}

const nestings: Record<string, (value: unknown) => unknown> = {
  alone: (value) => value,
  'in an object': (value) => ({ a: value, b: { c: [1] } }),
  'in rows': (value) => [{ id: 1, a: value }, { id: 2, a: null }, { id: 3, a: { b: [value] } }],
  'in a Map in a Set': (value) => new Set([new Map([['k', { a: value }]])]),
  'in an error': (value) => Object.assign(new Error('x', { cause: value }), { details: [value] }),
};

describe.each(privateCopies)('what a reader of a %s value does', (policy) => {
  it.each(Object.keys(leaves))('does not reach the next reader, nor the load: %s', (name) => {
    const make = leaves[name]!;
    for (const nest of Object.values(nestings))
      for (const owned of [false, true])
        for (const mutate of Object.values(mutations)) {
          const expected = withStack(nest(make()), owned);
          const loaded = owned ? decodeEntry(encodeEntry(head, expected), limits)!.value() : expected;
          const kept = keep(loaded, policy, { owned });
          mutateAll(handOut(kept), mutate);
          deepStrictEqual(handOut(kept), nestAgain(expected));
          if (!owned) {
            mutateAll(loaded, mutate);
            expect(() => deepStrictEqual(handOut(kept), nestAgain(expected))).not.toThrow;
          }
        }
  });
});
