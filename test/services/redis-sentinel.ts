import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './folders.js';
import { onFreePorts } from './ports.js';
import { ask, loopback, type RedisServer, redisProgram, startRedisAt } from './redis.js';
import { type ServerProcess, startProcess, until } from './server-process.js';

/** A master and a replica, watched by three sentinels that agree within about two seconds on a new master. */
export interface RedisSentinel {
  /** What the sentinels call the master. */
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly master: RedisServer;
  readonly replica: RedisServer;
  stop(): Promise<void>;
}

const name = 'unstale';

export function startSentinel(): Promise<RedisSentinel> {
  return onFreePorts(5, async ([masterPort, replicaPort, ...ports]) => {
    const running: ServerProcess[] = [];
    const stop = async () => void (await Promise.all(running.map((server) => server.stop())));
    const kept = <T extends ServerProcess>(server: T): T => {
      running.push(server);
      return server;
    };
    try {
      const master = kept(await startRedisAt(masterPort as number, ['--repl-diskless-sync-delay', '0']));
      const follows = ['--replicaof', '127.0.0.1', String(masterPort), '--repl-diskless-sync-delay', '0'];
      const replica = kept(await startRedisAt(replicaPort as number, follows));
      // A sentinel asks the master for its replicas when it starts, and then only every ten seconds.
      await until('redis replica', () =>
        ask(replica, async (redis) => (await redis.info('replication')).includes('master_link_status:up')),
      );
      for (const port of ports) kept(await startOneSentinel(port, masterPort as number));
      const sentinels = ports.map((port) => ({ host: '127.0.0.1', port }));
      await until('redis sentinels know each other', async () =>
        (await Promise.all(sentinels.map(knowsAll))).every(Boolean),
      );
      return { name, sentinels, master, replica, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

function startOneSentinel(port: number, masterPort: number): Promise<ServerProcess> {
  const folder = makeFolder('sentinel');
  const file = join(folder, 'sentinel.conf'); // a sentinel writes what it learns into its settings, so a file it must be
  const settings = [
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  return startProcess({
    name: 'redis sentinel',
    file: redisProgram(folder, 'sentinel'),
    args: [file, '--port', String(port), '--dir', folder, ...loopback],
    folder,
    ready: /Sentinel ID is|\+monitor master/,
    signal: 'SIGKILL',
  });
}

async function knowsAll(sentinel: { host: string; port: number }): Promise<boolean> {
  const fields = await ask(sentinel, (redis) => redis.call('SENTINEL', 'MASTER', name) as Promise<string[]>);
  const field = (key: string) => fields[fields.indexOf(key) + 1];
  return field('num-other-sentinels') === '2' && field('num-slaves') === '1';
}
