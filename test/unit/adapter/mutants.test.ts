import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { algebra } from '../../mutants/algebra.js';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');

// Whether each of them turns a test red: npx tsx test/mutants/run.ts
it.each(algebra)('the mistake can still be made: $rule', ({ file, from, to }) => {
  expect(from).not.toBe(to);
  expect(read(file).split(from)).toHaveLength(2);
});

it('each mistake has a name of its own', () => {
  expect(new Set(algebra.map(({ rule }) => rule)).size).toBe(algebra.length);
});
