import { expect, test } from 'vitest';
import { explore, type Model, type Violation } from './explore.js';
import { firstVersion, fresh, Seen } from './seen.js';

/** Two counters that go up to 3, in turns of their own. */
function counters(forbidden: (a: number, b: number) => boolean): Model<{ a: number; b: number }> {
  const broken: Violation[] = [];
  return {
    broken,
    start: () => ({ a: 0, b: 0 }),
    steps(state, step) {
      for (const name of ['a', 'b'] as const)
        if (state[name] < 3)
          step(
            () => `${name} becomes ${state[name] + 1}`,
            (next) => {
              next[name]++;
              if (forbidden(next.a, next.b)) broken.push({ property: 'FORBIDDEN', what: `${next.a} and ${next.b}` });
            },
          );
    },
    stuck: ({ a, b }) => (a + b === 6 ? undefined : 'too early'),
  };
}

test('every state is seen once, and every transition', () => {
  const { states, transitions, depth, complete, broken } = explore(counters(() => false));
  expect({ states, transitions, depth, complete }).toEqual({ states: 16, transitions: 24, depth: 7, complete: true });
  expect(broken.size).toBe(0);
});

test('the trace of a violation is a shortest one', () => {
  const { broken } = explore(counters((a, b) => a === 2 && b >= 1));
  expect(broken.get('FORBIDDEN')?.trace).toHaveLength(3);
});

test('the search ends early when all that was looked for is found', () => {
  const { states, complete } = explore(
    counters((a) => a === 1),
    { until: ['FORBIDDEN'] },
  );
  expect(states).toBeLessThan(16);
  expect(complete).toBe(false);
});

test('a search that is given up says so', () => {
  expect(
    explore(
      counters(() => false),
      { most: 5 },
    ).complete,
  ).toBe(false);
});

test('a state from which nothing leads on is told when it is no proper end', () => {
  const { broken } = explore({ ...counters(() => false), stuck: ({ a, b }) => (a + b === 6 ? 'here' : undefined) });
  expect(broken.get('STUCK')?.trace).toHaveLength(6);
});

test('states that differ in the names of versions alone are one', () => {
  const seen = new Seen();
  const [v, w, x] = [fresh(), fresh(), fresh()];
  expect(seen.add({ tags: [v, w], entry: v })).toBe(true);
  expect(seen.add({ tags: [x, v], entry: x })).toBe(false);
  expect(seen.add({ tags: [v, w], entry: w })).toBe(true);
  expect(seen.add({ tags: [-v, w], entry: v })).toBe(true);
});

test('a hundred thousand states are told apart', () => {
  const seen = new Seen();
  let known = 0;
  for (let n = 0; n < 100_000; n++) if (seen.add([n % 10, n % 1000, Math.floor(n / 1000), 'text', null])) known++;
  expect(known).toBe(100_000);
  expect(firstVersion).toBeGreaterThan(100_000);
});
