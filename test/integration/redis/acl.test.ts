import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { redisStore } from '../../../adapters/redis/index.js';
import { type Cache, createCache, StoreUnavailableError } from '../../../src/index.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { aStrictSession } from './a-session.js';

/**
 * The permissions of docs/redis.md, feature by feature: a user with exactly these has the feature, nothing is refused. With
 * one command fewer every read still has the right value, and somebody is told; or it is said here why nobody needs to be.
 */
const page = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8');

function permissionsFor(feature: string): readonly string[] {
  const [, permissions = ''] =
    page
      .split('\n')
      .find((line) => line.startsWith(`| ${feature} |`))
      ?.split(' | ') ?? [];
  return permissions.replaceAll('`', '').replaceAll('\\|', '|').split(' ');
}

const everything = permissionsFor('everything');
const wakes = permissionsFor("waking who waits for another process's load");
const watching = permissionsFor('`maxStale` above 0');
const commandsOf = (permissions: readonly string[]) => permissions.filter((it) => it.startsWith('+'));

/** Their absence costs something, and nothing that anybody would have to hear of. */
const silent = new Map([
  ['+hdel', 'old fields stay in the record of trust'],
  ['+unlink', 'damaged entries stay until they age; asked for only then, and when Redis is full'],
  ['+publish', 'who waits looks again after 25 to 100 ms'],
  ['+client|list', 'a process that was killed is followed when its lease has ended'],
]);

interface Story {
  /** What reads gave, and what the database had then. */
  readonly values: (readonly [number, number])[];
  readonly acknowledged: boolean;
  /** What the server has refused. */
  refused(): Promise<readonly string[]>;
  /** Events, and why the invalidation was not acknowledged. */
  readonly told: readonly string[];
}

describe.skipIf(!inject('services').redis)('a user with the permissions of docs/redis.md', () => {
  let server: RedisServer;
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    warned.mockRestore();
    await server?.stop();
  });

  let names = 0;
  async function play(
    permissions: readonly string[],
    { maxStale = 0, loadTakes = 0, on = server }: { maxStale?: number; loadTakes?: number; on?: RedisServer } = {},
  ): Promise<Story> {
    const name = `app${++names}`;
    const rules = permissions.map((it) => it.replace('myapp', name));
    await ask(on, (redis) => redis.call('ACL', 'SETUSER', name, 'on', '>secret', 'resetchannels', '-@all', ...rules));
    const told: string[] = [];
    const open = (): Cache => {
      const store = redisStore(`redis://${name}:secret@127.0.0.1:${on.port}`, { timeout: 500 });
      const cache = createCache({ name, jitter: 0, maxStale, ackTimeout: 500, store });
      cache.on('error', ({ error }) => void told.push(String(error)));
      onTestFinished(() => cache.close({ timeout: 50 }).catch(() => {}));
      return cache;
    };
    const caches = [open(), open()] as const;
    // Connected, as far as it may.
    await Promise.all(caches.map((cache) => cache.snapshot('ready').catch(() => {})));
    let row = 1;
    const values: [number, number][] = [];
    const read = async (cache: Cache, takes = 0) => {
      const load = async () => {
        const value = row;
        await new Promise((resolve) => setTimeout(resolve, takes));
        return value;
      };
      const value = await cache.getOrSet({ key: 'row', tags: ['row'], load });
      values.push([value, row]);
    };
    // The second waits for the load of the first, which takes long enough for its lease to be prolonged.
    await Promise.all([read(caches[0], loadTakes), later(loadTakes / 3).then(() => read(caches[1], loadTakes))]);
    await read(caches[0]);
    row = 2;
    const acknowledged = await caches[0].invalidate('row').then(
      () => true,
      (error) => {
        told.push(String(error.cause));
        return false;
      },
    );
    await read(caches[0]);
    // Nobody has promised anything to the other one before.
    if (acknowledged) await later(maxStale + 20).then(() => read(caches[1]));
    const refused = async () => {
      const log = (await ask(on, (redis) => redis.call('ACL', 'LOG', '1000'))) as unknown[][];
      return log.filter((entry) => entry.includes(name)).map((entry) => String(entry[entry.indexOf('object') + 1]));
    };
    return { values, acknowledged, refused, told };
  }

  const warnings = () => warned.mock.calls.map(([text]) => String(text)).join('\n');
  const right = ({ values }: Story) => values.every(([value, row]) => value === row);

  test('the line is what its parts are', () => {
    const line = /^ACL SETUSER unstale on ><password> (.*)$/m.exec(page)?.[1] as string;
    expect(
      line
        .split(' ')
        .filter((it) => it !== '-@all')
        .toSorted(),
    ).toEqual([...new Set([...everything, ...wakes, ...watching])].toSorted());
  });

  test('everything but what waits and watches: it works, and only waking is refused', async () => {
    const story = await play(everything);
    expect(story).toMatchObject({ acknowledged: true, told: [] });
    expect(right(story)).toBe(true);
    expect(
      (await story.refused()).filter((it) => !/^(publish|subscribe|client\|id|client\|list|app\d+:wake)$/.test(it)),
    ).toEqual([]);
  });

  test('and waking: nothing is refused while one waits for another', async () => {
    const story = await play([...everything, ...wakes], { loadTakes: 900 });
    expect(story).toMatchObject({ acknowledged: true, told: [] });
    expect(await story.refused()).toEqual([]);
    expect(right(story)).toBe(true);
  });

  test('and watching: nothing is refused', async () => {
    const story = await play([...everything, ...wakes, ...watching], { maxStale: 100 });
    expect(story).toMatchObject({ acknowledged: true, told: [] });
    expect(await story.refused()).toEqual([]);
    expect(right(story)).toBe(true);
  });

  test('and strict: tags are fenced and let go, and without it that is refused', async () => {
    const strict = permissionsFor('[`strict: true`](strict.md)');
    const open = async (permissions: readonly string[]) => {
      const name = `strict${++names}`;
      const rules = permissions.map((it) => it.replace('myapp', name));
      await ask(server, (redis) => redis.call('ACL', 'SETUSER', name, 'on', '>secret', '-@all', ...rules));
      const target = `redis://${name}:secret@127.0.0.1:${server.port}`;
      return aStrictSession(target, { name });
    };
    const { session, name } = await open([...everything, ...strict]);
    await session.fence?.(['tag'], 'owner', 1, 1000);
    await expect.poll(async () => session.expired?.(['tag'])).toEqual([['owner']]);
    await session.raise(['tag'], 1000, 'owner');
    await session.read('key', ['tag', 'another']);
    const log = (await ask(server, (redis) => redis.call('ACL', 'LOG', '1000'))) as unknown[][];
    // Each new connection asks for its number, which is for waking alone.
    expect(log.filter((entry) => entry.includes(name) && !entry.includes('client|id'))).toEqual([]);
    const { session: other } = await open(everything);
    await expect(other.fence?.(['tag'], 'owner', 1000, 1000)).rejects.toThrow(StoreUnavailableError);
  });

  test('with one command fewer reads have what the database has, and somebody is told', async () => {
    const all = [...everything, ...wakes, ...watching];
    const without = async (command: string) => {
      // Scripts that others have loaded need no `eval`.
      const own = command === '+eval' ? await startRedis() : undefined;
      if (own) onTestFinished(() => own.stop());
      const permissions = all.filter((it) => it !== command);
      const needsWait = commandsOf(wakes).includes(command) || ['+pexpire', '+del'].includes(command);
      const story = await play(permissions, { maxStale: 100, ...(own && { on: own }), loadTakes: needsWait ? 900 : 0 });
      return { command, story };
    };
    for (const { command, story } of await Promise.all([...new Set(commandsOf(all))].map(without))) {
      expect(right(story), `values without ${command}`).toBe(true);
      if (silent.has(command)) continue;
      // Connections of their own are made behind the story's back.
      await expect.poll(story.refused, { message: command, timeout: 5000 }).not.toEqual([]);
      const name = command.slice(1).replace('|', ' ').toUpperCase();
      const about = `${story.told.join('\n')}\n${warnings()}`.toUpperCase();
      // Of a command inside of a script Redis says in which, not which it was; that stands in ACL LOG.
      expect(
        about.includes(name) || story.told.some((it) => /script/.test(it)) || inScripts.has(command),
        command,
      ).toBe(true);
    }
    expect(warnings()).toMatch(/use a command inside of a script/);
  });
});

/** Only scripts send them, in ways that fail nobody: the warning about scripts is theirs. */
const inScripts = new Set(['+del', '+pexpire']);

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
