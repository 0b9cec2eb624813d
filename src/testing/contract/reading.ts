import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { bytesOf, type Case, minute, numbered, oddTags, one, plain, soon, versionOf } from './world.js';

/** Promise 3: what a read answers, and to which question. And tags: texts like any other. */
export const reading: readonly Case[] = [
  [
    '3: a read never takes over the answer of one that left before it',
    async ({ a, b }) => {
      // Large entries keep the early answer on its way for a while: long enough for a raise to overtake it.
      const size = Math.min(a.maxEntryBytes, 1024 * 1024);
      const keys = ['large-1', 'large-2', 'large-3', 'large-4'];
      if (size > 0) for (const key of keys) await a.write(key, new Uint8Array(size).fill(1), minute);
      for (let round = 0; round < 25; round++) {
        const early = Promise.all(keys.map((key) => a.read(key, ['tag', 'other'])));
        await turn();
        const raised = await one(b.raise(['tag'], soon));
        const late = await Promise.all(keys.map((key) => a.read(key, ['tag', 'other'])));
        for (const { versions } of late) assert.equal(versions[0], raised, `in round ${round}`);
        await early;
      }
    },
  ],
  [
    '3: reads of one tick each get the answer to their own question',
    async ({ a, b }) => {
      await b.write('k1', bytesOf('one'), minute);
      await b.write('k2', bytesOf('two'), minute);
      const [x, y, z] = (await b.read(undefined, ['x', 'y', 'z'])).versions;
      const keeps = a.maxEntryBytes > 0;
      const [first, second, third, fourth, fifth] = await Promise.all([
        a.read('k1', ['x', 'y']),
        a.read('k2', ['y', 'z']),
        a.read(undefined, ['z']),
        a.read('k1', []),
        a.read('k3', ['y', 'x']),
      ]);
      assert.deepEqual(first?.versions, [x, y]);
      assert.deepEqual(second?.versions, [y, z]);
      assert.deepEqual(third?.versions, [z]);
      assert.deepEqual(fourth?.versions, []);
      assert.deepEqual(fifth?.versions, [y, x]);
      assert.deepEqual(plain(first?.entry), keeps ? plain(bytesOf('one')) : undefined);
      assert.deepEqual(plain(second?.entry), keeps ? plain(bytesOf('two')) : undefined);
      assert.equal(third?.entry, undefined);
      assert.deepEqual(plain(fourth?.entry), keeps ? plain(bytesOf('one')) : undefined);
      assert.equal(fifth?.entry, undefined);
    },
  ],
  [
    '3: a read of no key and no tags is answered',
    async ({ a }) => {
      const read = await a.read(undefined, []);
      assert.deepEqual(read.versions, []);
      assert.equal(read.entry, undefined);
    },
  ],
  [
    '3: a read of 300 tags gives 300 versions in order',
    async ({ a, b }) => {
      const tags = numbered(300);
      const there = (await a.read('key', tags)).versions;
      const back = (await b.read('key', [...tags].reverse())).versions;
      assert.equal(there.length, 300);
      assert.deepEqual([...back].reverse(), there);
    },
  ],
  [
    '3: a read that names a tag twice gives its version twice, also when the tag is new',
    async ({ a, b }) => {
      const [first, other, second] = (await a.read(undefined, ['twice', 'once', 'twice'])).versions;
      assert.equal(second, first);
      assert.equal(await versionOf(b, 'twice'), first);
      assert.equal(await versionOf(b, 'once'), other);
    },
  ],
  [
    '3: a read says when its request was sent, by the clock of its cache',
    async ({ a, clock }) => {
      if (clock === undefined) return;
      for (let round = 0; round < 10; round++) {
        const begun = clock.now();
        const { sentAt } = await a.read(undefined, ['tag']);
        assert.ok(sentAt >= begun && sentAt <= clock.now(), `sent at ${sentAt}, begun at ${begun}`);
      }
    },
  ],
  ...Object.entries(oddTags()).map<Case>(([what, tags]) => [
    `tags: ${what} is a text like any other`,
    async ({ a, b }) => {
      const before = (await a.read(undefined, tags)).versions;
      assert.deepEqual((await b.read(undefined, tags)).versions, before);
      for (const [index, tag] of tags.entries()) {
        const bystanders = tags.filter((other) => other !== tag);
        const still = (await a.read(undefined, bystanders)).versions;
        const raised = await one(a.raise([tag], soon));
        assert.notEqual(raised, before[index]);
        assert.equal(await versionOf(b, tag), raised);
        assert.deepEqual((await b.read(undefined, bystanders)).versions, still, 'raising one leaves the others alone');
      }
    },
  ]),
  [
    'tags: one with a lone surrogate can be read and raised',
    async ({ a, b }) => {
      for (const tag of ['\ud800', 'x\udfffy']) {
        const before = await versionOf(a, tag);
        assert.equal(await versionOf(b, tag), before);
        const raised = await one(a.raise([tag], soon));
        assert.notEqual(raised, before);
        assert.equal(await versionOf(b, tag), raised);
      }
    },
  ],
];
