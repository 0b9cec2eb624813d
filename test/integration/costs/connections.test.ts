import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCache } from '../../../src/index.js';
import type { LibraryClient } from '../../support/libraries.js';
import { libraries } from '../../support/libraries-by-server.js';
import { aShop, servers } from '../neighbours/a-shop.js';

// A hit takes no connection: with the only one in somebody's hands, who asks for what is in the cache gets it.

describe.each(servers)('a pool of one connection, which a transaction holds, on %s', (server) => {
  let place: Awaited<ReturnType<typeof aShop>>;
  beforeAll(async () => {
    place = await aShop(server);
  });
  afterAll(() => place?.drop());

  test.each(libraries[server])('$name: a hit is answered, a miss waits', async (library) => {
    const cache = createCache({ ttl: '1h' });
    const client = await library.open({ config: place.config, max: 1 }, { cache, default: '1h' });
    // The catalogue comes with the first statement, and with it what may be kept.
    for (const id of [4, 3, 1]) await client.find(id);
    const load = () => cache.getOrSet({ key: 'load', load: () => client.find(1) });
    await load();
    const missing = await held(client, async () => {
      const hits = await Promise.race([
        Promise.all([client.find(1), client.find(3), load()]),
        sleep(5_000, 'it waits'),
      ]);
      expect(hits).toEqual([
        { id: 1, name: 'Ada' },
        { id: 3, name: 'Cleo' },
        { id: 1, name: 'Ada' },
      ]);
      const miss = client.find(2);
      expect(await Promise.race([miss, sleep(150, 'it waits')])).toBe('it waits');
      return { miss };
    });
    expect(await missing.miss).toEqual({ id: 2, name: 'Bob' });
    await client.close();
    await cache.close();
  });
});

/** Runs `fn` outside of a transaction that has the connection meanwhile. */
async function held<T>(client: LibraryClient, fn: () => Promise<T>): Promise<T> {
  let release = () => {};
  const over = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = () => {};
  const holding = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const transaction = client.transaction(async (tx) => {
    await tx.find(4);
    begun();
    await over;
  });
  await holding;
  try {
    return await fn();
  } finally {
    release();
    await transaction;
  }
}
