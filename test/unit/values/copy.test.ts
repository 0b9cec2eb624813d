import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CopyPolicy,
  createTypeTable,
  decodeEntry,
  encodeEntry,
  handOut,
  type Kept,
  keep,
  UnstorableError,
} from '../../../src/values/index.js';
import { effort } from '../../support/effort.js';
import { aRow, head, leaves, limits, portraitOf, storable, unstorable } from './samples.js';

const privateCopies: CopyPolicy[] = ['frozen', 'clone'];

/** Every way in which code changes what it got. Each may throw; that is an answer too. */
const mutations: Record<string, (target: never) => unknown> = {
  'set Date': (date: Date) => date.setTime(0),
  'set Date past its methods': (date: Date) => Date.prototype.setFullYear.call(date, 1999),
  'add to Map': (map: Map<unknown, unknown>) => map.set('new', 1),
  'clear Map': (map: Map<unknown, unknown>) => Map.prototype.clear.call(map),
  'add to Set': (set: Set<unknown>) => set.add('new'),
  'clear Set': (set: Set<unknown>) => Set.prototype.clear.call(set),
  'write byte': (bytes: Uint8Array) => {
    bytes[0] = 99 as never;
  },
  'fill bytes': (bytes: Uint8Array) => bytes.fill(77 as never),
  'write through the buffer': (view: Uint8Array) => new Uint8Array(view.buffer).fill(55),
  'write into the buffer': (buffer: ArrayBuffer) => new Uint8Array(buffer).fill(44),
  'move lastIndex': (pattern: RegExp) => {
    pattern.lastIndex = 1;
  },
  'compile RegExp': (pattern: RegExp) => pattern.compile('other'),
  'change message': (error: Error) => {
    error.message = 'other';
  },
  'change stack': (error: Error) => {
    error.stack = 'other';
  },
  'assign property': (object: Record<string, unknown>) => {
    object.a = 'changed';
  },
  'assign to every property': (object: Record<string, unknown>) => {
    for (const key of Object.keys(object)) object[key] = 'changed';
  },
  'delete every property': (object: Record<string, unknown>) => {
    for (const key of Object.keys(object)) Reflect.deleteProperty(object, key);
  },
  'define property': (object: object) => Object.defineProperty(object, 'id', { value: 'changed' }),
  'change prototype': (object: object) => Object.setPrototypeOf(object, { evil: true }),
  push: (array: unknown[]) => array.push('new'),
  sort: (array: unknown[]) => array.reverse(),
  'set length': (array: unknown[]) => {
    array.length = 0;
  },
};

/** Applies `mutate` to everything that can be reached. */
function mutateAll(value: unknown, mutate: (target: never) => unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  const children: unknown[] =
    value instanceof Map
      ? [...value].flat()
      : value instanceof Set
        ? [...value]
        : ArrayBuffer.isView(value)
          ? []
          : Object.getOwnPropertyNames(value).map((name) => Reflect.get(value, name));
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
  'in rows': (value) => [
    { id: 1, a: value },
    { id: 2, a: null },
    { id: 3, a: { b: [value] } },
  ],
  'in a Map in a Set': (value) => new Set([new Map([['k', { a: value }]])]),
  'in an error': (value) => Object.assign(new Error('x', { cause: value }), { details: [value] }),
};

/** As text, since a mutation of one Buffer's memory may reach every other small Buffer. */
function bytesOf(value: unknown): string {
  return encodeEntry(head, value).toString('latin1');
}

/** Whether some mutation of one hit shows in the next one. Bytes are compared: they hold all that a value is. */
function leaks(value: unknown, hitsOf: (value: unknown) => () => unknown): boolean {
  return Object.values(mutations).some((mutate) => {
    const hit = hitsOf(value);
    const before = bytesOf(hit());
    mutateAll(hit(), mutate);
    return before !== bytesOf(hit());
  });
}

const decoded = (value: unknown) => decodeEntry(encodeEntry(head, value), limits)!.value();

describe.each(privateCopies)('what a reader does to a hit (%s)', (policy) => {
  it.each(Object.entries(leaves))('does not reach the next reader: %s', (_, make) => {
    for (const nest of Object.values(nestings)) {
      const value = nest(make());
      expect(portraitOf(handOut(keep(value, policy)))).toBe(portraitOf(value));
      expect(leaks(value, (loaded) => hitsOf(keep(loaded, policy)))).toBe(false);
      expect(leaks(value, (loaded) => hitsOf(keep(decoded(loaded), policy, { owned: true })))).toBe(false);
    }
  });

  it.each(Object.entries(leaves))('nor what the load returned, nor is reached by it: %s', (_, make) => {
    for (const nest of Object.values(nestings))
      for (const mutate of Object.values(mutations)) {
        const loaded = nest(make());
        const before = bytesOf(loaded);
        const kept = keep(loaded, policy);
        mutateAll(handOut(kept), mutate);
        expect(bytesOf(loaded) === before).toBe(true);
        expect(Object.isFrozen(loaded)).toBe(Object.isFrozen(nest(make())));
        mutateAll(loaded, mutate);
        expect(bytesOf(handOut(kept)) === before).toBe(true);
      }
  });
});

describe('a hit that leaks', () => {
  const freeze = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
    for (const name of Object.getOwnPropertyNames(value)) freeze(Reflect.get(value, name));
    return Object.freeze(value);
  };
  const frozenOnly = (value: unknown) => () => freeze(value);

  it('is found by these tests when values are only frozen', () => {
    for (const name of ['a Date', 'a Map', 'a Set', 'a Buffer', 'a Float64Array', 'an ArrayBuffer', 'rows'] as const)
      expect([name, leaks([leaves[name]!()], frozenOnly)]).toEqual([name, true]);
    expect(leaks([{ a: 1 }], frozenOnly)).toBe(false);
  });

  it('is found by these tests when values are handed out as they are', () => {
    expect(leaks([{ a: 1 }], (value) => hitsOf(keep(value, 'reference')))).toBe(true);
  });
});

function hitsOf(kept: Kept): () => unknown {
  return () => handOut(kept);
}

describe('a kept value', () => {
  it.each(['frozen', 'clone', 'reference'] as const)(
    'is deeply equal to what was loaded (%s)',
    { timeout: 60_000 },
    (policy) => {
      fc.assert(
        fc.property(storable, (value) => {
          deepStrictEqual(handOut(keep(value, policy)), value);
          const kept = keep(decoded(value), policy, { owned: true });
          deepStrictEqual(handOut(kept), value);
          expect(portraitOf(handOut(kept))).toBe(portraitOf(value));
          expect(portraitOf(handOut(keep(value, policy)))).toBe(portraitOf(value));
        }),
        { numRuns: effort(300) },
      );
    },
  );

  it('may be anything that can be stored, and nothing else', () => {
    for (const policy of ['frozen', 'clone', 'reference'] as const)
      for (const [make, found] of Object.values(unstorable)) {
        const error = thrown(() => keep({ rows: [make()] }, policy));
        expect(error).toBeInstanceOf(UnstorableError);
        expect(error).toMatchObject({ path: 'value.rows[0]', found });
      }
  });

  it('that is plain data is one frozen value for all', () => {
    const loaded = [{ id: 1, tags: ['a'], owner: { name: 'Ann' } }];
    const kept = keep(loaded, 'frozen');
    expect(kept.shared).toBe(true);
    const hit = handOut(kept) as typeof loaded;
    expect(handOut(kept)).toBe(hit);
    expect([hit, hit[0], hit[0]!.tags, hit[0]!.owner].every(Object.isFrozen)).toBe(true);
    expect(hit).not.toBe(loaded);
  });

  it('is frozen in place when it is nobody else’s', () => {
    const own = [{ id: 1 }];
    expect(handOut(keep(own, 'frozen', { owned: true }))).toBe(own);
    expect(Object.isFrozen(own[0])).toBe(true);
  });

  it('shares what needs no copy', () => {
    const kept = keep(
      {
        at: new Date(1),
        settings: { theme: 'dark' },
        rows: [{ id: 1 }],
        nested: { map: new Map([['k', { deep: [1] }]]), list: [1] },
      },
      'frozen',
    );
    expect(kept.shared).toBe(false);
    const [one, two] = [handOut(kept), handOut(kept)] as [Record<string, never>, Record<string, never>];
    expect(one).not.toBe(two);
    for (const path of [['settings'], ['rows'], ['nested', 'list']])
      expect(path.reduce((value, name) => value[name]!, one)).toBe(path.reduce((value, name) => value[name]!, two));
    const inside = (value: typeof one) => (value.nested as unknown as { map: Map<string, object> }).map.get('k');
    expect(inside(one)).toBe(inside(two));
    expect(one.at).not.toBe(two.at);
  });

  it('is the very same object when it is kept by reference', () => {
    const value = { at: new Date(1), none: Number.NaN };
    expect(handOut(keep(Object.freeze(value), 'reference'))).toBe(value);
  });

  it('has a weight near its true one', () => {
    const { bytes } = keep(
      Array.from({ length: 50 }, (_, at) => aRow(at)),
      'frozen',
    );
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(30_000);
    expect(keep(Buffer.alloc(5000), 'clone').bytes).toBeGreaterThan(5000);
  });

  it('is copied right when the items of a list differ', () => {
    const items = [
      { a: new Date(1) },
      { a: [1, { b: 2 }] },
      { a: { at: new Date(2) } },
      { a: 'x' },
      null,
      7,
      [new Date(3)],
      [{ a: 1 }],
      new Map([[1, 2]]),
      { b: { c: [new Date(4)] } },
      { b: { c: 'text' } },
      { b: [1] },
    ];
    for (const policy of privateCopies)
      for (let from = 0; from < items.length; from++) {
        const rotated = [...items.slice(from), ...items.slice(0, from)];
        deepStrictEqual(handOut(keep(rotated, policy)), rotated);
        expect(leaks(rotated, (value) => hitsOf(keep(value, policy)))).toBe(false);
      }
    const dictionary = Array.from({ length: 200 }, (_, at) => ({ [`k${at}`]: new Date(at) }));
    deepStrictEqual(handOut(keep(dictionary, 'frozen')), dictionary);
  });
});

describe('an instance of a class with a rule', () => {
  class Account {
    balance = 1;
    readonly history: Date[] = [new Date(1)];
    deposit(amount: number) {
      this.balance += amount;
    }
  }
  class Counter {
    #count: number;
    readonly steps: number[];
    constructor(count: number, steps: number[]) {
      this.#count = count;
      this.steps = steps;
    }
    get data() {
      return { count: this.#count, steps: this.steps };
    }
    next() {
      this.steps.push(this.#count);
      return ++this.#count;
    }
  }
  class Decimal {
    readonly digits = '1.50';
    toNumber() {
      return 1.5;
    }
  }
  const types = createTypeTable([
    { class: Account },
    { class: Counter, encode: (counter) => counter.data, decode: ({ count, steps }) => new Counter(count, steps) },
    { class: Decimal, immutable: true },
  ]);

  it.each(privateCopies)('is a private instance for every reader (%s)', (policy) => {
    const loaded = { account: new Account(), counter: new Counter(5, [1]) };
    const kept = keep(loaded, policy, { types });
    for (let round = 0; round < 2; round++) {
      const hit = handOut(kept) as typeof loaded;
      expect(hit.account).toBeInstanceOf(Account);
      hit.account.history[0]!.setTime(9);
      hit.account.deposit(5);
      expect(hit.account.balance).toBe(6);
      expect([hit.counter.next(), hit.counter.next(), hit.counter.steps]).toEqual([6, 7, [1, 5, 6]]);
    }
    expect([loaded.account.balance, loaded.counter.steps]).toEqual([1, [1]]);
  });

  it('that never changes is shared', () => {
    const loaded = [{ price: new Decimal(), at: new Date(1) }];
    for (const policy of privateCopies)
      expect((handOut(keep(loaded, policy, { types })) as typeof loaded)[0]!.price).toBe(loaded[0]!.price);
    expect(Object.isFrozen(loaded[0]!.price)).toBe(false);
  });

  it('is kept as it is by reference, or not at all', () => {
    const counter = new Counter(1, []);
    expect(handOut(keep([counter], 'reference', { types }))).toEqual([counter]);
    expect(() => keep([counter], 'reference')).toThrow('value[0] is Counter, which cannot be stored');
  });

  it('whose rule fails is refused when it is kept, not when it is read', () => {
    const failing = createTypeTable([
      {
        class: Counter,
        encode: () => 1,
        decode: () => {
          throw new Error('no');
        },
      },
    ]);
    expect(thrown(() => keep(new Counter(1, []), 'frozen', { types: failing }))).toMatchObject({
      code: 'UNSTORABLE',
      cause: { message: 'no' },
    });
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
