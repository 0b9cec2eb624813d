import assert from 'node:assert/strict';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { isFenced, type StoreSession, type Version } from '../../core/store.js';
import { type Case, expectUnavailable, minute, numbered, one, soon, versionOf, type World } from './world.js';

/** Promise 6: fences. A case that ends with `strict` works with strict sessions. */
export const fences: readonly Case[] = [
  [
    '6: a fenced tag has a fenced version for everybody until its owner lets go of it, and then another one',
    async ({ a, b }) => {
      const before = await versionOf(b, 'tag');
      assert.ok(!isFenced(before), `${before} is fenced`);
      await fence(a, ['tag'], 'owner');
      const during = await fencedFor([a, b]);
      const raised = await one(a.raise(['tag'], soon, 'owner'));
      for (const session of [a, b]) assert.equal(await versionOf(session, 'tag'), raised);
      assert.ok(!isFenced(raised), `${raised} is fenced`);
      assert.equal(new Set([before, during, raised]).size, 3, 'three versions');
    },
    'strict',
  ],
  [
    '6: a tag that two owners fence stays so until both have let go, whoever begins',
    async ({ a, b }) => {
      for (const [first, second] of [
        ['one', 'two'],
        ['two', 'one'],
      ] as const) {
        await fence(a, ['tag'], 'one');
        await fence(b, ['tag'], 'two');
        assert.ok(isFenced(await one(b.raise(['tag'], soon, first))), 'the version that the first one is told');
        await fencedFor([a, b]);
        assert.ok(!isFenced(await one(a.raise(['tag'], soon, second))), 'the version that the second one is told');
        assert.ok(!isFenced(await versionOf(b, 'tag')));
      }
    },
    'strict',
  ],
  [
    "6: a raise in nobody's name, or a stranger's, gives a fenced tag another fenced version",
    async ({ a, b }) => {
      await fence(a, ['tag'], 'owner');
      const seen = new Set([await fencedFor([b])]);
      for (const stranger of [undefined, 'stranger', 'owner '] as const) {
        const raised = await one(b.raise(['tag'], soon, stranger));
        assert.equal(await fencedFor([a, b]), raised);
        assert.ok(!seen.has(raised), `version ${raised} came back`);
        seen.add(raised);
      }
    },
    'strict',
  ],
  [
    "6: the late word of an owner who has let go does not lift another's fence",
    async ({ a, b }) => {
      await fence(a, ['tag'], 'early');
      await a.raise(['tag'], soon, 'early');
      await fence(b, ['tag'], 'present');
      await a.raise(['tag'], soon, 'early');
      await fencedFor([a, b]);
      await b.raise(['tag'], soon, 'present');
      assert.ok(!isFenced(await versionOf(a, 'tag')));
    },
    'strict',
  ],
  [
    '6: who has fenced a tag twice lets go of it once',
    async ({ a, b }) => {
      await fence(a, ['tag'], 'owner');
      await fence(a, ['tag', 'tag'], 'owner');
      await fencedFor([b]);
      await a.raise(['tag'], soon, 'owner');
      assert.ok(!isFenced(await versionOf(b, 'tag')));
    },
    'strict',
  ],
  [
    '6: hundreds of tags, most of them never seen, can be fenced at once, and no other tag is',
    async ({ a, b }) => {
      const [tags, others] = [numbered(600).slice(0, 300), numbered(600).slice(300)];
      await b.read(undefined, tags.slice(0, 10));
      await fence(a, tags, 'owner');
      const read = await b.read(undefined, [...tags, ...others]);
      assert.ok(read.versions.every((version, at) => isFenced(version) === at < tags.length));
      const raised = await a.raise(tags, 5 * soon, 'owner');
      assert.deepEqual((await b.read(undefined, tags)).versions, raised);
      assert.ok(!raised.some(isFenced));
    },
    'strict',
  ],
  [
    '6: a fence of no tags is confirmed',
    async ({ a }) => {
      await fence(a, [], 'owner');
      assert.deepEqual(await expired(a, []), []);
    },
    'strict',
  ],
  [
    '6: a fence does not end with its time; anybody is told whose time is over, and may let go in his name',
    async ({ a, b, until }) => {
      await fence(a, ['tag', 'other'], 'short', 60);
      await fence(a, ['tag'], 'long');
      await until('the time of one is over', async () => (await expired(b, ['tag']))[0]?.length);
      await sleep(100);
      assert.deepEqual(await expired(b, ['free', 'tag', 'other']), [[], ['short'], ['short']]);
      await fencedFor([a, b]);
      await fencedFor([a, b], 'other');
      await b.raise(['tag', 'other'], soon, 'short');
      assert.deepEqual(await expired(b, ['tag', 'other']), [[], []]);
      await fencedFor([a, b]);
      assert.ok(!isFenced(await versionOf(a, 'other')));
    },
    'strict',
  ],
  [
    '6: who fences a tag again has more time',
    async ({ a, b }) => {
      await fence(a, ['tag'], 'owner', 60);
      await fence(a, ['tag'], 'owner');
      await sleep(150);
      assert.deepEqual(await expired(b, ['tag']), [[]]);
    },
    'strict',
  ],
  [
    '6: once a fence is confirmed no read that begins gives a free version, however many are on their way',
    onTheirWay,
    'strict',
  ],
  ...(['strict', undefined] as const).map(
    (strict): Case => [
      `strict: a session that is ${strict ? 'not strict' : 'strict'}, where others are${strict ? '' : ' not'}, is refused and says so once`,
      refusing,
      strict,
    ],
  ),
];

async function onTheirWay({ a, b }: World): Promise<void> {
  /** Of how many fences the last was confirmed, and of how many the last was given up by its owner's first step. */
  let confirmed = 0;
  let left = 0;
  let over = false;
  const readOn = async (session: StoreSession) => {
    while (!over) {
      const begun = confirmed;
      const version = await versionOf(session, 'hammered');
      // While this fence was held all the time, from before the question until after the answer.
      if (begun > left) assert.ok(isFenced(version), `fence ${begun}: a read gave ${version}`);
      await turn();
    }
  };
  const readers = [a, a, a, a, b, b, b, b].map(readOn);
  const fenceOn = async () => {
    for (let round = 1; round <= 100; round++) {
      const [writer, other] = round % 2 ? [a, b] : [b, a];
      await fence(writer, ['hammered'], `owner ${round}`);
      confirmed = round;
      await other.raise(['hammered'], soon);
      await fencedFor([other], 'hammered');
      left = round;
      await writer.raise(['hammered'], soon, `owner ${round}`);
      assert.ok(!isFenced(await versionOf(other, 'hammered')), `after fence ${round}`);
    }
  };
  await Promise.all([fenceOn().finally(() => (over = true)), ...readers]);
}

async function refusing({ a, unlike, until }: World): Promise<void> {
  const epoch = (await a.read(undefined, ['tag'])).epoch;
  const { session, heard } = await unlike();
  // Servers have other things to tell as well.
  const reasons = () => heard.errors.filter((error) => /strict/.test(String(error)));
  await until('it is told why', () => reasons().length > 0);
  expectUnavailable(reasons()[0]);
  for (let round = 0; round < 3; round++) {
    assert.equal(session.epoch, undefined);
    const refused = [session.read(undefined, ['tag']), session.raise(['tag'], soon), fence(session, ['tag'], 'owner')];
    for (const call of refused) await call.then(() => assert.fail('a call was answered'), expectUnavailable);
    await sleep(100);
  }
  assert.equal(reasons().length, 1);
  assert.equal((await a.read(undefined, ['tag'])).epoch, epoch, 'the others go on as before');
}

export function losingFences(lose: () => Promise<void>): readonly Case[] {
  return [
    [
      '4: after a loss that took a fence the epoch is another, and tags can be fenced again',
      async ({ a, b, readAgain, until }) => {
        await fence(a, ['tag'], 'owner');
        const before = await b.read(undefined, ['tag']);
        await lose();
        for (const session of [b, a]) {
          const after = await readAgain(session, undefined, ['tag']);
          assert.notEqual(after.epoch, before.epoch);
          assert.notEqual(after.versions[0], before.versions[0]);
        }
        await until('it is fenced again', () => fence(b, ['tag'], 'another').then(() => true));
        await readAgain(a, undefined, ['tag']);
        await fencedFor([a]);
        await b.raise(['tag'], soon, 'another');
        assert.ok(!isFenced(await versionOf(a, 'tag')));
      },
      'strict',
    ],
  ];
}

export function rewindingFences(rewind: () => Promise<() => Promise<void>>): readonly Case[] {
  return [
    [
      '6: a fence that is there again because the store went back in time ends as any other',
      async ({ a, b, until, readAgain }) => {
        await fence(a, ['tag'], 'owner', 60);
        const goBack = await rewind();
        await a.raise(['tag'], soon, 'owner');
        await goBack();
        await readAgain(b, undefined, ['tag']);
        await fencedFor([b]);
        const over = await until('its time is over', async () => (await expired(b, ['tag']))[0]?.[0]);
        assert.equal(over, 'owner');
        await b.raise(['tag'], soon, 'owner');
        assert.ok(!isFenced((await readAgain(a, undefined, ['tag'])).versions[0]));
      },
      'strict',
    ],
  ];
}

function fence(session: StoreSession, tags: readonly string[], owner: string, ms = minute): Promise<void> {
  assert.ok(session.fence, 'the session has fences');
  return session.fence(tags, owner, ms, soon);
}

async function expired(session: StoreSession, tags: readonly string[]) {
  assert.ok(session.expired, 'the session says whose time is over');
  return session.expired(tags);
}

/** The version of `tag` (or another), which is fenced and the same for all of them. */
async function fencedFor(sessions: readonly StoreSession[], tag = 'tag'): Promise<Version> {
  const versions = await Promise.all(sessions.map((session) => versionOf(session, tag)));
  for (const version of versions) assert.ok(isFenced(version), `${version} is not fenced`);
  assert.equal(new Set(versions).size, 1, 'they agree');
  return versions[0] as Version;
}
