import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, type Case, calls, minute, one, soon, versionOf } from './world.js';

/** Sessions: epoch, ages, reach, names, and the end. */
export const sessions: readonly Case[] = [
  [
    '4: the epoch is the same for everybody and stays',
    async ({ a, b, more }) => {
      const epoch = a.epoch;
      assert.equal(typeof epoch, 'string');
      assert.notEqual(epoch, '');
      assert.equal(b.epoch, epoch);
      assert.equal((await a.read('key', ['tag'])).epoch, epoch);
      await b.raise(['tag'], soon);
      await b.write('key', bytesOf('value'), minute);
      assert.equal((await b.read(undefined, [])).epoch, epoch);
      assert.equal((await more()).epoch, epoch);
      assert.equal(a.epoch, epoch);
    },
  ],
  [
    'ages: now() is one scale for all sessions, and goes forward',
    async ({ a, b }) => {
      const first = [a.now(), b.now()] as const;
      assert.ok(first.every(Number.isFinite));
      assert.ok(Math.abs(first[0] - first[1]) < 1000, `${first[0]} here, ${first[1]} there`);
      await sleep(30);
      const second = [a.now(), b.now()] as const;
      assert.ok(second[0] >= first[0] + 15 && second[1] >= first[1] + 15);
    },
  ],
  [
    'reach: everybody learns the largest maxStale before it is used',
    async ({ a, b, maxStale, more }) => {
      assert.ok((await a.reach()) >= maxStale);
      assert.ok((await b.reach()) >= maxStale);
      assert.ok((await (await more()).reach()) >= maxStale);
    },
  ],
  [
    'names: sessions of another name share nothing',
    async ({ a, b, elsewhere }) => {
      const apart = await elsewhere();
      const before = (await apart.read('key', ['tag'])).versions;
      const raised = await one(a.raise(['tag'], soon));
      await b.write('key', bytesOf('value'), minute);
      await a.lease('key', minute);
      const after = await apart.read('key', ['tag']);
      assert.deepEqual(after.versions, before);
      assert.equal(after.entry, undefined);
      assert.notEqual(await apart.lease('key', minute), undefined);
      await apart.raise(['tag'], soon);
      assert.equal(await versionOf(b, 'tag'), raised);
    },
  ],
  [
    '5: after close every call rejects, and nothing that cannot reject throws',
    async ({ more, a }) => {
      const session = await more();
      const lease = await session.lease('key', minute);
      await a.lease('held', minute);
      const waiting = session.released('held', minute);
      await session.close();
      await session.close();
      for (const [what, call] of Object.entries(calls(session))) await assert.rejects(call, `${what} after close`);
      assert.equal(session.epoch, undefined);
      assert.doesNotThrow(() => session.remove('key'));
      assert.doesNotThrow(() => lease?.release());
      await waiting;
      await session.released('key', minute);
      assert.equal((await a.read(undefined, [])).epoch, a.epoch, 'the other sessions go on');
    },
  ],
  [
    '5: calls under way when the session is closed settle',
    async ({ more, until }) => {
      const session = await more();
      let settled = 0;
      const under = Object.values(calls(session));
      for (const call of under)
        call()
          .catch(() => {})
          .finally(() => {
            settled += 1;
          });
      await session.close();
      await until('all have settled', () => settled === under.length);
    },
  ],
];
