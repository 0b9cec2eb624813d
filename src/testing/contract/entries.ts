import assert from 'node:assert/strict';
import { bytesOf, type Case, keeping, minute, plain, soon, versionOf } from './world.js';

/** Entries: bytes that come back as they were, for as long as they were given. */
export const entries: readonly Case[] = [
  ...Object.entries({
    'of no bytes': () => new Uint8Array(0),
    'of every byte value': () => Uint8Array.from({ length: 1024 }, (_, index) => index % 256),
    'that looks like text with line ends': () => bytesOf('$3\r\n*1\r\n\0\ufffd{tag}'),
    'in the middle of a larger buffer': () => new Uint8Array(1000).fill(7).subarray(100, 110).fill(9),
  }).map<Case>(([what, bytes]) => [
    `entries: one ${what} comes back as it was written`,
    keeping(async ({ a, b }) => {
      await a.write('key', bytes(), minute);
      for (const session of [a, b]) {
        const { entry } = await session.read('key', ['tag']);
        assert.ok(entry instanceof Uint8Array, 'the entry is a Uint8Array');
        assert.deepEqual(plain(entry), plain(bytes()));
      }
    }),
  ]),
  [
    'entries: one of the largest size that the store takes comes back as it was written',
    keeping(async ({ a, b }) => {
      const size = Math.min(a.maxEntryBytes, 8 * 1024 * 1024);
      const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 31) % 251);
      await a.write('large', bytes, minute);
      const { entry } = await b.read('large', []);
      assert.ok(entry !== undefined && Buffer.compare(entry, bytes) === 0);
    }),
  ],
  [
    'entries: one that was never written is undefined',
    async ({ a }) => assert.equal((await a.read('never written', ['tag'])).entry, undefined),
  ],
  [
    'entries: a later write replaces an earlier one, and its time',
    keeping(async ({ a, b, until }) => {
      await a.write('key', bytesOf('first, and longer than the second'), minute);
      await b.write('key', bytesOf('second'), minute);
      assert.deepEqual(plain((await a.read('key', [])).entry), plain(bytesOf('second')));
      await a.write('key', bytesOf('third'), 50);
      await until('the shorter time holds', async () => (await b.read('key', [])).entry === undefined);
    }),
  ],
  [
    'entries: one ends after its time, another stays',
    keeping(async ({ a, b, until }) => {
      await a.write('short', bytesOf('short'), 60);
      await a.write('long', bytesOf('long'), minute);
      await until('the short one has ended', async () => (await b.read('short', [])).entry === undefined);
      assert.notEqual((await b.read('long', [])).entry, undefined);
    }),
  ],
  [
    'entries: a removed one is gone, and removing it again does no harm',
    keeping(async ({ a, b, until }) => {
      await a.write('key', bytesOf('value'), minute);
      b.remove('key');
      b.remove('key');
      b.remove('never written');
      await until('it is gone', async () => (await a.read('key', [])).entry === undefined);
    }),
  ],
  [
    'entries: what is done to the bytes after a write or a read changes nothing in the store',
    keeping(async ({ a }) => {
      const bytes = bytesOf('value');
      await a.write('key', bytes, minute);
      bytes.fill(0);
      (await a.read('key', [])).entry?.fill(1);
      assert.deepEqual(plain((await a.read('key', [])).entry), plain(bytesOf('value')));
    }),
  ],
  [
    'entries: raising a tag leaves the bytes of an entry alone, and tags and keys of one text do not meet',
    keeping(async ({ a, b }) => {
      const version = await versionOf(a, 'same');
      await a.write('same', bytesOf('value'), minute);
      assert.equal(await versionOf(a, 'same'), version);
      await b.raise(['same'], soon);
      assert.deepEqual(plain((await a.read('same', [])).entry), plain(bytesOf('value')));
    }),
  ],
];
