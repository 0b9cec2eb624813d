import { expect, test } from 'vitest';
import type { Command, Reply } from '../../../adapters/redis/client.js';
import { keysOf } from '../../../adapters/redis/keys.js';
import type { Nodes } from '../../../adapters/redis/nodes.js';
import { Raises } from '../../../adapters/redis/raises.js';
import { fence, forget, lift } from '../../../adapters/redis/scripts.js';
import { fakeClock } from '../../../src/testing/index.js';

/** A node that answers as `answer` says. */
function raisesTo(answer: (command: Command) => Reply, { clock = fakeClock(), strict = false } = {}) {
  const sent: Command[] = [];
  const node = {
    send: async (commands: readonly Command[]) => {
      sent.push(...commands);
      return commands.map(answer);
    },
  };
  const nodes = { cluster: true, of: () => node, all: () => [node], at: () => undefined, refresh() {}, close() {} };
  const raises = new Raises({
    nodes: nodes as unknown as Nodes,
    keys: keysOf('cache'),
    clock,
    timeout: 100,
    strict,
  });
  return { raises, sent, clock };
}

const oom = new Error("OOM command not allowed when used memory > 'maxmemory'. script: abc, on @user_script:5.");
const tryAgain = new Error('ERR TRYAGAIN Multiple keys request during rehashing of slot');
const brokenOff = new Error(
  'ERR Script attempted to access a non local key in a cluster node script: abc, on @user_script:3.',
);
const keys = [2, 'cache:t:{tag}', 'cache:w:{tag}'] as const;

test('a server that is too full for a new version forgets the old one, unless it is fenced', async () => {
  for (const [left, expected] of [
    [null, /^v/],
    [Buffer.from('f-old'), /^f-old$/],
  ] as const) {
    const { raises, sent } = raisesTo(([, sha]) => (sha === forget.sha ? left : oom));
    expect((await raises.raise(['tag'], 1000, 'owner'))[0]).toMatch(expected);
    expect(sent[0]?.slice(0, 6)).toEqual(['evalsha', lift.sha, ...keys, 'owner']);
    expect(sent[1]).toEqual(['evalsha', forget.sha, ...keys, 'owner']);
    expect(sent).toHaveLength(2);
  }
});

test('a raise that could not even make the server forget is not confirmed', async () => {
  const { raises } = raisesTo(() => oom);
  await expect(raises.raise(['tag'], 1000)).rejects.toThrow('not available');
});

test.each([tryAgain, brokenOff])(
  'while the keys of a tag are apart, the tag is replaced by itself: %s',
  async (apart) => {
    const { raises, sent } = raisesTo(([name]) => (name === 'set' ? Buffer.from('OK') : apart));
    const [version] = await raises.raise(['tag'], 1000);
    expect(version).toMatch(/^v/);
    expect(sent.at(-1)).toEqual(['set', 'cache:t:{tag}', version, 'PX', expect.any(Number)]);
  },
);

test('where tags are fenced it gets a fenced version then, without an end, and the owner lets go first', async () => {
  const answer = ([name]: Command) => (name === 'set' ? Buffer.from('OK') : name === 'zrem' ? 1 : tryAgain);
  const { raises, sent } = raisesTo(answer, { strict: true });
  const [version] = await raises.raise(['tag'], 1000, 'owner');
  expect(version).toMatch(/^f/);
  expect(sent.slice(-2)).toEqual([
    ['zrem', 'cache:w:{tag}', 'owner'],
    ['set', 'cache:t:{tag}', version],
  ]);
});

test('an owner who could not be taken from the set has not let go, whatever became of the version', async () => {
  const answer = ([name]: Command) => (name === 'set' ? Buffer.from('OK') : name === 'zrem' ? oom : tryAgain);
  const { raises } = raisesTo(answer, { strict: true });
  await expect(raises.raise(['tag'], 1000, 'owner')).rejects.toThrow('not available');
});

test('a fence whose keys are apart is placed when they have met, by nothing but the script', async () => {
  let asked = 0;
  const { raises, sent, clock } = raisesTo(() => (++asked <= 20 ? tryAgain : 1), { strict: true });
  const placed = raises.fence(['tag'], 'owner', 5000.4, 10_000);
  for (let round = 0; round < 60; round++) await clock.advance(10);
  await placed;
  expect(asked).toBe(21);
  for (const command of sent) expect(command.slice(0, 7)).toEqual(['evalsha', fence.sha, ...keys, 'owner', 5001]);
});

test('a fence that cannot be placed rejects after its time, and is let go behind its back', async () => {
  const { raises, sent, clock } = raisesTo(([, sha]) => (sha === fence.sha ? tryAgain : Buffer.from('v')), {
    strict: true,
  });
  const refused = expect(raises.fence(['tag'], 'owner', 5000, 300)).rejects.toThrow('changing hands');
  for (let round = 0; round < 60; round++) await clock.advance(10);
  await refused;
  expect(sent.at(-1)?.slice(0, 6)).toEqual(['evalsha', lift.sha, ...keys, 'owner']);
  expect(clock.now() - 0).toBeGreaterThan(300);
});

test('of a fence that one tag refuses, the others are let go as well', async () => {
  const answer = ([, sha, , key]: Command) =>
    sha !== fence.sha ? Buffer.from('v') : key === 'cache:t:{full}' ? oom : 1;
  const { raises, sent } = raisesTo(answer, { strict: true });
  await expect(raises.fence(['tag', 'full'], 'owner', 5000, 300)).rejects.toThrow('OOM');
  const lifted = sent.filter(([, sha]) => sha === lift.sha);
  expect(lifted.map((command) => [command[3], command[5]])).toEqual([
    ['cache:t:{tag}', 'owner'],
    ['cache:t:{full}', 'owner'],
  ]);
});
