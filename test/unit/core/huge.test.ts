import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { createCache } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { warningsOf } from './warnings.js';

const megabyte = 2 ** 20;

test.each([
  ['one text', () => 'x'.repeat(100 * megabyte)],
  ['one buffer', () => Buffer.alloc(100 * megabyte)],
  ['a million rows', () => Array.from({ length: 1_000_000 }, (_, id) => ({ id, name: 'somebody', score: id / 3 }))],
])(
  'a value of 100 MB (%s) is handed out and not kept, says so once, and holds nobody up',
  async (name, make) => {
    const value = make();
    const cache = createCache({ store: memoryStore() });
    // Warm: the first call of anything compiles it.
    await cache.getOrSet({ key: 'small', load: () => [{ id: 1 }] });
    const warnings = await warningsOf(async () => {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      delay.enable();
      for (let i = 0; i < 2; i++) {
        const answer = await cache.read({ key: [name], load: () => value });
        expect(answer.value).toBe(value);
        expect(answer.stored).toBe(false);
      }
      delay.disable();
      // 50 ms on a machine that does nothing else; a copy or an encoding of it all takes a second.
      expect(delay.max / 1e6).toBeLessThan(250);
    });
    expect(warnings).toHaveLength(1);
    await cache.close();
  },
  30_000,
);
