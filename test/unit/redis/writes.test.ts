import { expect, test } from 'vitest';
import { Batch } from '../../../adapters/redis/batch.js';
import type { Command, Reply } from '../../../adapters/redis/client.js';
import { keysOf } from '../../../adapters/redis/keys.js';
import type { Nodes } from '../../../adapters/redis/nodes.js';
import { type WriteOptions, Writes } from '../../../adapters/redis/writes.js';
import { fakeClock } from '../../../src/testing/index.js';

/** A node that answers as `answer` says. */
function writesTo(
  answer: (command: Command) => Reply | Promise<Reply>,
  { clock = fakeClock(), handBack = () => undefined }: Partial<Pick<WriteOptions, 'clock' | 'handBack'>> = {},
) {
  const chunks: (readonly Command[])[] = [];
  const node = {
    send: (commands: readonly Command[]) => {
      chunks.push(commands);
      return Promise.all(commands.map(answer));
    },
  };
  const nodes = { cluster: true, of: () => node, all: () => [node], at: () => undefined, refresh() {}, close() {} };
  const common = { nodes: nodes as unknown as Nodes, clock, timeout: 100 };
  const writes = new Writes({
    ...common,
    keys: keysOf('cache'),
    batch: new Batch(common),
    maxEntryBytes: 2_000_000,
    maxQueuedBytes: 10_000_000,
    handBack,
  });
  return { writes, chunks, sent: () => chunks.flat() };
}

test('an entry above maxEntryBytes is refused before it is sent', async () => {
  const { writes, sent } = writesTo(() => Buffer.from('OK'));
  await expect(writes.write('key', new Uint8Array(2_000_001), 1)).rejects.toThrow('maxEntryBytes');
  expect(sent()).toEqual([]);
});

const ok = Buffer.from('OK');
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Says when it answers. */
function aSlowAnswer() {
  const waiting: (() => void)[] = [];
  const answer = () => new Promise<Reply>((resolve) => waiting.push(() => resolve(ok)));
  const go = async () => {
    for (const resolve of waiting.splice(0)) resolve();
    await turn();
  };
  return { answer, go };
}

test('one chunk of entries is on its way at a time, and what comes meanwhile leaves together in the next', async () => {
  const { answer, go } = aSlowAnswer();
  const { writes, chunks } = writesTo(answer);
  const write = (n: number) => writes.write(`key ${n}`, new Uint8Array(1), 1000);
  const all = [write(1), write(2)];
  for (const n of [3, 4, 5]) {
    await turn();
    all.push(write(n));
  }
  expect(chunks.map(({ length }) => length)).toEqual([2]);
  await go();
  expect(chunks.map(({ length }) => length)).toEqual([2, 3]);
  await go();
  await Promise.all(all);
});

test('a chunk has at most a thousand entries and a megabyte, and a larger entry goes alone', async () => {
  const { writes, chunks } = writesTo(() => ok);
  const write = (bytes: number) => writes.write('key', new Uint8Array(bytes), 1000);
  await Promise.all(Array.from({ length: 2500 }, () => write(1)));
  expect(chunks.map(({ length }) => length)).toEqual([1000, 1000, 500]);
  chunks.length = 0;
  await Promise.all([400_000, 400_000, 400_000, 2_000_000, 1].map(write));
  expect(chunks.map(({ length }) => length)).toEqual([2, 1, 1, 1]);
});

test('an entry does not wait for ever: after twenty time-outs it is refused without being sent', async () => {
  const clock = fakeClock();
  const { answer, go } = aSlowAnswer();
  const { writes, chunks } = writesTo(answer, { clock });
  const first = writes.write('first', new Uint8Array(1), 1000);
  await turn();
  const second = writes.write('second', new Uint8Array(1), 1000);
  const refused = expect(second).rejects.toThrow('not available');
  await clock.advance(2000);
  await go();
  await Promise.all([first, refused]);
  expect(chunks.length).toBe(1);
});

test('behind an entry goes what gives back its lease, once', async () => {
  const leases = new Set(['one']);
  const handBack = (key: string) =>
    leases.delete(key) ? { key: `lease of ${key}`, command: ['release', key] as const } : undefined;
  const { writes, chunks } = writesTo(() => ok, { handBack });
  await Promise.all(['one', 'one', 'two'].map((key) => writes.write(key, new Uint8Array(1), 1000)));
  expect(chunks.map((chunk) => chunk.map(([name]) => name))).toEqual([['set', 'release', 'set', 'set']]);
});
