import { expect, test } from 'vitest';
import { Batch } from '../../../adapters/redis/batch.js';
import type { Command, Reply } from '../../../adapters/redis/client.js';
import type { Nodes } from '../../../adapters/redis/nodes.js';
import { StoreUnavailableError } from '../../../src/index.js';
import { fakeClock } from '../../../src/testing/index.js';

/** Two nodes, told apart by the first letter of a key, that note the sizes of the chunks that came. */
function aBatch(answer: (command: Command) => Reply | Promise<Reply> = () => 1) {
  const chunks: Record<string, number[]> = { a: [], b: [] };
  const nodeOf = (name: string) => ({
    send: (commands: readonly Command[]) => {
      chunks[name]?.push(commands.length);
      return Promise.all(commands.map(answer));
    },
  });
  const nodes: Record<string, unknown> = { a: nodeOf('a'), b: nodeOf('b') };
  const of = (key: string) => nodes[key[0] as string];
  const batch = new Batch({
    nodes: { cluster: true, of, refresh() {} } as unknown as Nodes,
    clock: fakeClock(),
    timeout: 100,
  });
  const send = (key: string) => batch.send({ key, command: ['get', key] });
  return { send, chunks };
}

const many = (count: number, key: string) => Array.from({ length: count }, (_, n) => `${key}${n}`);

test('what is sent in a tick leaves in one chunk for each node, and every answer finds its question', async () => {
  const { send, chunks } = aBatch(([, key]) => Buffer.from(String(key)));
  const keys = [...many(3, 'a'), ...many(2, 'b'), 'a'];
  const replies = await Promise.all(keys.map(send));
  expect(replies.map(String)).toEqual(keys);
  expect(chunks).toEqual({ a: [4], b: [2] });
});

test('what comes in the next tick leaves by itself', async () => {
  const { send, chunks } = aBatch();
  const first = send('a1');
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, send('a2')]);
  expect(chunks.a).toEqual([1, 1]);
});

test('thousands go in portions, one after the other', async () => {
  const { send, chunks } = aBatch();
  await Promise.all(many(2500, 'a').map(send));
  expect(chunks.a).toEqual([1000, 1000, 500]);
});

test('after a portion that was not answered the rest is not sent; other nodes go on', async () => {
  let asked = 0;
  const down = new StoreUnavailableError('no answer');
  const { send, chunks } = aBatch(([, key]) =>
    String(key).startsWith('a') && asked++ >= 1000 ? Promise.reject(down) : 1,
  );
  const replies = await Promise.all([...many(3500, 'a'), ...many(2, 'b')].map(send));
  expect(chunks).toEqual({ a: [1000, 1000], b: [2] });
  expect(replies.filter((reply) => reply === down).length).toBe(2500);
  expect(replies.filter((reply) => reply === 1).length).toBe(1002);
});
