import { createTypeTable, type Envelope, noValue } from '../../src/values/index.js';

/** What the files in `v1` hold. Never change an entry: add another one, and write it with the release that it is of. */
export class Point {
  readonly x: number;
  readonly y: number;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
  get length() {
    return Math.hypot(this.x, this.y);
  }
}

export const types = createTypeTable([{ class: Point }]);

const head: Envelope = {
  epoch: 'k3J9xQ2mLw8Z',
  tags: ['main.public.users', 'main.public.users#7', 'org:acme'],
  versions: ['v0Aq3_kZ81-bcdEfg', 'v1Bq3_kZ81-bcdEfg', 'v2Cq3_kZ81-bcdEfg'],
  storedAt: 1_764_000_000_000,
  freshUntil: 1_764_000_060_000,
  keepUntil: 1_764_000_360_000,
  cost: 12.75,
  origin: 'api-7 2026.11.1',
};

const error = new RangeError('too far', { cause: 'distance' });
error.stack = 'RangeError: too far\n    at nowhere';

export const entries: Record<string, { head: Envelope; value: unknown }> = {
  hint: { head, value: noValue },
  undefined: { head: { ...head, tags: [], versions: [], statements: 'q0' }, value: undefined },
  row: { head, value: { id: 7, name: 'Ann Müller', email: null, createdAt: new Date(1_764_000_000_123), score: 1.5 } },
  rows: {
    head: { ...head, keepUntil: Number.POSITIVE_INFINITY },
    value: Array.from({ length: 20 }, (_, at) => ({
      id: at * 1000,
      name: `中文 ${at} 😀`,
      owner: at % 3 === 0 ? null : { id: at, since: new Date(at * 1e9) },
      tags: at % 2 === 0 ? [] : ['a', `b${at}`],
    })),
  },
  everything: {
    head,
    value: {
      numbers: [
        0,
        -0,
        -1,
        127,
        128,
        255,
        256,
        65_536,
        2 ** 31,
        2 ** 32,
        -(2 ** 31),
        2 ** 53,
        0.1,
        Number.NaN,
        Infinity,
        -Infinity,
      ],
      bigints: [0n, -1n, 2n ** 64n, -(2n ** 200n)],
      texts: ['', 'x'.repeat(300), '\0', 'a\ud800b', 'ß'.repeat(40)],
      nothing: [null, undefined, true, false, {}, []],
      dates: [new Date(0), new Date(-1), new Date(8.64e15)],
      collections: [
        new Map<unknown, unknown>([
          ['a', new Map([[1, 2]])],
          [{ k: 1 }, null],
        ]),
        new Set(['x', 2, new Date(5)]),
      ],
      bytes: [
        Buffer.from('bytes'),
        Uint8Array.of(1, 2),
        Float64Array.of(0.1, -0),
        BigInt64Array.of(-1n),
        new DataView(Uint8Array.of(1, 2, 3).buffer),
        Uint8Array.of(9).buffer,
      ],
      others: [
        Object.assign(/a\/b/gi, { lastIndex: 2 }),
        error,
        Object.assign(Object.create(null), { a: 1 }),
        new Point(3, 4),
      ],
      keys: JSON.parse('{"2":1,"1":2,"__proto__":{"a":1},"constructor":3}'),
    },
  },
};
