import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { algebra } from '../../mutants/algebra.js';
import { unitOfWork } from '../../mutants/unit-of-work.js';

const mutants = [...algebra, ...unitOfWork];
const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8');

// Whether each of them turns a test red: npx tsx test/mutants/run.ts
it.each(mutants)('the mistake can still be made: $rule', ({ file, from, to }) => {
  expect(from).not.toBe(to);
  expect(read(file).split(from)).toHaveLength(2);
});

it('each mistake has a name of its own', () => {
  expect(new Set(mutants.map(({ rule }) => rule)).size).toBe(mutants.length);
});
