import { cpus } from 'node:os';
import { Redis } from 'ioredis';
import type { Setting } from './row.js';

/** What a result is worth nothing without. */
export async function describeMachine({ redis, seed, rounds }: Setting): Promise<string> {
  const cores = cpus();
  return [
    new Date().toISOString().slice(0, 10),
    `${cores.length} × ${cores[0]?.model.trim() || 'unknown CPU'}`,
    `Node ${process.version}`,
    redis === undefined ? 'no Redis' : await versionOf(redis),
    `seed ${seed}, ${rounds} rounds`,
  ].join(' · ');
}

async function versionOf(url: string): Promise<string> {
  const client = new Redis(url);
  try {
    const info = await client.info('server');
    return `${/valkey_version/.test(info) ? 'Valkey' : 'Redis'} ${/(?:valkey|redis)_version:(\S+)/.exec(info)?.[1]}`;
  } finally {
    client.disconnect();
  }
}
