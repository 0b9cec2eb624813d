/**
 * What identity, bytes and copies of values cost: `npx tsx --expose-gc test/bench/values.ts`. CPU time per operation,
 * best of several rounds; the ratios in a row count, the figures depend on the machine.
 */
import { Packr } from 'msgpackr';
import {
  decodeEntry,
  type Envelope,
  encodeArguments,
  encodeEntry,
  encodeKey,
  handOut,
  hashKey,
  keep,
} from '../../src/values/index.js';

const words = 'alpha beta gamma delta epsilon zeta eta theta iota kappa'.split(' ');
const plainRow = (at: number) => ({
  id: at + 1000,
  name: `User number ${at}`,
  email: `user${at}@example.com`,
  status: at % 3 ? 'active' : 'blocked',
  score: at * 1.37,
  orgId: at % 7,
  note: null,
  bio: `${words[at % 10]} ${words[(at * 3) % 10]} lorem ipsum dolor sit amet`,
});
const datedRow = (at: number) => ({ ...plainRow(at), createdAt: new Date(1_700_000_000_000 + at * 86_400_123) });
const rows = <T>(count: number, row: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => row(at));
const head: Envelope = {
  epoch: 'ep_1234567890',
  tags: ['main.public.users', 'main.public.users#12345'],
  versions: ['v0123456789abcdef', 'vfedcba9876543210'],
  storedAt: 1_700_000_000_000,
  freshUntil: 1_700_000_060_000,
  keepUntil: 1_700_000_120_000,
  cost: 12.5,
  origin: 'host-1 1.4.2',
};

let sink: unknown;

function nanoseconds(run: (at: number) => unknown): number {
  let count = 1;
  const time = () => {
    const start = process.cpuUsage();
    for (let at = 0; at < count; at++) sink = run(at);
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  while (time() < 20_000) count *= 2;
  return (Math.min(...Array.from({ length: 7 }, time)) * 1000) / count;
}

function row(name: string, runs: Record<string, (at: number) => unknown>): void {
  const figures = Object.entries(runs).map(([label, run]) => `${label} ${readable(nanoseconds(run))}`);
  console.log(`${name.padEnd(26)}${figures.map((figure) => figure.padEnd(24)).join('')}`);
}

function readable(time: number): string {
  return time < 1000 ? `${time.toFixed(0)} ns` : `${(time / 1000).toFixed(1)} µs`;
}

const id = '7f9c2ba4-e88f-11ee-951e';
row('arguments: 1', { unstale: (at) => encodeArguments([at]), JSON: (at) => JSON.stringify([at]) });
row('arguments: text, number', {
  unstale: (at) => encodeArguments(['acme', at]),
  JSON: (at) => JSON.stringify(['acme', at]),
});
row('arguments: uuid, number', { unstale: (at) => encodeArguments([id, at]), JSON: (at) => JSON.stringify([id, at]) });
row('arguments: object of 3', {
  unstale: (at) => encodeArguments([{ page: at, sort: 'name', text: 'abc' }]),
  JSON: (at) => JSON.stringify([{ page: at, sort: 'name', text: 'abc' }]),
});
row('key', { text: () => encodeKey('settings'), hash: (at) => hashKey(`user:${at}`) });

for (const [dated, make] of [
  ['no Date', plainRow],
  ['1 Date', datedRow],
] as const)
  for (const count of [1, 50, 2000]) {
    const value = count === 1 ? make(3) : rows(count, make);
    const frozen = keep(value, 'frozen');
    const clone = keep(value, 'clone');
    row(`memory: ${count} × ${dated}`, {
      keep: () => keep(value, 'frozen'),
      'hit frozen': () => handOut(frozen),
      'hit clone': () => handOut(clone),
      structuredClone: () => structuredClone(value),
    });
  }

const records = new Packr({ useRecords: true });
for (const count of [1, 50]) {
  const value = count === 1 ? datedRow(3) : rows(count, datedRow);
  const json = JSON.stringify(value);
  const packed = Buffer.from(records.pack(value));
  const bytes = encodeEntry(head, value);
  const limits = { maxBytes: 1 << 20 };
  row(`encode: ${count} × 1 Date`, {
    unstale: () => encodeEntry(head, value),
    JSON: () => Buffer.from(JSON.stringify(value)),
    msgpackr: () => records.pack(value),
  });
  row(`decode: ${count} × 1 Date`, {
    unstale: () => decodeEntry(bytes, limits)!.value(),
    'head only': () => decodeEntry(bytes, limits),
    JSON: () => JSON.parse(json),
    msgpackr: () => records.unpack(packed),
  });
  const valueBytes = bytes.length - encodeEntry(head, undefined).length;
  console.log(
    `size: ${count} rows`.padEnd(26) +
      `entry ${bytes.length}, value ${valueBytes} (${(valueBytes / json.length).toFixed(2)} of JSON), JSON ${json.length}, msgpackr ${packed.length}`,
  );
}

/** Heap bytes that what `make` returns keeps alive. */
function heapOf(make: () => unknown): number {
  const used = () => {
    globalThis.gc!();
    globalThis.gc!();
    return process.memoryUsage().heapUsed;
  };
  make(); // whatever is made once, such as compiled code
  const before = used();
  const held = make();
  const after = used();
  sink = held;
  return after - before;
}

if (globalThis.gc)
  for (const [name, make] of [
    ['no Date', plainRow],
    ['1 Date', datedRow],
  ] as const) {
    const list = (at: number) =>
      decodeEntry(
        encodeEntry(
          head,
          rows(50, (row) => make(at * 50 + row)),
        ),
        { maxBytes: 1 << 20 },
      )!.value();
    const real = heapOf(() => rows(200, (at) => keep(list(at), 'frozen', { owned: true }))) / 200;
    const { bytes } = keep(list(1), 'frozen');
    const label = `heap of 50 × ${name}`.padEnd(26);
    console.log(`${label}real ${real.toFixed(0)}, estimate ${bytes} (${(bytes / real).toFixed(2)})`);
  }
void sink;
