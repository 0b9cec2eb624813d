import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, minute } from './world.js';

/** Leases: one owner, a time, and a wake-up. */
export const leases: readonly Case[] = [
  [
    'leases: one at a time has the lease of a key, whoever asks',
    async ({ a, b }) => {
      const asked = await Promise.all([a, b, a, b].map((session) => session.lease('key', minute)));
      assert.equal(asked.filter((lease) => lease !== undefined).length, 1);
      assert.equal(await a.lease('key', minute), undefined);
      assert.equal(await b.lease('key', minute), undefined);
      assert.notEqual(await b.lease('another key', minute), undefined);
    },
  ],
  [
    'leases: one that was given back can be had again',
    async ({ a, b, until }) => {
      (await a.lease('key', minute))?.release();
      const again = await until('the other session gets it', () => b.lease('key', minute));
      assert.equal(await a.lease('key', minute), undefined);
      again?.release();
      again?.release();
      assert.notEqual(await until('the first one gets it', () => a.lease('key', minute)), undefined);
    },
  ],
  [
    'leases: one that nobody gives back ends by itself',
    async ({ a, b, until }) => {
      assert.notEqual(await a.lease('key', 60), undefined);
      assert.notEqual(await until('the lease has ended', () => b.lease('key', minute)), undefined);
    },
  ],
  [
    "leases: a release that comes late does not end somebody else's lease",
    async ({ a, b, until }) => {
      const old = await a.lease('key', 60);
      await until('the other session has it', () => b.lease('key', minute));
      old?.release();
      // A release is not waited for: give it every chance to do harm.
      for (let round = 0; round < 10; round++) {
        await sleep(10);
        assert.equal(await a.lease('key', minute), undefined);
      }
    },
  ],
  [
    'leases: one that is renewed lasts from then on',
    async ({ a, b, until }) => {
      const lease = await a.lease('key', 150);
      assert.equal(await lease?.renew(minute), true);
      await sleep(300);
      assert.equal(await b.lease('key', minute), undefined);
      // Shorter is possible, too.
      assert.equal(await lease?.renew(60), true);
      assert.notEqual(await until('the lease has ended', () => b.lease('key', minute)), undefined);
    },
  ],
  [
    'leases: one that its owner has renewed outlives his session',
    async ({ more, a, b }) => {
      const owner = await more();
      const lease = await owner.lease('key', minute);
      assert.equal(await lease?.renew(minute), true);
      await owner.close();
      // Who waits may look after the owner, and must not conclude anything from what he finds.
      for (let round = 0; round < 5; round++) {
        await b.released('key', 30);
        assert.equal(await a.lease('key', minute), undefined);
      }
    },
  ],
  [
    'leases: one that is over cannot be renewed',
    async ({ a, b, until }) => {
      const old = await a.lease('key', 60);
      const lease = await until('the other session has it', () => b.lease('key', minute));
      assert.equal(await old?.renew(minute), false);
      assert.equal(await lease?.renew(minute), true);
      lease?.release();
      assert.equal(await lease?.renew(minute), false);
    },
  ],
  [
    'leases: a release wakes those who wait, at once',
    async ({ a, b }) => {
      const lease = await a.lease('key', minute);
      let woken = 0;
      const waiters = [b, b, a].map((session) => session.released('key', minute).then(() => (woken += 1)));
      await sleep(50);
      assert.equal(woken, 0, 'nobody was woken before the release');
      const begun = performance.now();
      lease?.release();
      await Promise.all(waiters);
      assert.ok(performance.now() - begun < 1000, `they were woken after ${performance.now() - begun} ms`);
    },
  ],
  [
    'leases: who was refused just before the release does not wait long, though the wake-up came too early',
    async ({ a, b }) => {
      for (let round = 0; round < 3; round++) {
        const lease = await a.lease(`key ${round}`, minute);
        assert.equal(await b.lease(`key ${round}`, minute), undefined);
        lease?.release();
        const begun = performance.now();
        await b.released(`key ${round}`, 3000);
        assert.ok(performance.now() - begun < 1000, `it took ${performance.now() - begun} ms`);
      }
    },
  ],
  [
    'leases: a wait ends after its time',
    async ({ a, b }) => {
      await a.lease('key', minute);
      const begun = performance.now();
      await b.released('key', 80);
      const took = performance.now() - begun;
      assert.ok(took >= 60 && took < 1500, `it took ${took} ms`);
    },
  ],
];
