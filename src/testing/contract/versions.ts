import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { StoreSession, Version } from '../../core/store.js';
import { type Case, numbered, one, soon, versionOf } from './world.js';

/** Promises 1 and 2: versions, and how they change. */
export const versions: readonly Case[] = [
  [
    '1: a tag keeps its version while nobody raises it',
    async ({ a, b }) => {
      const first = await versionOf(a, 'tag');
      await a.raise(['another'], soon);
      assert.equal(await versionOf(a, 'tag'), first);
      assert.equal(await versionOf(b, 'tag'), first);
    },
  ],
  [
    '1: a tag that was raised never gets a version again that it had before',
    async ({ a, b }) => {
      const seen = new Set([await versionOf(a, 'tag')]);
      for (let round = 0; round < 50; round++) {
        const raised = await one((round % 2 ? a : b).raise(['tag'], soon));
        assert.ok(!seen.has(raised), `version ${raised} came back after ${round} raises`);
        seen.add(raised);
      }
    },
  ],
  [
    '1: two sessions that read an unseen tag at the same time get the same version',
    async ({ a, b }) => {
      for (let round = 0; round < 25; round++) {
        const tags = [`new-${round}-a`, `new-${round}-b`];
        const [one, two, three] = await Promise.all([a, b, a].map((session) => session.read(undefined, tags)));
        assert.deepEqual(two?.versions, one?.versions);
        assert.deepEqual(three?.versions, one?.versions);
        assert.deepEqual((await b.read(undefined, tags)).versions, one?.versions);
      }
    },
  ],
  [
    '1: a tag that is raised and read for the first time at once has one version in the end',
    async ({ a, b }) => {
      for (let round = 0; round < 25; round++) {
        const [, raised] = await Promise.all([
          a.read(undefined, [`new-${round}`]),
          one(b.raise([`new-${round}`], soon)),
        ]);
        assert.equal(await versionOf(a, `new-${round}`), raised);
        assert.equal(await versionOf(b, `new-${round}`), raised);
      }
    },
  ],
];

export const raising: readonly Case[] = [
  [
    '2: raise resolves with the versions that everybody reads from then on, in order',
    async ({ a, b }) => {
      const tags = ['x', 'y', 'z'];
      const before = (await a.read(undefined, tags)).versions;
      const raised = await a.raise(['z', 'x'], soon);
      for (const session of [a, b]) {
        const [x, y, z] = (await session.read(undefined, tags)).versions;
        assert.deepEqual([z, x], raised);
        assert.equal(y, before[1]);
        assert.notEqual(x, before[0]);
        assert.notEqual(z, before[2]);
      }
    },
  ],
  [
    '2: a raise is seen by the other session at once',
    async ({ a, b }) => {
      for (let round = 0; round < 50; round++) {
        const [writer, reader] = round % 2 ? [a, b] : [b, a];
        const raised = await one(writer.raise(['tag'], soon));
        assert.equal(await versionOf(reader, 'tag'), raised, `in round ${round}`);
      }
    },
  ],
  [
    '2: a raise of tags that nobody has read gives them versions',
    async ({ a, b }) => {
      const raised = await a.raise(['never read', 'nor this'], soon);
      assert.deepEqual((await b.read(undefined, ['never read', 'nor this'])).versions, raised);
    },
  ],
  ['2: a raise of no tags resolves with no versions', async ({ a }) => assert.deepEqual(await a.raise([], soon), [])],
  [
    '2: a raise that names a tag twice gives it one version',
    async ({ a, b }) => {
      const [first, other, second] = await a.raise(['twice', 'once', 'twice'], soon);
      assert.deepEqual([first, other, second], (await b.read(undefined, ['twice', 'once', 'twice'])).versions);
    },
  ],
  [
    '2: a raise of 500 tags resolves with all their versions',
    async ({ a, b }) => {
      const tags = numbered(500);
      const before = (await b.read(undefined, tags)).versions;
      const raised = await a.raise(tags, 5 * soon);
      assert.equal(raised.length, 500);
      const after = (await b.read(undefined, tags)).versions;
      assert.deepEqual(after, raised);
      assert.ok(after.every((version, index) => version !== before[index]));
    },
  ],
  [
    '2: raises of one tag at the same time both count',
    async ({ a, b }) => {
      for (let round = 0; round < 50; round++) {
        const before = await versionOf(a, 'tag');
        const [one, two] = await Promise.all([a.raise(['tag'], soon), b.raise(['tag'], soon)]);
        const after = await versionOf(a, 'tag');
        assert.ok(after === one[0] || after === two[0], 'the version is the one of a raise');
        assert.notEqual(one[0], two[0]);
        assert.notEqual(after, before);
      }
    },
  ],
  [
    '2: once a raise is confirmed no read that begins gives an older version, however many are on their way',
    async ({ a, b }) => {
      // Place in the tag's history of each version whose raise was confirmed.
      const history = new Map<Version, number>([[await versionOf(a, 'hammered'), 0]]);
      let confirmed = 0;
      let over = false;
      const readOn = async (session: StoreSession) => {
        while (!over) {
          const begun = confirmed;
          const place = history.get(await versionOf(session, 'hammered'));
          assert.ok(place === undefined || place >= begun, `a read after raise ${begun} gave the version of ${place}`);
          await turn();
        }
      };
      // Four of each, so that at any moment some are on their way that another one could be tempted to join.
      const readers = [a, a, a, a, b, b, b, b].map(readOn);
      const raiseOn = async () => {
        for (let round = 1; round <= 200; round++) {
          const raised = await one((round % 2 ? a : b).raise(['hammered'], soon));
          history.set(raised, round);
          confirmed = round;
          assert.equal(await versionOf(round % 4 < 2 ? a : b, 'hammered'), raised, `right after raise ${round}`);
        }
      };
      await Promise.all([raiseOn().finally(() => (over = true)), ...readers]);
    },
  ],
];
