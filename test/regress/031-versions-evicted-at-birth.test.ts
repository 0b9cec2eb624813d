import { expect, test } from 'vitest';
import type { Command, Reply } from '../../adapters/redis/client.js';
import { keysOf } from '../../adapters/redis/keys.js';
import type { Nodes } from '../../adapters/redis/nodes.js';
import { Reads } from '../../adapters/redis/reads.js';
import { fakeClock } from '../../src/testing/index.js';

// A tag without a version gets one by SET NX, then GET. A server that is full can evict it between the two. The answer of
// the SET, "OK", was then taken for the version; two such accidents gave a tag the same version twice, and a version that
// was replaced must never come back. Found while the model was written.
test('a version that is evicted before it can be read is never the same twice', async () => {
  const answer = ([name]: Command): Reply => (name === 'mget' ? [null] : name === 'set' ? Buffer.from('OK') : null);
  const node = { send: async (commands: readonly Command[]) => commands.map(answer) };
  const nodes = { cluster: false, of: () => node, all: () => [node], at: () => undefined, refresh() {}, close() {} };
  const reads = new Reads({
    nodes: nodes as unknown as Nodes,
    keys: keysOf('cache'),
    clock: fakeClock(),
    timeout: 100,
    strict: false,
    watch: undefined,
    epoch: () => 'epoch',
    why: () => '',
  });
  const version = () =>
    reads.read(undefined, ['tag']).then(
      ({ versions }) => versions[0],
      () => undefined,
    );
  const [first, second] = [await version(), await version()];
  // Refusing the answer is as good as a version of its own.
  if (first !== undefined) expect(second).not.toBe(first);
});
