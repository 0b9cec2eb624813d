import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { redisStore } from '../../../adapters/redis/index.js';
import { ask, type RedisServer, startRedis } from '../../services/redis.js';
import { aSession, aTrustedSession, clock, timed, until } from './a-session.js';

const program = fileURLToPath(new URL('a-process.ts', import.meta.url));
const tsx = createRequire(import.meta.url).resolve('tsx');

describe.skipIf(!inject('services').redis)('the end of a session', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  /** What a process has left after close; fails when it does not end. */
  async function leftIn(url: string, ...args: string[]): Promise<unknown> {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, program, url, ...args], {
      timeout: 15_000,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) as string);
  }

  test.each(['0', '300'])('a process ends by itself after close, at maxStale %s', async (maxStale) => {
    expect(await leftIn(server.url, maxStale, 'works')).toEqual([]);
  });

  test('a process ends after close when Redis is not there', async () => {
    expect(await leftIn('redis://127.0.0.1:1', '300', 'fails')).toEqual([]);
  });

  test('a process ends after close when Redis hangs', async () => {
    server.pause();
    onTestFinished(() => server.resume());
    expect(await leftIn(server.url, '300', 'fails')).toEqual([]);
  });

  test('a closed session refuses every call and has no epoch; closing again does nothing', async () => {
    const { session } = await aTrustedSession(server.url);
    await session.close();
    await session.close();
    expect(session.epoch).toBeUndefined();
    const calls = [
      session.read('key', []),
      session.write('key', new Uint8Array(1), 1),
      session.raise(['tag'], 1),
      session.lease('key', 1),
      session.reach(),
    ];
    for (const call of calls) expect(String((await timed(call)).error)).toContain('closed');
    session.remove('key');
    await session.released('key', 60_000);
  });

  test('calls under way reject when the session is closed', async () => {
    const { session } = await aTrustedSession(server.url, { timeout: '10s' });
    server.pause();
    onTestFinished(() => server.resume());
    const calls = [session.read('key', ['tag']), session.raise(['tag'], 10_000)].map(timed);
    await new Promise((resolve) => setImmediate(resolve));
    await session.close();
    for (const { error, took } of await Promise.all(calls)) {
      expect(String(error)).toContain('not available');
      expect(took).toBeLessThan(1000);
    }
  });

  test('a hundred sessions leave no connection behind', async () => {
    const count = async () =>
      String(await ask(server, (it) => it.client('LIST')))
        .trim()
        .split('\n').length;
    for (let n = 0; n < 100; n += 20)
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const { session } = await aTrustedSession(server.url, { maxStale: 200 });
          await session.close();
        }),
      );
    await until('only the one that asks is left', async () => (await count()) === 1);
  });

  test('a session that loses its connection a hundred times has as many listeners as before', async () => {
    const { session, heard } = await aTrustedSession(server.url);
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    for (let n = 0; n < 100; n++) {
      const { ups } = heard;
      await ask(server, (it) => it.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
      await until('it is trusted again', () => heard.ups > ups && session.epoch !== undefined);
    }
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
    // The same server all the time: nothing was lost.
    expect(heard.losses).toBe(0);
  });
});

describe.skipIf(!inject('services').redis)('secrets', () => {
  test('no error and no event names the password, wrong or right', async () => {
    const server = await startRedis({ args: ['--requirepass', 'hunter2'] });
    onTestFinished(() => server.stop());
    for (const password of ['hunter2', 'hunter3']) {
      const said: unknown[] = [];
      const session = redisStore(`redis://:${password}@127.0.0.1:${server.port}`).open({
        name: 'secrets',
        clock,
        maxStale: 100,
        strict: false,
        listener: { changed() {}, lost() {}, proven() {}, up() {}, report: (event) => void said.push(event) },
      });
      onTestFinished(() => session.close());
      if (password === 'hunter2') await until('it is trusted', () => session.epoch !== undefined);
      else await new Promise((resolve) => setTimeout(resolve, 300));
      server.pause();
      const { error } = await timed(session.read('key', ['tag']));
      server.resume();
      expect(error).toBeInstanceOf(Error);
      for (let it: unknown = error; it instanceof Error; it = it.cause)
        said.push(it.message, it.stack, Object.values(it));
      expect(JSON.stringify(said)).not.toContain('hunter');
    }
  });

  test('what Redis has against us is part of the message', async () => {
    const server = await startRedis({ args: ['--requirepass', 'hunter2'] });
    onTestFinished(() => server.stop());
    const { session, heard } = aSession(server.url);
    await until('the reason is known', async () => /NOAUTH/.test(String((await timed(session.read('key', []))).error)));
    expect(heard.errors.map(String)).toEqual([expect.stringContaining('NOAUTH')]);
    const wrong = aSession(`redis://:hunter3@127.0.0.1:${server.port}`);
    await until('it is reported', () => wrong.heard.errors.length > 0);
    expect(String(wrong.heard.errors[0])).toContain('WRONGPASS');
  });
});
