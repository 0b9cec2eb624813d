import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, oddTags, soon, versionOf, watched } from './world.js';

/** What a session tells its listener when somebody trusts memory. */
export const watching: readonly Case[] = [
  [
    "watching: the listener hears of another session's raise, by the tag's own text",
    async (world) => {
      const { a, b, heard, until } = world;
      const tags = ['plain', ...Object.values(oddTags()).flat()];
      await watched(world, tags);
      // To find the store may have been a loss too.
      heard.forget();
      for (const tag of tags) {
        await b.raise([tag], soon);
        await until(
          `${JSON.stringify(tag).slice(0, 40)} is reported`,
          () => heard.changed.has(tag) || heard.losses > 0,
        );
      }
      assert.equal(heard.losses, 0, 'nothing was lost meanwhile');
      assert.equal((await a.read(undefined, tags)).versions.length, tags.length);
    },
  ],
  [
    'watching: a change is reported before any proof that covers it',
    async (world) => {
      const { a, b, heard, clock, until } = world;
      if (clock === undefined) return;
      for (let round = 0; round < 8; round++) {
        await watched(world, ['tag']);
        heard.forget();
        await b.raise(['tag'], soon);
        const confirmed = clock.now();
        await until('a proof covers the raise', () => {
          if (heard.proven <= confirmed) return false;
          assert.ok(heard.changed.has('tag') || heard.losses > 0, 'proven, but the change was not reported');
          return true;
        });
        assert.ok((await a.read(undefined, ['tag'])).versions.length === 1);
      }
    },
  ],
  [
    'watching: proofs keep coming while nothing changes',
    async (world) => {
      const { heard, clock, until } = world;
      if (clock === undefined) return;
      await watched(world, ['tag']);
      for (let round = 0; round < 3; round++) {
        const now = clock.now();
        await until('a later moment is proven', () => heard.proven > now);
      }
    },
  ],
  [
    'watching: a read that says it is watched is, however many raises are on their way',
    async (world) => {
      const { a, b, heard, until } = world;
      await watched(world, ['tag']);
      let over = false;
      const raise = async () => {
        for (let round = 0; round < 100; round++) await b.raise(['tag'], soon);
        over = true;
      };
      const raises = raise();
      while (!over) {
        heard.forget();
        const read = await a.read(undefined, ['tag']);
        if (!read.watched) continue;
        // Somebody else reads a newer version: then the change after our answer has to be reported, in its own time.
        if ((await versionOf(b, 'tag')) !== read.versions[0])
          await until('the change is reported', () => heard.changed.has('tag') || heard.losses > 0);
      }
      await raises;
    },
  ],
  [
    'watching: after close the listener hears nothing',
    async (world) => {
      const { a, b, heard } = world;
      await watched(world, ['tag']);
      await a.close();
      heard.forget();
      await b.raise(['tag'], soon);
      await sleep(100);
      assert.equal(heard.calls, 0);
    },
  ],
];

export function watchedLoss(lose: () => Promise<void>): readonly Case[] {
  return [
    [
      'watching: the listener hears that the store was emptied',
      async (world) => {
        await watched(world, ['x', 'y']);
        await lose();
        const { heard, until } = world;
        await until(
          'the loss is reported',
          () => heard.losses > 0 || (heard.changed.has('x') && heard.changed.has('y')),
        );
        await watched(world, ['x', 'y']);
      },
    ],
  ];
}
