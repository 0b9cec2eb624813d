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
  readonly sentinels: readonly Sentinel[];
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** One more, to which nobody speaks: it goes on to name the master that it was started with. */
  addDeaf(): Promise<Sentinel>;
  stop(): Promise<void>;
}

export interface Sentinel extends ServerProcess {
  readonly host: string;
  readonly port: number;
}

const name = 'unstale';

export function startSentinel(): Promise<RedisSentinel> {
  return onFreePorts(6, async ([masterPort, replicaPort, deafPort, ...ports]) => {
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
      const sentinels: Sentinel[] = [];
      for (const port of ports) sentinels.push(kept(await startOneSentinel(port, masterPort as number)));
      const addDeaf = async () => {
        // Sentinels find each other by messages on the servers that they watch. It may neither send nor hear any.
        const rights = ['on', '>deaf', '~*', '&*', '+@all', '-publish', '-subscribe'];
        for (const server of [master, replica]) await ask(server, (redis) => redis.acl('SETUSER', 'deaf', ...rights));
        const asDeaf = [`sentinel auth-user ${name} deaf`, `sentinel auth-pass ${name} deaf`];
        return kept(await startOneSentinel(deafPort as number, masterPort as number, asDeaf));
      };
      await until('redis sentinels know each other', async () =>
        (await Promise.all(sentinels.map(knowsAll))).every(Boolean),
      );
      return { name, sentinels, master, replica, addDeaf, stop };
    } catch (error) {
      await stop();
      throw error;
    }
  });
}

async function startOneSentinel(port: number, masterPort: number, more: readonly string[] = []): Promise<Sentinel> {
  const folder = makeFolder('sentinel');
  const file = join(folder, 'sentinel.conf'); // a sentinel writes what it learns into its settings, so a file it must be
  const settings = [
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
    ...more,
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  const started = await startProcess({
    name: 'redis sentinel',
    file: redisProgram(folder, 'sentinel'),
    args: [file, '--port', String(port), '--dir', folder, ...loopback],
    folder,
    ready: /Sentinel ID is|\+monitor master/,
    signal: 'SIGKILL',
  });
  return Object.assign(started, { host: '127.0.0.1', port });
}

async function knowsAll(sentinel: { host: string; port: number }): Promise<boolean> {
  const fields = await ask(sentinel, (redis) => redis.call('SENTINEL', 'MASTER', name) as Promise<string[]>);
  const field = (key: string) => fields[fields.indexOf(key) + 1];
  return field('num-other-sentinels') === '2' && field('num-slaves') === '1';
}
