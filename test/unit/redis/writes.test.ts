import { expect, test } from 'vitest';
import type { Command, Reply } from '../../../adapters/redis/client.js';
import { keysOf } from '../../../adapters/redis/keys.js';
import type { Nodes } from '../../../adapters/redis/nodes.js';
import { Writes } from '../../../adapters/redis/writes.js';
import { fakeClock } from '../../../src/testing/index.js';

/** A node that answers as `answer` says. */
function writesTo(answer: (command: Command) => Reply) {
  const sent: Command[] = [];
  const node = {
    send: async (commands: readonly Command[]) =>
      commands.map((command) => {
        sent.push(command);
        return answer(command);
      }),
  };
  const nodes = { cluster: true, of: () => node, all: () => [node], at: () => undefined, refresh() {}, close() {} };
  const writes = new Writes({
    nodes: nodes as unknown as Nodes,
    keys: keysOf('cache'),
    clock: fakeClock(),
    timeout: 100,
    maxEntryBytes: 1000,
    maxQueuedBytes: 1000,
  });
  return { writes, sent };
}

const oom = new Error("OOM command not allowed when used memory > 'maxmemory'. script: abc, on @user_script:5.");

test('a server that is too full for a new version forgets the old one', async () => {
  const { writes, sent } = writesTo(([name]) => (name === 'unlink' ? 1 : oom));
  const [version] = await writes.raise(['tag'], 1000);
  expect(version).toMatch(/^v/);
  expect(sent.map(([name]) => name)).toEqual(['evalsha', 'unlink']);
  expect(sent[1]).toEqual(['unlink', 'cache:t:{tag}']);
});

test('a raise that could not even make the server forget is not confirmed', async () => {
  const { writes } = writesTo(() => oom);
  await expect(writes.raise(['tag'], 1000)).rejects.toThrow('not available');
});

test('while the keys of a tag are apart, the tag is replaced by itself, and a fence stays one', async () => {
  for (const owners of [0, 1]) {
    const { writes, sent } = writesTo(([name]) => {
      if (name === 'exists') return owners;
      if (name === 'set') return Buffer.from('OK');
      return new Error('ERR TRYAGAIN Multiple keys request during rehashing of slot');
    });
    const [version] = await writes.raise(['tag'], 1000);
    expect(version).toMatch(owners ? /^f/ : /^v/);
    expect(sent.at(-1)?.slice(0, 3)).toEqual(['set', 'cache:t:{tag}', version]);
    expect(sent.at(-1)?.length).toBe(owners ? 3 : 5);
  }
});

test('an entry above maxEntryBytes is refused before it is sent', async () => {
  const { writes, sent } = writesTo(() => Buffer.from('OK'));
  await expect(writes.write('key', new Uint8Array(1001), 1)).rejects.toThrow('maxEntryBytes');
  expect(sent).toEqual([]);
});
