import { expect, test } from 'vitest';
import { TagNames } from '../../../adapters/redis/keys.js';
import { freshVersion } from '../../../adapters/redis/versions.js';

test('versions are of one form, and no two are the same', () => {
  const versions = Array.from({ length: 10_000 }, freshVersion);
  expect(new Set(versions).size).toBe(versions.length);
  for (const version of versions) expect(version).toMatch(/^v[\w-]{16}$/);
});

test('the names of tags are bounded: those forgotten are not mistaken for others', () => {
  const names = new TagNames();
  for (let n = 0; n < 100_001; n++) names.note(`key ${n}`, `tag ${n}`);
  expect(names.of('key 100000')).toBe('tag 100000');
  expect(names.of('key 1')).toBeUndefined();
});
