import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { makeFolder } from './folders.js';
import { onFreePorts } from './ports.js';
import { findProgram, MissingServerError } from './programs.js';
import { type ServerProcess, startProcess } from './server-process.js';

/** A private Redis or Valkey on a loopback port. */
export interface RedisServer extends ServerProcess {
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

export interface RedisOptions {
  /** Settings, as on the command line: `['--appendonly', 'yes']`. They win over ours, which keep nothing on disk. */
  readonly args?: readonly string[];
}

/** Starts a Redis of your own, to be hung, killed and started again at will. */
export function startRedis({ args = [] }: RedisOptions = {}): Promise<RedisServer> {
  return onFreePorts(1, ([port]) => startRedisAt(port as number, args));
}

export async function startRedisAt(port: number, args: readonly string[] = []): Promise<RedisServer> {
  const folder = makeFolder('redis');
  const server = await startProcess({
    name: 'redis',
    file: redisProgram(folder, 'server'),
    args: ['--port', String(port), '--dir', folder, ...loopback, '--save', '', '--appendonly', 'no', ...args],
    folder,
    ready: /ready to accept connections/i,
    signal: 'SIGKILL',
  });
  return Object.assign(server, { url: `redis://127.0.0.1:${port}`, host: '127.0.0.1', port });
}

/** Nobody outside of this machine can reach it, and without a password nobody inside needs one. */
export const loopback = ['--bind', '127.0.0.1', '--protected-mode', 'no'];

/**
 * The program in the role of a server or a sentinel, which it reads from its own name. Debian's redis-tools alone is
 * enough: its redis-check-rdb is the server under another name.
 */
export function redisProgram(folder: string, role: 'server' | 'sentinel'): string {
  const found = findProgram(
    ['redis-server', 'valkey-server', 'redis-check-rdb'],
    ['/usr/local/bin', '/opt/homebrew/bin', '/snap/bin'],
  );
  if (!found)
    throw new MissingServerError(
      'redis',
      'Debian, Ubuntu: apt-get install redis-tools    macOS: brew install redis    or: npm run setup',
    );
  if (role === 'server' && !found.endsWith('redis-check-rdb')) return found;
  const link = join(folder, `redis-${role}`);
  symlinkSync(found, link);
  return link;
}

/** One short connection, so that nothing is left open that would notice a kill. */
export async function ask<T>(node: { host: string; port: number }, fn: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ host: node.host, port: node.port, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => {}); // the command rejects too, and says more
  try {
    return await fn(redis);
  } finally {
    redis.disconnect();
  }
}
