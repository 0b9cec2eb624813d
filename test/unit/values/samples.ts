import fc from 'fast-check';
import type { Envelope } from '../../../src/values/index.js';

export const head: Envelope = {
  epoch: 'e1',
  tags: ['t'],
  versions: ['v1'],
  storedAt: 1_700_000_000_000,
  freshUntil: 1_700_000_060_000,
  keepUntil: 1_700_000_060_000,
  cost: 3,
  origin: 'h',
};

export const limits = { maxBytes: 1 << 20 };

export function aRow(at: number) {
  return {
    id: at,
    name: `User ${at}`,
    email: `user${at}@example.com`,
    active: at % 2 === 0,
    score: at / 3,
    createdAt: new Date(1_700_000_000_000 + at),
    note: null,
  };
}

export function anError(): Error {
  const error = new RangeError('too far', { cause: new Error('inner') });
  return Object.assign(error, { code: 'E_FAR', details: { at: new Date(5) } });
}

function withProtoKey(): unknown {
  return JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toJSON":2,"a":{"__proto__":[1]}}');
}

/** One of everything that can be stored, by name. */
export const leaves: Record<string, () => unknown> = {
  null: () => null,
  undefined: () => undefined,
  'negative zero': () => -0,
  NaN: () => Number.NaN,
  'an infinity': () => -Infinity,
  'a large integer': () => Number.MAX_SAFE_INTEGER,
  'a small double': () => 5e-324,
  'a bigint': () => 2n ** 200n,
  'a negative bigint': () => -(2n ** 64n),
  'text of every plane': () => 'aß中😀\0',
  'an unpaired surrogate': () => 'x\ud800y',
  'a Date': () => new Date(1_700_000_000_123),
  'a Date before 1970': () => new Date(-1_234_567_891_234),
  'the last Date': () => new Date(8.64e15),
  'an invalid Date': () => new Date(Number.NaN),
  'a Map': () =>
    new Map<unknown, unknown>([
      [{ a: 1 }, new Date(1)],
      ['x', new Map([[1, 2]])],
    ]),
  'a Set': () => new Set([1, '1', new Date(7)]),
  'a Buffer': () => Buffer.from('bytes'),
  'an empty Buffer': () => Buffer.alloc(0),
  'a Uint8Array': () => Uint8Array.of(1, 2, 3),
  'a part of a buffer': () => new Uint8Array(new ArrayBuffer(64), 8, 4),
  'a Uint8ClampedArray': () => Uint8ClampedArray.of(1, 300),
  'an Int16Array': () => Int16Array.of(-1, 2),
  'a Uint16Array': () => Uint16Array.of(1, 2),
  'an Int32Array': () => Int32Array.of(-1, 2),
  'a Uint32Array': () => Uint32Array.of(1, 2),
  'an Int8Array': () => Int8Array.of(-1),
  'a Float32Array': () => Float32Array.of(1.5, Number.NaN),
  'a Float64Array': () => Float64Array.of(0.1, -0),
  'a BigInt64Array': () => BigInt64Array.of(-1n),
  'a BigUint64Array': () => BigUint64Array.of(1n),
  'a DataView': () => new DataView(Uint8Array.of(1, 2).buffer),
  'an ArrayBuffer': () => Uint8Array.of(9, 8).buffer,
  'a RegExp': () => Object.assign(/a\/b[\]]/giu, { lastIndex: 3 }),
  'an Error': anError,
  'an AggregateError': () => new AggregateError([new TypeError('x')], 'several'),
  'an Error without a message': () => new SyntaxError(),
  'an object without prototype': () => Object.assign(Object.create(null), { a: 1, d: new Date(3), b: [] }),
  'keys that look dangerous': withProtoKey,
  'keys that look like integers': () => ({ 10: 'x', 2: 'y', b: 1, a: 2, '-1': 3 }),
  'a key that no UTF-8 has': () => ({ '\udc00': 1, 'a\0b': 2 }),
  'undefined as a property and an item': () => ({ a: undefined, list: [undefined, 1] }),
  'an empty object and an empty array': () => [{}, []],
  'names that join alike': () => [
    { 'a\0b': 1, c: 2 },
    { a: 1, 'b\0c': 2 },
    { 'a\0b': 3, c: 4 },
  ],
  rows: () => [aRow(1), aRow(2), aRow(3)],
  'rows of several shapes': () => [aRow(1), { id: 2 }, { ...aRow(3), owner: aRow(4) }, null, { id: 5 }],
};

/** Any storable value: all leaves, nested. Not invalid Dates, which `deepStrictEqual` takes for different. */
export const storable: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.double(),
      fc.integer(),
      fc.bigInt(),
      fc.boolean(),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.float64Array(),
      fc
        .constantFrom(...Object.values(leaves).filter((make) => make !== leaves['an invalid Date']))
        .map((make) => make()),
    ),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '1', 'a', 'b')), tie('value'), {
      maxKeys: 6,
    }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
    fc
      .tuple(
        fc.uniqueArray(fc.string(), { maxLength: 4 }),
        fc.array(fc.array(tie('value'), { minLength: 4, maxLength: 4 }), { maxLength: 5 }),
      )
      .map(([names, cells]) => cells.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])))),
  ),
})).value;

/** What nobody can store, with the name under which it must be reported. */
export const unstorable: Record<string, [make: () => unknown, found: string]> = {
  'a function': [() => () => 1, 'a function'],
  'a class': [() => class A {}, 'a function'],
  'a symbol': [() => Symbol('x'), 'a symbol'],
  'an instance': [
    () =>
      new (class Account {
        balance = 1;
      })(),
    'Account',
  ],
  'an instance of a subclass of Map': [() => new (class Index extends Map {})(), 'Index'],
  'an instance of a subclass of Array': [() => new (class Rows extends Array {})(), 'Rows'],
  'an instance of a subclass of Error': [() => new (class HttpError extends Error {})('x'), 'HttpError'],
  'a promise': [() => Promise.resolve(1), 'Promise'],
  'a WeakMap': [() => new WeakMap(), 'WeakMap'],
  'a URL': [() => new URL('http://a.b'), 'URL'],
  'a boxed number': [() => new Number(1), 'Number'],
  'a thing that only claims to be a Date': [() => Object.create(Date.prototype), 'Date'],
  // biome-ignore lint/suspicious/noSparseArray: the hole is the point.
  'an array with a hole': [() => [1, , 2], 'an array with holes or properties'],
  'a long array with a hole': [
    () => Object.assign(new Array(5000).fill(1), { length: 6000 }),
    'an array with holes or properties',
  ],
  'an endless array with a hole': [
    () => Object.assign([1], { length: 2 ** 32 - 1 }),
    'an array with holes or properties',
  ],
  'an array with properties': [() => /a/.exec('a'), 'an array with holes or properties'],
  'an object with a symbol property': [() => ({ [Symbol('gt')]: 1 }), 'an object with symbol properties'],
  'a Date with properties': [() => Object.assign(new Date(0), { zone: 'UTC' }), 'a Date with properties'],
};

/** All that a value is, as text: types, order, prototypes and what is not enumerable. Unlike `deepStrictEqual`, it knows that one invalid Date is like another, and looks into the order of Maps. */
export function portraitOf(value: unknown): string {
  return JSON.stringify(portrait(value));
}

function portrait(value: unknown): unknown {
  if (typeof value === 'string') return [...Array(value.length).keys()].map((at) => value.charCodeAt(at));
  if (typeof value !== 'object' || value === null)
    return `${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`;
  const prototype: object | null = Object.getPrototypeOf(value);
  const name = prototype === null ? 'none' : prototype.constructor.name;
  if (value instanceof ArrayBuffer) return [name, Buffer.from(value).toString('hex')];
  if (ArrayBuffer.isView(value))
    return [name, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')];
  const own = Object.getOwnPropertyNames(value).map((key) => {
    const { enumerable } = Object.getOwnPropertyDescriptor(value, key)!;
    return [portrait(key), enumerable, portrait(Reflect.get(value, key))];
  });
  if (value instanceof Error) own.sort();
  const inside =
    value instanceof Map || value instanceof Set
      ? Array.from(value, portrait)
      : value instanceof Date
        ? value.getTime()
        : value instanceof RegExp
          ? String(value)
          : [];
  return [name, inside, own];
}
