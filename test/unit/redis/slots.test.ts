import { expect, test } from 'vitest';
import { keysOf } from '../../../adapters/redis/keys.js';
import { readSlots, redirection, slotOf } from '../../../adapters/redis/slots.js';

/** As CLUSTER KEYSLOT has them. */
const slots: readonly (readonly [key: string, slot: number])[] = [
  ['', 0],
  ['{}', 15257],
  ['{', 4092],
  ['}', 12090],
  ['}{', 12793],
  ['{}a', 10875],
  ['a{}', 6082],
  ['{a', 10276],
  ['a}', 5921],
  ['{a}', 15495],
  ['x{a}y{b}', 15495],
  ['{{a}}', 10276],
  ['ünï', 9441],
  ['😀', 2959],
  ['a\0b', 8383],
  ['{%}', 13511],
  ['123456789', 12739],
  ['foo', 12182],
  ['user:{1000}:x', 11326],
];

test.each(slots)('the slot of %j is %i', (key, slot) => {
  expect(slotOf(key)).toBe(slot);
});

test('the two keys of a tag are in one slot, whatever the tag and the name are', () => {
  for (const name of ['cache', 'my:cache', 'a{b}c', '{', '{}']) {
    const keys = keysOf(name);
    for (const tag of ['tag', '', 'a%7bb', '%#hash']) expect(slotOf(keys.tag(tag))).toBe(slotOf(keys.owners(tag)));
  }
});

test('the lease of an entry is in its slot', () => {
  for (const name of ['cache', 'my:cache', 'a{b}c', '{', '{}']) {
    const keys = keysOf(name);
    for (const hash of ['', 'a', '2Zr8-_x']) expect(slotOf(keys.lease(hash))).toBe(slotOf(keys.entry(hash)));
  }
});

test('the entries of a cache whose name has braces spread over all slots', () => {
  const keys = keysOf('a{b}c');
  const used = new Set(Array.from({ length: 100 }, (_, n) => slotOf(keys.entry(String(n)))));
  expect(used.size).toBeGreaterThan(90);
});

test('the tag without characters has a key that no other tag has', () => {
  const keys = keysOf('cache');
  expect(keys.tag('')).not.toBe(keys.tag('%25'));
  expect(keys.tag('')).not.toContain('{}');
});

test('the answer to CLUSTER SLOTS names the master of each range', () => {
  const node = (host: string, port: number) => [Buffer.from(host), port, Buffer.from('id')];
  const reply = [
    [0, 5460, node('10.0.0.1', 6379), node('10.0.0.2', 6379)],
    [5461, 16383, node('', 6380)],
  ];
  expect(readSlots(reply as never, { host: '10.0.0.9', port: 6379 })).toEqual([
    { first: 0, last: 5460, master: { host: '10.0.0.1', port: 6379 } },
    { first: 5461, last: 16383, master: { host: '10.0.0.9', port: 6380 } },
  ]);
  expect(readSlots(new Error('ERR This instance has cluster support disabled'), { host: 'a', port: 1 })).toEqual([]);
});

test('redirections are read, also to IPv6 addresses', () => {
  expect(redirection(new Error('MOVED 3999 127.0.0.1:6381'))).toEqual({
    ask: false,
    to: { host: '127.0.0.1', port: 6381 },
  });
  expect(redirection(new Error('ASK 3999 ::1:6381'))).toEqual({ ask: true, to: { host: '::1', port: 6381 } });
  expect(redirection(new Error('MOVED 3999 :6381'))).toEqual({ ask: false, to: { host: '', port: 6381 } });
  expect(redirection(new Error('ERR MOVED away'))).toBeUndefined();
  expect(redirection(null)).toBeUndefined();
});
