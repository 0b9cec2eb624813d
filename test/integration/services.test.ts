import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { startProxy } from '../services/proxy.js';
import { ask, startRedis } from '../services/redis.js';
import { until } from '../services/server-process.js';

const services = inject('services');
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const aRedis = async (args: string[] = []) => {
  const server = await startRedis({ args });
  cleanups.push(server.stop);
  return server;
};
const aClient = (port: number) => {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: 0 });
  redis.on('error', () => {});
  cleanups.push(() => redis.disconnect());
  return redis;
};

describe('shared by all tests', () => {
  test.skipIf(!services.redis)('redis', async () => {
    const redis = new Redis(services.redis?.url as string);
    cleanups.push(() => redis.disconnect());
    expect(await redis.ping()).toBe('PONG');
  });

  test.skipIf(!services.cluster)('a cluster whose nodes hold all slots', async () => {
    const cluster = new Cluster(services.cluster?.nodes ?? []);
    cleanups.push(() => cluster.disconnect());
    for (let i = 0; i < 20; i++) await cluster.set(`services:${i}`, i, 'EX', 60);
    expect(cluster.nodes('master')).toHaveLength(3);
    expect(await cluster.get('services:19')).toBe('19');
  });

  test.skipIf(!services.sentinel)('sentinels that know the master', async () => {
    const { name, sentinels } = services.sentinel as NonNullable<typeof services.sentinel>;
    const redis = new Redis({ name, sentinels });
    cleanups.push(() => redis.disconnect());
    expect(await redis.info('replication')).toContain('role:master');
  });

  test.skipIf(!services.postgres)('postgres, with statistics of its queries', async () => {
    const client = new pg.Client(services.postgres?.url);
    await client.connect();
    cleanups.push(() => client.end());
    await client.query('create extension if not exists pg_stat_statements');
    const { rows } = await client.query('select count(*)::int > 0 as some from pg_stat_statements');
    expect(rows).toEqual([{ some: true }]);
  });

  test.skipIf(!services.mysql)('mysql', async () => {
    const client = await mysql.createConnection(services.mysql?.url as string);
    cleanups.push(() => client.end());
    const [rows] = await client.query('select 1 as one');
    expect(rows).toEqual([{ one: 1 }]);
  });
});

describe.skipIf(!services.redis)('a redis of your own', () => {
  test('comes back on its port, with what it kept on disk', async () => {
    const server = await aRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
    await ask(server, (redis) => redis.set('k', 'v'));
    const { pid } = server;
    await server.kill();
    await expect(ask(server, (redis) => redis.ping())).rejects.toThrow();
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await ask(server, (redis) => redis.get('k'))).toBe('v');
  });

  test('answers nothing while paused, and then what it was asked', async () => {
    const server = await aRedis();
    const redis = aClient(server.port);
    await redis.ping();
    server.pause();
    let answered = false;
    const answer = redis.ping().finally(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toBe(false);
    server.resume();
    expect(await answer).toBe('PONG');
  });

  test('takes its folder along when it is stopped, even while paused', async () => {
    const server = await aRedis();
    server.pause();
    await server.stop();
    expect(existsSync(server.folder)).toBe(false);
    expect(isAlive(server.pid)).toBe(false);
  });
});

describe('a killed starter', () => {
  // What a killed vitest, test worker or demo leaves behind.
  const starter = `
    import { startRedis } from './test/services/redis.ts';
    const [running, paused] = await Promise.all([startRedis(), startRedis()]);
    paused.pause();
    console.log(JSON.stringify([running, paused].map(({ pid, folder }) => ({ pid, folder }))));
  `;

  test.skipIf(!services.redis)('leaves neither servers nor folders', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', starter], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => child.kill('SIGKILL'));
    const servers: { pid: number; folder: string }[] = JSON.parse(await firstLine(child));
    expect(servers.every(({ pid, folder }) => isAlive(pid) && existsSync(folder))).toBe(true);

    child.kill('SIGKILL');
    const isGone = ({ pid, folder }: { pid: number; folder: string }) => !isAlive(pid) && !existsSync(folder);
    await until('servers and folders are gone', async () => servers.every(isGone), 3000);
  });
});

describe.skipIf(!services.redis)('a proxy', () => {
  const aProxiedClient = async () => {
    const server = await aRedis();
    const proxy = await startProxy(server.port);
    cleanups.push(proxy.stop);
    return { server, proxy, redis: aClient(proxy.port) };
  };

  test('forwards, and counts what it forwarded', async () => {
    const { proxy, redis } = await aProxiedClient();
    await redis.set('k', 'x'.repeat(100_000));
    expect(await redis.get('k')).toHaveLength(100_000);
    expect(proxy.connections).toBe(1);
    expect(proxy.bytes.requests).toBeGreaterThan(100_000);
    expect(proxy.bytes.answers).toBeGreaterThan(100_000);
  });

  test('cuts connections and refuses new ones until it flows', async () => {
    const { proxy, redis } = await aProxiedClient();
    await redis.ping();
    proxy.cut();
    await expect(redis.ping()).rejects.toThrow();
    expect(proxy.connections).toBe(0);
    proxy.flow();
    await until('the client is back', async () => (await redis.ping()) === 'PONG');
  });

  test('holds answers of commands that are carried out', async () => {
    const { server, proxy, redis } = await aProxiedClient();
    await redis.ping();
    proxy.hold('answers');
    const answer = redis.set('k', 'v');
    await until('the command is carried out', () => ask(server, async (direct) => (await direct.get('k')) === 'v'));
    proxy.flow();
    expect(await answer).toBe('OK');
  });

  test('holds requests, and hides from the server that the client has gone', async () => {
    const { server, proxy, redis } = await aProxiedClient();
    await redis.ping();
    proxy.hold();
    redis.disconnect();
    const clients = () => ask(server, async (direct) => String(await direct.client('LIST')).split('\n').length - 1);
    expect(await clients()).toBe(2);
    proxy.flow();
    await until('the server sees it', async () => (await clients()) === 1);
  });

  test('delays what it forwards, in order', async () => {
    const { proxy, redis } = await aProxiedClient();
    await redis.ping();
    proxy.delay(30);
    const started = performance.now();
    expect(await Promise.all([redis.set('k', 1), redis.incr('k'), redis.get('k')])).toEqual(['OK', 2, '2']);
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });
});

function isAlive(pid: number): boolean {
  try {
    // Where nobody reaps orphans, as in some containers, an ended process stays in the table as a zombie.
    if (process.platform === 'linux') return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text);
    });
    child.once('exit', () => reject(new Error('the starter ended before it said what it had started')));
  });
}
