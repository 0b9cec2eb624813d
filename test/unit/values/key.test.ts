import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createTypeTable,
  encodeArguments,
  encodeKey,
  escapeTag,
  hashKey,
  type Key,
  type KeyPart,
  UnkeyableError,
} from '../../../src/values/index.js';
import { effort } from '../../support/effort.js';

class Filter {
  page = 1;
  text: string;
  constructor(text: string) {
    this.text = text;
  }
}
class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  plus(other: Money) {
    return new Money(this.cents + other.cents);
  }
}

describe('a key', () => {
  it('that is a text is its own text', () => {
    for (const key of ['', 'user', 'user:7', "'4:user", '{}', '7;', ' [']) expect(encodeKey(key)).toBe(key);
  });

  it('that is a text never equals a list', () => {
    const lists: Key[] = [[], ['a'], ['a', 1], [['a']], ['"']];
    const texts = lists.map((list) => encodeKey(list));
    for (const text of texts) {
      expect(texts).not.toContain(encodeKey(text));
      expect(texts).not.toContain(encodeKey(encodeKey(text)));
    }
    expect(encodeKey('a')).not.toBe(encodeKey(['a']));
    expect(encodeKey('[a')).not.toBe(encodeKey('"[a"'));
  });

  it('tells types apart', () => {
    const parts: KeyPart[] = [
      1,
      '1',
      1n,
      true,
      'true',
      false,
      null,
      'null',
      undefined,
      'undefined',
      0,
      '',
      Number.NaN,
      'NaN',
      Infinity,
      -Infinity,
      -1,
      '-1',
      1.5,
      new Date(1),
      Buffer.from('1'),
      [],
      {},
      [1],
      { 0: 1 },
      { a: undefined },
      { a: null },
      { a: { b: 1 } },
      { 'a.b': 1 },
      [[1], 2],
      [[1, 2]],
      new Map(),
      new Map([[1, 2]]),
      new Map([[2, 1]]),
      new Set(),
      new Set([1, 2]),
      [undefined],
      [null],
      '~',
      '!',
      'T',
      [1, 2],
      ['1;2'],
    ];
    expect(new Set(parts.map((part) => encodeKey([part]))).size).toBe(parts.length);
  });

  it('does not depend on the order of properties, entries and members', () => {
    expect(encodeKey([{ a: 1, b: { d: 1, c: 2 } }])).toBe(encodeKey([{ b: { c: 2, d: 1 }, a: 1 }]));
    expect(
      encodeKey([
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ]),
    ).toBe(
      encodeKey([
        new Map([
          ['b', 2],
          ['a', 1],
        ]),
      ]),
    );
    expect(encodeKey([new Set([1, 2])])).toBe(encodeKey([new Set([2, 1])]));
    const many = Array.from({ length: 40 }, (_, at) => [`k${(at * 7) % 40}`, at] as const);
    expect(encodeKey([Object.fromEntries(many)])).toBe(encodeKey([Object.fromEntries([...many].reverse())]));
  });

  it('takes as the same what a database takes as the same', () => {
    expect(encodeKey([-0])).toBe(encodeKey([0]));
    expect(encodeKey([Buffer.from('ab')])).toBe(encodeKey([new Uint8Array([97, 98])]));
    expect(encodeKey([new Filter('x')] as unknown as Key)).toBe(encodeKey([{ text: 'x', page: 1 }]));
    expect(encodeKey([Object.assign(Object.create(null), { a: 1 })])).toBe(encodeKey([{ a: 1 }]));
    expect(encodeKey([runInNewContext('({ a: [1, new Date(5)] })')])).toBe(encodeKey([{ a: [1, new Date(5)] }]));
  });

  it('that is neither text nor list is a mistake', () => {
    expect(() => encodeKey(7 as unknown as Key)).toThrow('Expected `key` to be a string or an array, got 7 (number)');
  });

  it('contains instances of a class with a rule, under its name', () => {
    class Grams extends Money {}
    const types = createTypeTable([
      { class: Money, key: (money) => money.cents },
      { class: Grams, key: (grams) => grams.cents },
    ]);
    const key = (part: unknown) => encodeKey([part] as Key, types);
    expect(key(new Money(1))).toBe(key(new Money(1)));
    expect(new Set([new Money(1), new Money(2), new Grams(1), 1, { cents: 1 }].map(key)).size).toBe(5);
    expect(() => encodeKey([new Money(1)] as unknown as Key)).toThrow(
      'key[0] is Money, which cannot become part of a key',
    );
  });
});

describe('what is no data', () => {
  const refusals: [string, unknown, string, string][] = [
    ['a request', { req: new IncomingMessage(new Socket()) }, 'argument 2.req', 'IncomingMessage'],
    ['a function', () => 1, 'argument 2', 'a function'],
    ['a symbol', [Symbol('x')], 'argument 2[0]', 'a symbol'],
    ['a promise', { a: [Promise.resolve()] }, 'argument 2.a[0]', 'Promise'],
    [
      'an operator that is a symbol',
      { age: { [Symbol('gt')]: 5 } },
      'argument 2.age',
      'an object with symbol properties',
    ],
    ['a class with a method', new Money(1), 'argument 2', 'Money'],
    ['a RegExp', { 'a-b': /x/ }, 'argument 2["a-b"]', 'RegExp'],
    ['an Error', new Error('x'), 'argument 2', 'Error'],
    ['an invalid Date', new Date(Number.NaN), 'argument 2', 'an invalid Date'],
    ['an array that is not of bytes', Int16Array.of(1), 'argument 2', 'Int16Array'],
    // biome-ignore lint/suspicious/noSparseArray: the hole is the point.
    ['an array with a hole', [1, , 2], 'argument 2', 'an array with holes or properties'],
    ['a value in a Map', new Map([['k', () => 1]]), 'argument 2.get("k")', 'a function'],
    ['a member of a Set', new Set([() => 1]), 'argument 2.values[0]', 'a function'],
  ];
  it.each(refusals)('cannot be part of a key: %s', (_, part, path, found) => {
    const error = thrown(() => encodeArguments([1, part]));
    expect(error).toBeInstanceOf(UnkeyableError);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      path,
      found,
      code: 'UNKEYABLE',
      message: `${path} is ${found}, which cannot become part of a key`,
    });
  });

  it('is named also when it is found by its depth', () => {
    const cyclic: Record<string, unknown> = { a: 1 };
    cyclic.self = { again: cyclic };
    expect(thrown(() => encodeArguments([cyclic]))).toMatchObject({
      path: 'argument 1.self.again',
      found: 'a cyclic reference',
    });
    const nested = (levels: number): KeyPart => (levels === 0 ? 1 : [nested(levels - 1)]);
    expect(encodeKey([nested(32)])).toBeTypeOf('string');
    expect(thrown(() => encodeKey([nested(33)]))).toMatchObject({
      path: `key[0]${'[0]'.repeat(32)}`,
      found: 'nested deeper than 32 levels',
    });
  });

  it('keeps the error of a getter as the cause', () => {
    const cause = new Error('lost connection');
    const lazy = {
      get row() {
        throw cause;
      },
    };
    expect(thrown(() => encodeArguments([lazy]))).toMatchObject({ path: 'argument 1', cause });
  });
});

describe('arguments', () => {
  it('end with the last one that is defined', () => {
    expect(encodeArguments([1])).toBe(encodeArguments([1, undefined, undefined]));
    expect(encodeArguments([])).toBe(encodeArguments([undefined]));
    expect(encodeArguments([undefined, 1])).not.toBe(encodeArguments([1]));
  });
});

/** Short parts of few characters, full of what separates parts: random texts would hardly ever meet. */
const alphabet = ["'", ':', ';', '1', '2', 'a', '[', ']', '{', '}', '~', '!', '"', 'n', 'd', '\ud800', '😀'];

function nearTuples(seed: number): () => unknown[] {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const text = () => {
    let result = '';
    for (let left = random(5); left > 0; left--) result += alphabet[random(alphabet.length)];
    return result;
  };
  const part = (depth: number): unknown => {
    switch (random(depth > 1 ? 8 : 11)) {
      case 0:
        return random(13);
      case 1:
        return BigInt(random(13));
      case 2:
        return [null, undefined, true, false, Number.NaN, -1, 1.5][random(7)];
      case 8:
        return Array.from({ length: random(3) }, () => part(depth + 1));
      case 9:
        return Object.fromEntries(Array.from({ length: random(3) }, () => [text(), part(depth + 1)]));
      case 10:
        return random(2) ? new Set([part(depth + 1)]) : new Map([[text(), part(depth + 1)]]);
      default:
        return text();
    }
  };
  let last: string[] = ['', ''];
  return () => {
    // Every second tuple is its predecessor with a character moved over the border between two neighbours.
    if (random(2) === 0) {
      const whole = last.join('');
      const border = random(whole.length + 1);
      last = [whole.slice(0, border), whole.slice(border)];
      return last;
    }
    const tuple = Array.from({ length: 1 + random(3) }, () => part(0));
    if (tuple.every((item) => typeof item === 'string')) last = tuple as string[];
    return tuple;
  };
}

/** Another text of a tuple, slow and obviously unambiguous. */
function reference(value: unknown): string {
  if (Array.isArray(value)) return JSON.stringify(['list', ...value.map(reference)]);
  if (value instanceof Map)
    return JSON.stringify(['map', ...[...value].map(([key, item]) => reference([key, item])).sort()]);
  if (value instanceof Set) return JSON.stringify(['set', ...[...value].map(reference).sort()]);
  if (typeof value === 'object' && value !== null)
    return JSON.stringify([
      'object',
      ...Object.keys(value)
        .sort()
        .map((name) => [name, reference(value[name as never])]),
    ]);
  return `${typeof value} ${JSON.stringify(String(value))}`;
}

function collisions(count: number, textOf: (tuple: unknown[]) => string): number {
  const next = nearTuples(42);
  const seen = new Map<string, string>();
  let found = 0;
  for (let at = 0; at < count; at++) {
    const tuple = next();
    const text = textOf(tuple);
    const identity = reference(tuple);
    const other = seen.get(text);
    if (other === undefined) seen.set(text, identity);
    else if (other !== identity) found++;
  }
  return found;
}

describe('a million tuples that differ little', () => {
  it('have texts that differ', { timeout: 60_000 }, () => {
    expect(collisions(effort(1_000_000), (tuple) => encodeKey(tuple as Key))).toBe(0);
  });

  it('collide when joined or written as JSON', () => {
    expect(
      collisions(20_000, (tuple) =>
        tuple
          .map((part) =>
            typeof part === 'bigint'
              ? `${part}`
              : (JSON.stringify(part, (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? 'null'),
          )
          .join(':'),
      ),
    ).toBeGreaterThan(100);
    expect(collisions(20_000, (tuple) => tuple.map(String).join(':'))).toBeGreaterThan(100);
  });
});

describe('a hash', () => {
  it('is 22 characters that a store key may contain', () => {
    expect(hashKey('user:7')).toMatch(/^[\w-]{22}$/);
    expect(hashKey('user:7')).toBe(hashKey(['user', '7'].join(':')));
  });

  it('differs for texts that UTF-8 writes alike', () => {
    expect(Buffer.from('\ud800')).toEqual(Buffer.from('\ud801'));
    expect(new Set(['\ud800', '\ud801', '\ufffd', ''].map(hashKey)).size).toBe(4);
  });
});

const forbidden = /[{}:|*?[\]\\\r\n\0]/;

describe('a tag', () => {
  it('without special characters is its own text', () => {
    for (const tag of ['user', 'main.public.users#7', 'Straße 中', 'a/b@c!r']) expect(escapeTag(tag)).toBe(tag);
  });

  it('cannot leave the braces of its store key, nor be a pattern', () => {
    expect(escapeTag('user:{7}')).toBe('user%3a%7b7%7d');
    expect(escapeTag('a|*?[b]\\\r\n\0%')).toBe('a%7c%2a%3f%5bb%5d%5c%0d%0a%00%25');
  });

  it('is at most 512 bytes of well-formed text', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ maxLength: 600, minLength: 100, unit: fc.constantFrom('a', ':', '中', '😀', '\ud800') }),
        ),
        (tag) => {
          const text = escapeTag(tag);
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(512);
          expect(Buffer.from(text).toString()).toBe(text);
          expect(text).not.toMatch(forbidden);
        },
      ),
    );
  });

  it('differs from every other tag', { timeout: 60_000 }, () => {
    const next = nearTuples(7);
    const seen = new Map<string, string>();
    for (let at = 0; at < effort(300_000); at++) {
      const tag = next()
        .map(String)
        .join(at % 3 ? '%' : '%3a')
        .slice(0, 24);
      const text = escapeTag(tag);
      const other = seen.get(text);
      if (other !== undefined && other !== tag)
        throw new Error(`${JSON.stringify(tag)} and ${JSON.stringify(other)} are both ${text}`);
      seen.set(text, tag);
    }
    expect(seen.size).toBeGreaterThan(effort(50_000));
    const long = 'x'.repeat(600);
    expect(new Set([long, `${long}y`, escapeTag(long)].map(escapeTag)).size).toBe(3);
  });
});

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('Expected an error');
}
