import { describe, test } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import type { StoreListener } from '../../src/core/store.js';
import { faultyStore, memoryStore, storeContract } from '../../src/testing/index.js';
import { quiet } from '../unit/testing/listeners.js';

// The reference runs the suite twice: by itself, and behind the wrapper that takes it down, which must add nothing else.

const maxStale = 1000;
const clock = systemClock();

describe('memoryStore', () => {
  const store = memoryStore();
  const open = async (name: string, listener?: StoreListener, strict = false) => {
    const session = store.open({ name, clock, maxStale: listener ? maxStale : 0, strict, listener: listener ?? quiet });
    return { session, clock, dispose: () => session.close() };
  };
  const suite = storeContract({
    open,
    another: open,
    maxStale,
    fences: true,
    lose: async () => store.lose(),
    rewind: async () => {
      const goBack = store.remember();
      return async () => goBack();
    },
  });
  for (const { name, run } of suite) test(name, run);
});

describe('faultyStore around memoryStore', () => {
  const shared = memoryStore();
  const here = faultyStore(shared);
  const there = faultyStore(shared, { delay: 1 });
  const openOn =
    (store: typeof here) =>
    async (name: string, listener?: StoreListener, strict = false) => {
      const session = store.open({
        name,
        clock,
        maxStale: listener ? maxStale : 0,
        strict,
        listener: listener ?? quiet,
      });
      return { session, clock, dispose: () => session.close() };
    };
  const suite = storeContract({
    open: openOn(here),
    another: openOn(there),
    maxStale,
    fences: true,
    lose: async () => here.lose(),
    down: async () => {
      here.down();
      there.down();
    },
    up: async () => {
      here.up();
      there.up();
    },
  });
  for (const { name, run } of suite) test(name, run);
});
