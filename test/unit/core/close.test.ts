import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ClosedError } from '../../../src/core/errors.js';
import { faultyStore, memoryStore } from '../../../src/testing/index.js';
import { aCache, deferred, now, turns } from './a-cache.js';

describe('close', () => {
  test('waits for writes into the store', async () => {
    const store = faultyStore(memoryStore());
    const { cache } = aCache({ store });
    const writes = store.hold('write');
    await cache.getOrSet({ key: 'a', load: () => 1 });
    const closing = cache.close();
    expect(await now(closing)).toBe('waits');
    writes.release();
    expect(await closing).toBeUndefined();
  });

  test('may be called twice', async () => {
    const { cache } = aCache();
    await cache.close();
    await cache.close();
  });

  test('aborts the signal of a load that is still running, and its reader is told', async () => {
    const { cache, clock } = aCache();
    const end = deferred();
    let signal: AbortSignal | undefined;
    const load = (context: { signal: AbortSignal }) => {
      signal = context.signal;
      return end.promise;
    };
    const read = cache.getOrSet({ key: 'a', load });
    const told = expect(read).rejects.toBeInstanceOf(ClosedError);
    await turns();
    await cache.close();
    await told;
    expect(signal?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
    end.resolve(1);
    await turns();
    expect(cache.stats().entries).toBe(0);
  });

  test('afterwards every call is refused, and nothing is loaded', async () => {
    const { cache } = aCache();
    let loads = 0;
    const load = () => ++loads;
    const f = cache.withCache(async () => load(), { name: 'f' });
    await f();
    loads = 0;
    await cache.close();
    const calls = {
      getOrSet: () => cache.getOrSet({ key: 'a', load }),
      read: () => cache.read({ key: 'a', load }),
      getOrSetMany: () => cache.getOrSetMany({ inputs: [1], key: (n) => ['n', n], load: () => [load()] }),
      get: () => cache.get('a'),
      has: () => cache.has('a'),
      set: () => cache.set('a', 1),
      delete: () => cache.delete('a'),
      invalidate: () => cache.invalidate('t'),
      clear: () => cache.clear(),
      snapshot: () => cache.snapshot('t'),
      transaction: () => cache.transaction(async () => load()),
      'a wrapped function': () => f(),
      'its fresh': () => f.fresh(),
      'its read': () => f.read(),
      'its invalidate': () => f.invalidate(),
      'a namespace': () => cache.namespace('n').get('a'),
    };
    for (const [what, call] of Object.entries(calls)) {
      const outcome = await Promise.resolve(call()).catch((error: unknown) => error);
      expect(outcome, what).toMatchObject({ code: 'CLOSED', message: expect.stringMatching(/closed/) });
    }
    expect(loads).toBe(0);
  });
});

test('a process with a cache in use exits by itself, closed or not', async () => {
  const index = fileURLToPath(new URL('../../../src/index.ts', import.meta.url));
  const program = `
    const { createCache } = await import(${JSON.stringify(index)});
    const cache = createCache({ ttl: '1h' });
    const read = (key) => cache.getOrSet({ key, load: async () => 1 });
    await read('a'); await read('a'); await cache.invalidate('t');
    cache.getOrSet({ key: 'never', load: () => new Promise(() => {}) });
    console.log('done');
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', program],
    { cwd: fileURLToPath(new URL('../../../', import.meta.url)), timeout: 9000 },
  );
  expect(stdout).toBe('done\n');
});
