import { describe, expect, test } from 'vitest';
import { explore } from './explore.js';
import { ours } from './protocols.js';

// Our protocol, in every small world: all interleavings of all steps. The large ones are for `npx tsx test/model/run.ts`.

const small = ours.filter(({ large }) => !large);

describe('in every history', () => {
  test.each(small.filter(({ limit }) => limit === undefined))(
    '$world: every promise is kept',
    { timeout: 60_000 },
    ({ model }) => {
      const { broken, complete } = explore(model());
      expect([...broken.values()]).toEqual([]);
      expect(complete).toBe(true);
    },
  );
});

// What `docs/guarantees.md` does not promise. When one of these holds one day, the page can promise more.
describe('what is not promised', () => {
  test.each(small.filter(({ limit }) => limit !== undefined))('$world: $limit.why', ({ model, limit }) => {
    const { broken } = explore(model());
    expect([...broken.keys()].sort()).toEqual([...(limit?.breaks ?? [])].sort());
  });
});
