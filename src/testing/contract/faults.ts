import assert from 'node:assert/strict';
import { StoreUnavailableError } from '../../core/errors.js';
import type { StoreSession, Version } from '../../core/store.js';
import { bytesOf, type Case, calls, expectUnavailable, minute, one, soon, versionOf } from './world.js';

/** What befalls a server: losses, ways back in time, outages. */
export function losing(lose: () => Promise<void>): readonly Case[] {
  return [
    [
      '1: a tag that the store has lost gets a version that never existed',
      async ({ a, b, readAgain }) => {
        const tags = ['x', 'y', 'z'];
        const seen = new Set<Version>();
        for (let round = 0; round < 5; round++) {
          for (const version of (await readAgain(a, undefined, tags)).versions) seen.add(version);
          for (const version of await b.raise(['x', 'y'], soon)) seen.add(version);
          for (const version of (await b.read(undefined, tags)).versions) seen.add(version);
          await lose();
          for (const version of (await readAgain(a, undefined, tags)).versions)
            assert.ok(!seen.has(version), `version ${version} came back after the loss`);
        }
      },
    ],
    [
      '4: an entry that was written before the store was emptied does not hold after it',
      async ({ a, b, readAgain }) => {
        const before = await a.read('key', ['tag']);
        await a.write('key', bytesOf('value'), minute);
        await lose();
        for (const session of [b, a]) {
          const after = await readAgain(session, 'key', ['tag']);
          assert.ok(
            after.entry === undefined || after.epoch !== before.epoch || after.versions[0] !== before.versions[0],
            'the entry is there, in the same epoch, with the same version',
          );
          // Somebody writes again what was loaded before the loss: this must not hold either.
          assert.ok(after.epoch !== before.epoch || after.versions[0] !== before.versions[0]);
        }
      },
    ],
    [
      '4: after a loss everybody agrees again, and raises work',
      async ({ a, b, readAgain, until }) => {
        await a.read(undefined, ['tag']);
        await lose();
        await readAgain(a, undefined, ['tag']);
        await readAgain(b, undefined, ['tag']);
        const raised = await until('a raise is confirmed', () => one(b.raise(['tag'], soon)));
        assert.deepEqual((await readAgain(a, undefined, ['tag'])).versions, [raised]);
        await until('the epochs agree', async () => {
          await Promise.all([a.read(undefined, []), b.read(undefined, [])]);
          return a.epoch !== undefined && a.epoch === b.epoch;
        });
      },
    ],
  ];
}

export function rewinding(rewind: () => Promise<() => Promise<void>>): readonly Case[] {
  return [
    [
      '4: whatever is read from a store that went back in time belongs to another epoch',
      async ({ a, b, until }) => {
        const before = await a.read('key', ['tag']);
        await a.write('key', bytesOf('old'), minute);
        const goBack = await rewind();
        await b.raise(['tag'], soon);
        await goBack();
        for (const session of [a, b]) {
          await until('it is read again', async () => {
            const read = await session.read('key', ['tag']).catch(expectUnavailable);
            if (read === undefined) return false;
            assert.notEqual(read.epoch, before.epoch, 'the epoch of an answer given after going back');
            assert.equal(session.epoch, read.epoch);
            return true;
          });
        }
      },
    ],
  ];
}

export function outages({ down, up }: { down(): Promise<void>; up(): Promise<void> }): readonly Case[] {
  const during = async (body: () => Promise<void>) => {
    await down();
    try {
      await body();
    } finally {
      await up();
    }
  };
  return [
    [
      '5: while the store is out of reach every call rejects with StoreUnavailableError in time',
      async ({ a, patience, until, readAgain }) => {
        await a.read('key', ['tag']);
        await during(async () => {
          for (const round of ['when the outage begins', 'when it is known']) {
            for (const [what, call] of Object.entries(calls(a, 300))) {
              // What all processes work with may be known without asking.
              if (what === 'reach') continue;
              const begun = performance.now();
              const error = await call().then(
                () => undefined,
                (reason: unknown) => reason,
              );
              const took = performance.now() - begun;
              assert.ok(error instanceof StoreUnavailableError, `${what} ${round}: ${error}`);
              assert.ok(
                took < (what === 'raise' || what === 'fence' ? 1000 : patience),
                `${what} ${round} took ${took} ms`,
              );
            }
          }
          await until('there is no epoch', () => a.epoch === undefined);
          a.remove('key');
          const begun = performance.now();
          await a.released('key', 100);
          assert.ok(performance.now() - begun < 1500, 'a wait ends after its time');
        });
        await readAgain(a, 'key', ['tag']);
      },
    ],
    [
      '5: a store that can be reached again says so, and works',
      async ({ a, heard, until, readAgain }) => {
        await a.read('key', ['tag']);
        await during(async () => {
          await a.read('key', ['tag']).then(() => assert.fail('a read was answered'), expectUnavailable);
          await until('the outage is noticed', () => a.epoch === undefined);
        });
        await until('the listener heard that it is up', () => heard.ups > 0);
        await readAgain(a, 'key', ['tag']);
        const raised = await until('a raise is confirmed', () => one(a.raise(['tag'], soon)));
        assert.equal(await versionOf(a, 'tag'), raised);
      },
    ],
    [
      '5: a session can be opened while the store is out of reach',
      async ({ unready, readAgain }) => {
        let session: StoreSession | undefined;
        await during(async () => {
          session = await unready();
          assert.equal(session.epoch, undefined);
          await session.read(undefined, ['tag']).then(() => assert.fail('a read was answered'), expectUnavailable);
        });
        if (session) await readAgain(session, undefined, ['tag']);
      },
    ],
  ];
}
