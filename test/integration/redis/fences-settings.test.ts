import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { StoreUnavailableError } from '../../../src/adapter/index.js';
import type { StoreSession } from '../../../src/core/store.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { aSession, aStrictSession, aTrustedSession, expired, fence, timed, until } from './a-session.js';

// What has to be set right, and by whom: permissions, the policy of eviction, and that all of a name agree.

async function ownServer(args: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ args });
  onTestFinished(() => server.stop());
  return server;
}

describe.skipIf(!inject('services').redis)('a user with the permissions of docs/redis.md for `strict: true`', () => {
  const page = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8');
  const permissionsFor = (feature: string) => {
    const [, permissions = ''] =
      page
        .split('\n')
        .find((line) => line.startsWith(`| ${feature} |`))
        ?.split(' | ') ?? [];
    return permissions.replaceAll('`', '').split(' ');
  };
  const strict = permissionsFor('[`strict: true`](strict.md)');
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  let users = 0;
  async function as(permissions: readonly string[]) {
    const user = `app${++users}`;
    const rules = permissions.map((it) => it.replace('myapp', user));
    await ask(server, (redis) => redis.call('ACL', 'SETUSER', user, 'on', '>secret', '-@all', ...rules));
    return aStrictSession(`redis://${user}:secret@127.0.0.1:${server.port}`, { name: user });
  }
  const story = async (session: StoreSession) => {
    await fence(session, ['tag'], 'owner');
    await session.read(undefined, ['tag', 'another']);
    await expired(session, 'tag');
    await session.raise(['tag'], 1000, 'owner');
  };

  test('may do all of it', async () => {
    expect(strict.length).toBeGreaterThan(1);
    const { session } = await as([...permissionsFor('everything'), ...strict]);
    await story(session);
    // Each new connection asks for its number, which is for waking alone.
    const log = (await ask(server, (redis) => redis.call('ACL', 'LOG'))) as unknown[][];
    expect(log.filter((entry) => !entry.includes('client|id'))).toEqual([]);
  });

  test.each(strict)('cannot do without %s', async (command) => {
    const all = [...permissionsFor('everything'), ...strict];
    const { session } = await as(all.filter((it) => it !== command));
    const { error } = await timed(story(session));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(String(error)).toMatch(/NOPERM|can't run this command|ACL failure/);
  });
});

describe.skipIf(!inject('services').redis)('a server whose settings do not fit strict caches', () => {
  test.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])('%s is refused, and says so once', async (policy) => {
    const server = await ownServer(['--maxmemory-policy', policy]);
    const { session, heard } = aSession(server.url, { strict: true, timeout: '1s' });
    await until('it is told', () => heard.errors.length > 0);
    expect(String(heard.errors[0])).toMatch(new RegExp(`maxmemory-policy.*${policy}.*noeviction`));
    await expect(fence(session, ['tag'], 'owner')).rejects.toThrow(policy);
    await expect(session.read(undefined, ['tag'])).rejects.toThrow('maxmemory-policy');
    // Attempts go on, and nobody is told again. Each asks for the time.
    const attempts = async () => {
      const stats = await ask(server, (redis) => redis.info('commandstats'));
      return Number(/cmdstat_time:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    const before = await attempts();
    await until('it has tried twice more', async () => (await attempts()) >= before + 2);
    expect(session.epoch).toBeUndefined();
    expect(heard.errors).toHaveLength(1);
    await aTrustedSession(server.url);
  });

  test('a policy that is changed while the server runs is noticed, both ways', async () => {
    const server = await ownServer(['--maxmemory-policy', 'volatile-lru']);
    const { session, heard } = await aStrictSession(server.url);
    const set = (policy: string) => ask(server, (redis) => redis.config('SET', 'maxmemory-policy', policy));
    await set('allkeys-lru');
    await until('it is refused', () => session.epoch === undefined);
    await set('noeviction');
    await until('it is trusted again', () => session.epoch !== undefined);
    expect(heard.errors).toHaveLength(1);
  });

  test('one that does not show its policy is refused, and says what to allow', async () => {
    const server = await ownServer();
    await ask(server, (redis) => redis.call('ACL', 'SETUSER', 'blind', 'on', '>secret', '~*', '&*', '+@all', '-info'));
    const { session, heard } = aSession(`redis://blind:secret@127.0.0.1:${server.port}`, { strict: true });
    await until('it is told', () => heard.errors.some((error) => /maxmemory-policy.*\+info/.test(String(error))));
    expect(session.epoch).toBeUndefined();
  });

  test('who is otherwise than those who began is refused also when the record is older than `strict`', async () => {
    const server = await ownServer();
    const { session, name } = await aTrustedSession(server.url);
    await ask(server, (redis) => redis.hdel(`${name}:epoch`, 'strict'));
    const strict = aSession(server.url, { name, strict: true });
    await until('it is told', () => /is not strict.*with `strict: true`/.test(String(strict.heard.errors[0])));
    await aTrustedSession(server.url, { name });
    expect(strict.session.epoch).toBeUndefined();
    expect(session.epoch).toBeDefined();
  });

  test('when others have taken the name over, a session is refused that was trusted before, and hears of the loss', async () => {
    const server = await ownServer();
    const { session, heard, name } = await aStrictSession(server.url);
    const before = session.epoch;
    // As if they had all been stopped, the keys deleted, and others begun, while this process slept.
    const record = `${name}:epoch`;
    await ask(server, (redis) => redis.multi().del(record).hset(record, 'epoch', 'theirs', 'strict', '0').exec());
    await until('it is refused', () => session.epoch === undefined && heard.errors.length > 0);
    expect(String(heard.errors[0])).toMatch(/is not strict/);
    await expect(session.read(undefined, ['tag'])).rejects.toThrow('strict');
    await aTrustedSession(server.url, { name });
    await ask(server, (redis) => redis.del(record));
    await until('it is trusted again', () => session.epoch !== undefined);
    expect(session.epoch).not.toBe(before);
    expect(heard.losses).toBe(1);
  });
});
