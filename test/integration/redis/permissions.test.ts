import { readFileSync } from 'node:fs';
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { ask, startRedis } from '../../services/redis.js';
import { aTrustedSession, aWatchingSession, until, versionOf } from './a-session.js';

const page = readFileSync(new URL('../../../docs/redis.md', import.meta.url), 'utf8');

describe.skipIf(!inject('services').redis)('a user with few permissions', () => {
  test('may do all that is needed with the line of docs/redis.md, and cannot do without any of it', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const line = /^ACL SETUSER (unstale .*)$/m.exec(page)?.[1] as string;
    const rules = line.replace('<password>', 'secret').split(' ');
    await ask(server, (redis) => redis.call('ACL', 'SETUSER', ...rules));
    const target = `redis://unstale:secret@127.0.0.1:${server.port}`;
    const { session, heard, name } = await aWatchingSession(target, { name: 'myapp', maxStale: 200 });
    await session.write('key', new Uint8Array(1), 1000);
    await until('it is watched', async () => (await session.read('key', ['tag'])).watched);
    await session.raise(['tag'], 1000);
    await until('it is reported', () => heard.tags.includes('tag'));
    session.remove('key');
    const lease = await session.lease('key', 60_000);
    const waiting = session.released('key', 60_000);
    lease?.release();
    await waiting;
    expect(await session.reach()).toBe(200);
    expect(name).toBe('myapp');
    const log = await ask(server, (redis) => redis.call('ACL', 'LOG'));
    expect(log).toEqual([]);
  });

  test('without INFO it still works: each reconnection begins a new epoch, and that is said', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warned.mockRestore());
    await ask(server, (redis) => redis.call('ACL', 'SETUSER', 'blind', 'on', '>secret', '~*', '&*', '+@all', '-info'));
    const target = `redis://blind:secret@127.0.0.1:${server.port}`;
    const a = await aTrustedSession(target);
    const b = await aTrustedSession(target, { name: a.name });
    expect(warned.mock.calls.some(([text]) => /\+info/.test(String(text)))).toBe(true);
    const before = a.session.epoch;
    expect(b.session.epoch).toBe(before);
    await ask(server, (redis) => redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
    await until('they agree on another epoch', () => {
      return a.session.epoch !== undefined && a.session.epoch !== before && a.session.epoch === b.session.epoch;
    });
    // Both reconnected, but there was only one loss.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([a.heard.losses, b.heard.losses]).toEqual([1, 1]);
    expect(await versionOf(a.session, 'tag')).toBe(await versionOf(b.session, 'tag'));
  });

  test('a replica is not used, however it is reached', async () => {
    const master = await startRedis();
    onTestFinished(() => master.stop());
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
    onTestFinished(() => replica.stop());
    await until('it follows', () =>
      ask(replica, async (redis) => (await redis.info('replication')).includes('link_status:up')),
    );
    const { session } = await aTrustedSession(master.url);
    const { aSession } = await import('./a-session.js');
    const { session: astray } = aSession(replica.url);
    await until('the reason is known', () =>
      astray.read(undefined, ['tag']).then(
        () => false,
        (error) => /replica/.test(String(error)),
      ),
    );
    const before = session.epoch;
    // Roles change under open connections: the next heartbeat sees it.
    await ask(replica, (redis) => redis.replicaof('NO', 'ONE'));
    await until('the promoted one is used', () => astray.epoch !== undefined);
    expect(astray.epoch).not.toBe(before);
    await ask(master, (redis) => redis.replicaof('127.0.0.1', String(replica.port)));
    await until('the demoted one is not', () => session.epoch === undefined);
  });
});
