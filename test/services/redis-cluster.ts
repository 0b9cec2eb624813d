import { onFreePorts } from './ports.js';
import { ask, type RedisServer, startRedisAt } from './redis.js';
import { until } from './server-process.js';

/** Three masters (the first three nodes) and a replica of each, in the same order. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

const firstSlots = [0, 5461, 10923, 16384];

export function startCluster(): Promise<RedisCluster> {
  // Six ports for clients and six for the nodes among themselves; `cluster-port` needs Redis 7.
  return onFreePorts(12, async (ports) => {
    const started = await Promise.allSettled(
      ports.slice(0, 6).map((port, i) => startRedisAt(port, clusterArgs(ports[6 + i] as number))),
    );
    const nodes = started.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []));
    const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
    try {
      for (const s of started) if (s.status === 'rejected') throw s.reason;
      await join(nodes, ports.slice(6));
      await until('redis cluster is complete', async () => (await Promise.all(nodes.map(isComplete))).every(Boolean));
    } catch (error) {
      await stop();
      throw error;
    }
    return { nodes, stop };
  });
}

const clusterArgs = (busPort: number) => [
  ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '1000'],
  // A replica may take over however long it was without its master: tests kill masters right after the start.
  ...['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'],
];

/** What `redis-cli --cluster create` does. */
async function join(nodes: readonly RedisServer[], busPorts: readonly number[]): Promise<void> {
  const masters = nodes.slice(0, 3);
  const ids = await Promise.all(
    masters.map((node, i) =>
      ask(node, async (redis) => {
        await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
        await redis.call('CLUSTER', 'ADDSLOTSRANGE', firstSlots[i] as number, (firstSlots[i + 1] as number) - 1);
        return String(await redis.call('CLUSTER', 'MYID'));
      }),
    ),
  );
  await ask(nodes[0] as RedisServer, async (redis) => {
    for (const [i, node] of nodes.entries())
      if (i > 0) await redis.call('CLUSTER', 'MEET', node.host, node.port, busPorts[i] as number);
  });
  // A node can follow a master only once it has heard of it.
  await Promise.all(
    nodes.slice(3).map((node, i) =>
      ask(node, (redis) =>
        until('redis cluster replica', async () => {
          return (await redis.call('CLUSTER', 'REPLICATE', ids[i] as string)) === 'OK';
        }),
      ),
    ),
  );
}

async function isComplete(node: RedisServer): Promise<boolean> {
  return ask(node, async (redis) => {
    const lines = String(await redis.call('CLUSTER', 'NODES'))
      .trim()
      .split('\n');
    const replicas = lines.filter((line) => /[ ,]slave /.test(line));
    const replication = await redis.info('replication');
    return (
      String(await redis.call('CLUSTER', 'INFO')).includes('cluster_state:ok') &&
      lines.length === 6 &&
      replicas.length === 3 &&
      /connected_slaves:1|master_link_status:up/.test(replication)
    );
  });
}
