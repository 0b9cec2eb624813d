import { deepStrictEqual } from 'node:assert';
import { runInNewContext } from 'node:vm';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { addExtension, Packr, unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import {
  createTypeTable,
  damaged,
  decodeEntry,
  encodeEntry,
  noValue,
  type TypeTable,
  UnstorableError,
} from '../../../src/values/index.js';
import { effort } from '../../support/effort.js';
import { aRow, head, leaves, limits, portraitOf, storable, unstorable } from './samples.js';

function roundTrip(value: unknown, types?: TypeTable): unknown {
  return decodeEntry(encodeEntry(head, value, types), limits, types)!.value();
}

describe('a stored value', () => {
  it.each(Object.entries(leaves))('comes back as it was: %s', (_, make) => {
    const value = [make(), { inside: make() }];
    expect(portraitOf(roundTrip(value))).toBe(portraitOf(value));
    expect(portraitOf(roundTrip(value[0]))).toBe(portraitOf(value[0]));
  });

  it('comes back as it was, whatever it consists of', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(storable, (value) => {
        const back = roundTrip(value);
        deepStrictEqual(back, value);
        expect(portraitOf(back)).toBe(portraitOf(value));
      }),
      { numRuns: effort(1000) },
    );
  });

  it('belongs to whoever asked for it', () => {
    const entry = decodeEntry(encodeEntry(head, { at: new Date(1), bytes: Buffer.from('abc') }), limits)!;
    const first = entry.value() as { at: Date; bytes: Buffer };
    first.at.setTime(5);
    first.bytes[0] = 0;
    deepStrictEqual(entry.value(), { at: new Date(1), bytes: Buffer.from('abc') });
  });

  it('never touches a prototype', () => {
    const back = roundTrip(JSON.parse('{"__proto__":{"admin":true}}')) as Record<string, unknown>;
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Object.keys(back)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it('from another realm counts as what it is', () => {
    const foreign = runInNewContext('({ at: new Date(5), list: [new Map([[1, new Set([2])]]), /x/g] })');
    deepStrictEqual(roundTrip(foreign), { at: new Date(5), list: [new Map([[1, new Set([2])]]), /x/g] });
  });

  it('takes half the bytes of JSON when it is a list of rows', () => {
    const rows = Array.from({ length: 50 }, (_, at) => aRow(at));
    const bytes = encodeEntry(head, rows).length - encodeEntry(head, null).length;
    expect(bytes / JSON.stringify(rows).length).toBeLessThan(0.62);
  });

  it('does not depend on what others registered with msgpackr', () => {
    addExtension({ Class: Date, type: 0x21, pack: () => Buffer.from('hijacked'), unpack: () => 'hijacked' });
    expect(unpack(new Packr({ useRecords: true }).pack(new Date(5)))).toBe('hijacked'); // what would happen
    deepStrictEqual(roundTrip([new Date(5)]), [new Date(5)]);
  });
});

describe('what would not come back as it was', () => {
  it.each(Object.entries(unstorable))('is not stored: %s', (_, [make, found]) => {
    for (const [value, path] of [
      [make(), 'value'],
      [{ rows: [1, make()] }, 'value.rows[1]'],
      [new Map([['k', make()]]), 'value.get("k")'],
    ] as const) {
      const error = thrown(() => encodeEntry(head, value));
      expect(error).toBeInstanceOf(UnstorableError);
      expect(error).toMatchObject({
        path,
        found,
        code: 'UNSTORABLE',
        message: `${path} is ${found}, which cannot be stored`,
      });
    }
  });

  it('is not stored: a cycle, or what is nested too deeply', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.parent = { children: [cyclic] };
    expect(thrown(() => encodeEntry(head, cyclic))).toMatchObject({
      path: 'value.parent.children[0]',
      found: 'a cyclic reference',
    });
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    deepStrictEqual(roundTrip(nested(256)), nested(256));
    expect(thrown(() => encodeEntry(head, nested(257)))).toMatchObject({ found: 'nested deeper than 256 levels' });
    const bare = (levels: number): unknown =>
      levels === 0 ? 1 : Object.assign(Object.create(null), { a: bare(levels - 1) });
    deepStrictEqual(roundTrip(bare(256)), bare(256));
  });
});

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  get euros() {
    return this.cents / 100;
  }
}
class Secret {
  #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  reveal() {
    return this.#text;
  }
}
const types = createTypeTable([
  { class: Money },
  { class: Secret, encode: (secret) => secret.reveal(), decode: (text) => new Secret(text) },
]);

describe('an instance of a class with a rule', () => {
  it('comes back as an instance', () => {
    const back = roundTrip({ price: new Money(250), list: [new Secret('x')] }, types) as {
      price: Money;
      list: Secret[];
    };
    expect(back.price).toBeInstanceOf(Money);
    expect(back.price.euros).toBe(2.5);
    expect(back.list[0]!.reveal()).toBe('x');
  });

  it('is damaged to a reader without the rule', () => {
    expect(decodeEntry(encodeEntry(head, new Money(1), types), limits)!.value()).toBe(damaged);
  });

  it('is not stored when its rule fails', () => {
    const failing = createTypeTable([
      {
        class: Secret,
        encode: () => {
          throw new Error('locked');
        },
        decode: () => new Secret(''),
      },
    ]);
    expect(thrown(() => encodeEntry(head, new Secret(''), failing))).toMatchObject({
      code: 'UNSTORABLE',
      cause: { message: 'locked' },
    });
  });
});

describe('a table of rules', () => {
  it.each([
    ['a class', [{ class: (() => 1) as never }], 'Expected `types[0].class` to be a class, got function'],
    ['a class other than Object', [{ class: Object }], 'Expected `types[0].class` to be a class, got function'],
    ['a name', [{ class: (() => class {})() }], 'Expected `types[0]` to have a name, got an anonymous class'],
    [
      'distinct names',
      [{ class: Money }, { class: Secret, name: 'Money' }],
      'Expected `types` to have distinct names, got "Money" twice',
    ],
    [
      'distinct classes',
      [{ class: Money }, { class: Money, name: 'Cash' }],
      'Expected `types` to have distinct classes, got Money twice',
    ],
    [
      'both ways',
      [{ class: Money, encode: () => 1 }],
      'Expected the rule for Money to have both `encode` and `decode` or neither',
    ],
    [
      'ways to reach hidden state',
      [{ class: class Index extends Map {} }],
      'Expected the rule for Index to have `encode` and `decode`, as Map keeps its state hidden',
    ],
  ])('needs %s', (_, rules, message) => {
    expect(() => createTypeTable(rules)).toThrow(new TypeError(message));
  });
});

describe('an entry', () => {
  it('gives back its head without decoding its value', () => {
    const full = {
      ...head,
      tags: ['a', 'b'],
      versions: ['1', '2'],
      statements: 'x',
      keepUntil: Number.POSITIVE_INFINITY,
      cost: 0.5,
    };
    const entry = decodeEntry(encodeEntry(full, 1), limits)!;
    deepStrictEqual(entry.head, full);
    expect(entry.hasValue).toBe(true);
  });

  it('may have no value, which differs from undefined', () => {
    const hint = decodeEntry(encodeEntry(head, noValue), limits)!;
    expect([hint.hasValue, hint.value()]).toEqual([false, noValue]);
    const nothing = decodeEntry(encodeEntry(head, undefined), limits)!;
    expect([nothing.hasValue, nothing.value()]).toEqual([true, undefined]);
  });

  it('needs a version for each tag', () => {
    expect(() => encodeEntry({ ...head, versions: [] }, 1)).toThrow(
      'Expected `versions` to have one for each of 1 tags, got 0',
    );
  });

  it('over the limit is not decoded', () => {
    const bytes = encodeEntry(head, 'x'.repeat(1000));
    expect(decodeEntry(bytes, { maxBytes: bytes.length })).toBeDefined();
    expect(decodeEntry(bytes, { maxBytes: bytes.length - 1 })).toBeUndefined();
  });

  it('of a later format, or with a flag that is not known, is not decoded', () => {
    for (const [at, value] of [
      [2, 2],
      [3, 3],
      [3, 0x81],
    ] as const) {
      const bytes = Buffer.from(encodeEntry(head, 1));
      bytes[at] = value;
      expect(decodeEntry(reseal(bytes), limits)).toBeUndefined();
    }
  });

  it('may start anywhere in a larger buffer', () => {
    const bytes = encodeEntry(head, { a: Buffer.from('xyz'), b: 'ü' });
    const inside = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]).subarray(6, 6 + bytes.length);
    deepStrictEqual(decodeEntry(inside, limits)!.value(), { a: Buffer.from('xyz'), b: 'ü' });
    deepStrictEqual(decodeEntry(new Uint8Array(inside), limits)!.value(), { a: Buffer.from('xyz'), b: 'ü' });
  });
});

/** What a codec without checksum would see: the same damage, and a checksum that fits it. */
function reseal(bytes: Buffer): Buffer {
  if (bytes.length >= 8) bytes.writeUInt32BE(crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4))), 4);
  return bytes;
}

/** Reads as the cache does. */
function outcomeOf(bytes: Uint8Array, expected: unknown): 'none' | 'right' | 'wrong' {
  const entry = decodeEntry(bytes, limits);
  const value = entry?.hasValue ? entry.value() : damaged;
  if (value === damaged) return 'none';
  try {
    deepStrictEqual([entry!.head, value], [head, expected]);
    return 'right';
  } catch {
    return 'wrong';
  }
}

const samples = [1, { id: 7 }, 'ok'] as const;

function* flips(bytes: Uint8Array, bits: 1 | 2): Iterable<Buffer> {
  const count = bytes.length * 8;
  const flip = (of: Buffer, bit: number) => {
    of[bit >> 3]! ^= 1 << (bit & 7);
  };
  const copy = Buffer.from(bytes);
  for (let first = 0; first < count; first++) {
    flip(copy, first);
    if (bits === 1) yield copy;
    else
      for (let second = first + 1; second < count; second++) {
        flip(copy, second);
        yield copy;
        flip(copy, second);
      }
    flip(copy, first);
  }
}

describe('bytes of a store', () => {
  it('with one flipped bit give no value', { timeout: 60_000 }, () => {
    for (const value of [
      ...samples,
      { rows: [aRow(1), aRow(2)], at: new Date(5) },
      [new Map([[1, Buffer.from('abc')]])],
    ])
      for (const bytes of flips(encodeEntry(head, value), 1)) expect(outcomeOf(bytes, value)).toBe('none');
  });

  it('with two flipped bits give no value', { timeout: 60_000 }, () => {
    for (const value of samples) {
      const whole = encodeEntry(head, value);
      expect(whole.length).toBeLessThanOrEqual(64);
      for (const bytes of flips(whole, 2)) if (decodeEntry(bytes, limits) !== undefined) expect.unreachable();
    }
  });

  it('with one flipped bit give other values when nothing is summed', () => {
    const value = { rows: [aRow(1), aRow(2)] };
    const outcomes = Array.from(flips(encodeEntry(head, value), 1), (bytes) =>
      outcomeOf(reseal(Buffer.from(bytes)), value),
    );
    expect(outcomes.filter((outcome) => outcome === 'wrong').length).toBeGreaterThan(outcomes.length / 4);
  });

  it('that are cut short, or too long, give no value', () => {
    for (const value of [...samples, [aRow(1), aRow(2)], Buffer.alloc(20)]) {
      const whole = Buffer.from(encodeEntry(head, value));
      for (let length = 0; length < whole.length; length++) {
        expect(decodeEntry(whole.subarray(0, length), limits)).toBeUndefined();
        expect(outcomeOf(reseal(Buffer.from(whole.subarray(0, length))), value)).toBe('none');
      }
      for (const extra of [1, 2, 8])
        expect(outcomeOf(reseal(Buffer.concat([whole, Buffer.alloc(extra)])), value)).toBe('none');
    }
  });

  it('that are random give no value and no error', { timeout: 60_000 }, () => {
    const random = xorshift(1);
    const whole = encodeEntry(head, [aRow(1), new Map([[1, 'x']])]);
    for (let at = 0; at < effort(100_000); at++) {
      const bytes = Buffer.alloc(random() % 200);
      for (let index = 0; index < bytes.length; index++) bytes[index] = random();
      if (at % 2) bytes.set(whole.subarray(0, Math.min(4, bytes.length)));
      expect(decodeEntry(bytes, limits)).toBeUndefined();
    }
  });

  it('that somebody forged give whatever they say, but no error', { timeout: 60_000 }, () => {
    const random = xorshift(2);
    const value = [aRow(1), new Map([[1, Buffer.from('x')]]), anything()];
    const whole = Buffer.from(encodeEntry(head, value));
    const headEnd = 11 + whole.readUIntBE(8, 3);
    for (let at = 0; at < effort(50_000); at++) {
      const bytes = Buffer.from(whole.subarray(0, at % 4 === 0 ? headEnd + (random() % 60) : undefined));
      // Half of them spoil only the value, so that its reader is reached.
      const from = at % 2 ? headEnd : 8;
      for (let count = 1 + (random() % 4); count > 0; count--)
        bytes[from + (random() % Math.max(1, bytes.length - from))] = random();
      const entry = decodeEntry(reseal(bytes), limits);
      entry?.value();
    }
  });

  it('that are small cannot ask for much memory or a deep stack', () => {
    const hostile: Record<string, number[]> = {
      'an endless array': [0xdd, 0xff, 0xff, 0xff, 0xff],
      'an endless text': [0x91, 0xdb, 0xff, 0xff, 0xff, 0xff],
      'an endless Buffer': [0x91, 0x93, 0x00, 0xce, 0xff, 0xff, 0xff, 0xff, 0x07],
      'a negative Buffer': [0x91, 0x93, 0x00, 0xff, 0x07],
      'an array for every byte': Array.from({ length: 100_000 }, () => 0x91),
      'a shape that nobody defined': [0x91, 0x92, 0x01, 0x20],
      'a shape with fewer names': [0x92, 0x91, 0xa1, 0x61, 0x93, 0x01, 0x02, 0x10],
      'an error of no class': [0x91, 0x94, 0x7f, 0x91, 0x10, 0x91, 0x10, 0x0a],
      'a pattern that does not end': [0x91, 0x94, 0xa1, 0x28, 0xa0, 0x00, 0x09],
      'a bigint that is none': [0x91, 0x92, 0xa1, 0x78, 0x04],
      'an extension': [0x91, 0xd4, 0x65, 0x00],
      'a pointer of a structured clone': [0x91, 0xd6, 0x70, 0, 0, 0, 1],
      'a map': [0x91, 0x81, 0xa1, 0x61, 0x01],
      nothing: [],
      'not a list': [0x01],
      'an empty list': [0x90],
    };
    const whole = Buffer.from(encodeEntry(head, 1));
    const headEnd = 11 + whole.readUIntBE(8, 3);
    for (const [name, bytes] of Object.entries(hostile)) {
      const entry = decodeEntry(reseal(Buffer.concat([whole.subarray(0, headEnd), Buffer.from(bytes)])), limits);
      expect([name, entry!.value()]).toEqual([name, name === 'an empty list' ? undefined : damaged]);
    }
  });
});

function anything(): unknown {
  return [
    /x/g,
    new RangeError('x'),
    5n,
    Object.assign(Object.create(null), { a: -0 }),
    Float64Array.of(1),
    undefined,
    '\ud800',
    new Set([1]),
  ];
}

function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('Expected an error');
}
