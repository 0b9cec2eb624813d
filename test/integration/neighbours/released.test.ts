import { createHook } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCache } from '../../../src/index.js';
import type { LibraryClient } from '../../support/libraries.js';
import { libraries } from '../../support/libraries-by-server.js';
import { aShop, type Server, servers } from './a-shop.js';
import { marksOn } from './marks.js';

// What is closed leaves nothing: no connection, no handle, no timer, no listener.

const rounds = 50;

describe.each(servers)('on %s', (server) => {
  let place: Awaited<ReturnType<typeof aShop>>;
  let watcher: LibraryClient & { connections(): Promise<number> };
  beforeAll(async () => {
    place = await aShop(server);
    watcher = await aWatcher(server, place.config);
  });
  afterAll(async () => {
    await watcher?.close();
    await place?.drop();
  });

  test.each(libraries[server])(
    '$name: opened and closed again and again, nothing is left',
    { timeout: 120_000 },
    async (library) => {
      const cache = createCache({ ttl: '1h' });
      const errors: unknown[] = [];
      cache.on('error', ({ error }) => errors.push(error));
      const round = async () => {
        const client = await library.open({ config: place.config, max: 2 }, { cache, default: '1h' });
        await client.find(1);
        await client.transaction((tx) => tx.rename(1, 'Ida'));
        expect((await client.find(1))?.name).toBe('Ida');
        await client.close();
      };
      // What a library sets up once is not of a client.
      await round();
      const timers = timersSince();
      const left = async () => ({
        ...resources(),
        listeners: listenersOf(process),
        connections: await watcher.connections(),
      });
      const before = await quietly(left);
      for (let at = 0; at < rounds; at++) await round();
      // What has been closed may still be on its way.
      await expect.poll(left, { timeout: 20_000 }).toEqual(before);
      expect(timers.left()).toBeLessThan(rounds / 2);
      expect(errors).toEqual([]);
      await cache.close();
    },
  );

  test.each(libraries[server])('$name: unwrapped each time, it is as it was', { timeout: 60_000 }, async (library) => {
    const cache = createCache({ ttl: '1h' });
    const client = await library.open({ config: place.config, max: 2 });
    const { inPlace } = client;
    // Of a dialect and of a driver adapter another one is made, and they stay as they are.
    if (inPlace !== undefined) {
      const round = async () => {
        inPlace.wrap({ cache, default: '1h' });
        for (let at = 0; at < 2; at++) await client.find(1);
        await client.transaction((tx) => tx.rename(1, 'Ida'));
        inPlace.unwrap();
      };
      await client.transaction((tx) => tx.find(1));
      const parts = [...client.parts, ...connectionsOf(client)];
      expect(parts.length).toBeGreaterThan(client.parts.length);
      const marks = marksOn(parts);
      const before = parts.map(listenersOf);
      for (let at = 0; at < rounds; at++) await round();
      // A connection finds out when it is asked the next time.
      await client.find(1);
      expect(parts.map(listenersOf)).toEqual(before);
      // pg makes this one each time.
      expect(marks.changes().filter((one) => one !== 'release of a Client')).toEqual([]);
    }
    await client.close();
    await cache.close();
  });
});

/** Somebody who is connected all the time, and counts all others. */
async function aWatcher(server: Server, config: any) {
  const [itself] = libraries[server];
  const own = server === 'postgres' ? { ...config, idleTimeoutMillis: 0 } : config;
  const client = await (itself as (typeof libraries)[Server][0]).open({ config: own, max: 1 });
  const [pool]: readonly any[] = client.parts;
  const counted = {
    postgres: `select count(*)::int as n from pg_stat_activity where datname = current_database()`,
    mysql: 'select cast(count(*) as int) as n from information_schema.processlist where db = database()',
  }[server];
  return {
    ...client,
    async connections(): Promise<number> {
      const result = await pool.query(counted);
      return Number((result.rows ?? result[0])[0].n);
    },
  };
}

/** Timers that were made since and neither went off nor were taken back, those that keep nothing alive too. */
function timersSince(): { left(): number } {
  const alive = new Set<number>();
  const hook = createHook({
    init(id, type) {
      if (type === 'Timeout') alive.add(id);
    },
    destroy: (id) => void alive.delete(id),
  }).enable();
  return {
    left() {
      hook.disable();
      return alive.size;
    },
  };
}

/** Sockets and others that keep the process alive, by their kind. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) if (isLasting(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

// The test runner has timers and files of its own, which come and go.
const isLasting = (kind: string) => /TCP|TLS|Pipe|UDP|Process|Worker/.test(kind);

function listenersOf(thing: object): number {
  if (!(thing instanceof EventEmitter)) return 0;
  return thing.eventNames().reduce((sum, event) => sum + thing.listenerCount(event), 0);
}

/** Those that its pool has, wherever the library keeps it: with the sockets below them. */
function connectionsOf({ parts }: LibraryClient): object[] {
  const places = parts.flatMap((part: any) => [part, part.pool, part.master, part.client?.pool]);
  const connections = places.flatMap((pool: any) => [
    ...(pool?._clients ?? []),
    ...(pool?._freeConnections?.toArray() ?? []),
    ...(pool?.free?.map(({ resource }: any) => resource) ?? []),
  ]);
  const sockets = connections.flatMap(({ connection, stream }: any) => [connection?.stream, stream].filter(Boolean));
  return [...new Set<object>([...connections, ...sockets])];
}

/** What it is when it is the same twice: nobody knows yet what will be left. */
async function quietly<T>(look: () => Promise<T>): Promise<T> {
  for (let last = JSON.stringify(await look()); ; ) {
    await sleep(200);
    const now = await look();
    if (JSON.stringify(now) === last) return now;
    last = JSON.stringify(now);
  }
}
