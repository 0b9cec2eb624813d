import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { explore } from './explore.js';
import { rules } from './rules.js';

// Each rule of the protocol, replaced by what others do. A flaw that nobody finds means that the model is blind, or that
// the rule is not needed.

describe('a cache that', () => {
  test.each(rules)('$flaw breaks a promise ($world)', { timeout: 60_000 }, ({ model, breaks }) => {
    const { broken } = explore(model(), { until: breaks });
    expect([...broken.keys()]).toEqual(expect.arrayContaining([...breaks]));
    for (const property of breaks) expect(broken.get(property)?.trace.length).toBeGreaterThan(3);
  });
});

// A change there is a change of the protocol, or may be one: look whether the model is still in step, then change the
// words in `rules.ts`.
describe('the source still says what the model mirrors', () => {
  const mirrored = rules.flatMap(({ rule, mirrors }) =>
    mirrors === undefined ? [] : [{ rule, file: mirrors[0], words: mirrors[1] }],
  );
  test.each(mirrored)('$rule ($file)', ({ file, words }) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(text.includes(words), `${file} no longer says: ${words}`).toBe(true);
  });
});
