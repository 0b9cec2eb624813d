import { Redis } from 'ioredis';
import { describe, expected } from '../../src/adapter/index.js';
import type { Address, Client, ClientOptions, ClusterInstance, NatMap, RedisInstance } from './client.js';
import type { Attempts } from './link.js';

/**
 * From what the user has (a URL, options, an instance) to connections that behave as ours.
 *
 * Whatever the target is, it is first made into an ioredis client that never connects, and that one is copied with our
 * own options on top. So everything about *where* and *who* (host, TLS, password, Sentinel, a Connector of their own)
 * is the user's, and everything about *waiting* is ours: an instance made for BullMQ waits for ever on purpose, the
 * defaults keep commands in a queue, and replicas answer with versions that were replaced long ago.
 */
export interface Source {
  /** Whether `seeds` are nodes of a Cluster. */
  readonly cluster: boolean;
  /** Nodes to ask for all others. Of a single server: itself. */
  readonly seeds: readonly Address[];
  /** Makes a client that is not connected yet. Without an address: to where the target says. */
  connect(attempts: Attempts, at?: Address): Client;
  /** A client that does not reconnect by itself: its owner makes another. */
  connectOnce(at?: Address): Client;
  /** Addresses as seen from here, where a Cluster or Sentinel names others. */
  translate(at: Address): Address;
  /** Who says which server the master is; undefined where nobody does. */
  readonly sentinels: SentinelSource | undefined;
}

/** The sentinels of a target, and how to reach them. */
export interface SentinelSource {
  /** What they call the master. */
  readonly name: string;
  readonly all: readonly Address[];
  /** Makes a client that is not connected yet. */
  connect(attempts: Attempts, at: Address): Client;
}

export type RedisTarget = string | import('ioredis').RedisOptions | RedisInstance | ClusterInstance;

/**
 * @throws TypeError when `target` is none of the kinds, or has a `keyPrefix`
 */
export function sourceOf(target: RedisTarget): Source {
  if (isCluster(target)) return clusterSource(target);
  const template = templateOf(target);
  const { host = 'localhost', port = 6379, path, sentinels, name, keyPrefix, natMap } = template.options;
  refusePrefix(keyPrefix);
  let turn = 0;
  // What the node is called in events and errors.
  const at = sentinels ? `sentinel:${name}` : (path ?? host);
  return {
    cluster: false,
    seeds: [{ host: at, port: sentinels || path ? 0 : Number(port) }],
    connect: (attempts) => template.duplicate({ ...ours, retryStrategy: backoff(attempts) }),
    // One that has led to the wrong server is followed by one that begins with another sentinel.
    connectOnce: () =>
      template.duplicate({ ...ours, ...(sentinels && { sentinels: turned(sentinels, turn++) }), retryStrategy: null }),
    translate: (address) => (sentinels ? mapped(natMap, address) : address),
    sentinels: sentinels ? sentinelSource(template.options) : undefined,
  };
}

function turned<T>(list: readonly T[], by: number): T[] {
  const at = by % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
}

/** As ioredis makes its own questions to sentinels: with their user, their TLS, and nothing of the master's. */
function sentinelSource(options: ClientOptions): SentinelSource {
  const { sentinels, name, family, sentinelUsername, sentinelPassword, sentinelTLS } = options;
  const known = new Map(
    (sentinels ?? []).map(({ host = 'localhost', port = 26379, family: own = family }) => [
      `${host}:${port}`,
      { host, port: Number(port), family: own },
    ]),
  );
  const who = { username: sentinelUsername, password: sentinelPassword, tls: sentinelTLS };
  return {
    name: String(name),
    all: [...known.values()],
    connect: (attempts, at) =>
      new Redis({ ...ours, ...who, ...at, retryStrategy: backoff(attempts) } as object) as unknown as Client,
  };
}

function mapped(natMap: NatMap | undefined, address: Address): Address {
  const key = `${address.host}:${address.port}`;
  return (typeof natMap === 'function' ? natMap(key) : natMap?.[key]) ?? address;
}

/** Our own ways, over whatever an instance came with. */
const ours = {
  // A call is answered or refused now; nothing is kept for a connection that may come one day.
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  reconnectOnError: null,
  // Time-outs are counted by `link.ts`, which knows when this process itself was late.
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  connectTimeout: 2000,
  disconnectTimeout: 10,
  // Trust is established by our own script, which fails while a server is loading.
  enableReadyCheck: false,
  // The reads of a tick are one command already; ioredis's own pipelining would add a tick to it.
  enableAutoPipelining: false,
  // Only masters: a replica answers with versions that were replaced.
  role: 'master',
  readOnly: false,
  sentinelRetryStrategy: (times: number) => Math.min(50 * times, 1000),
  sentinelCommandTimeout: 1000,
  // ioredis 6 speaks RESP3 unless told otherwise, and drops the messages of CLIENT TRACKING there.
  protocol: 2,
  replyMapping: 'legacy',
  stringNumbers: false,
  monitor: false,
  disableClientInfo: true,
  scripts: undefined,
  himportFieldsets: undefined,
};

const longestBackoff = 2000;

/** Full jitter over 50 → 2000 ms, for ever: many processes lose their server in the same moment. */
function backoff(attempts: Attempts): () => number {
  return () => Math.ceil(Math.random() * Math.min(longestBackoff, 50 * 2 ** Math.min(attempts.count++, 10)));
}

function templateOf(target: Exclude<RedisTarget, ClusterInstance>): Client {
  const inert = { lazyConnect: true, retryStrategy: null };
  if (typeof target === 'string') {
    if (!/^rediss?:\/\//i.test(target))
      throw new TypeError('Expected `target` to be a URL that begins with redis:// or rediss://, got other text');
    try {
      return new Redis(target, inert as object) as unknown as Client;
    } catch {
      // What was thrown may quote the URL, and with it the password.
      throw new TypeError(
        'Expected `target` to be a URL such as redis://localhost:6379/0, got one that cannot be read',
      );
    }
  }
  if (typeof target !== 'object' || target === null || Array.isArray(target))
    throw expected('target', 'a URL, options of ioredis, or an instance of its Redis or Cluster', target);
  if ('duplicate' in target && typeof target.duplicate === 'function') {
    refusePrefix((target.options as { keyPrefix?: string }).keyPrefix);
    return target.duplicate(inert) as Client;
  }
  const { sentinels, name } = target as { sentinels?: unknown; name?: unknown };
  if (sentinels && !name)
    throw new TypeError('Expected `name` beside `sentinels`: which of the masters that the sentinels watch it is');
  return new Redis({ ...target, ...inert } as object) as unknown as Client;
}

function refusePrefix(prefix: string | undefined): void {
  if (!prefix) return;
  throw new TypeError(
    `Expected a client without \`keyPrefix\`, got ${describe(prefix)}: ioredis adds it to some keys and not to others, such as those of invalidation messages. Give the cache a \`name\` instead; all its keys begin with that`,
  );
}

function isCluster(target: RedisTarget): target is ClusterInstance {
  return typeof target === 'object' && target !== null && (target as Partial<ClusterInstance>).isCluster === true;
}

// ---- Cluster ------------------------------------------------------------------------------------------------------

/** What is in the options of a Cluster that matters here. */
interface ClusterOptions {
  readonly keyPrefix?: string;
  readonly redisOptions?: { readonly keyPrefix?: string };
  readonly natMap?: NatMap;
}

/**
 * We ask for the slots and connect to the masters ourselves (docs/decisions/011): a connection that ioredis's Cluster
 * makes in passing, on a redirect, could not be kept from being used before its node is trusted.
 */
function clusterSource(cluster: ClusterInstance): Source {
  const options = cluster.options as ClusterOptions;
  refusePrefix(options.keyPrefix ?? options.redisOptions?.keyPrefix);
  const started = (cluster as unknown as { readonly startupNodes?: readonly unknown[] }).startupNodes ?? [];
  const known = [...started.map(nodeOptions), ...cluster.nodes('all').map((node) => node.options as Partial<Address>)];
  const seeds = new Map(
    known.map(({ host = '127.0.0.1', port = 6379 }) => [`${host}:${port}`, { host, port: Number(port) }]),
  );
  const first: object = known[0] ?? {};
  const template = new Redis({ ...first, ...options.redisOptions, lazyConnect: true } as object) as unknown as Client;
  const { natMap } = options;
  const at = (address: Address | undefined) => ({ ...address, path: undefined, sentinels: null, db: 0 });
  return {
    cluster: true,
    seeds: [...seeds.values()],
    connect: (attempts, address) => template.duplicate({ ...ours, ...at(address), retryStrategy: backoff(attempts) }),
    connectOnce: (address) => template.duplicate({ ...ours, ...at(address), retryStrategy: null }),
    translate: (address) => mapped(natMap, address),
    sentinels: undefined,
  };
}

/** A startup node as options: ioredis takes URLs, ports and objects. */
function nodeOptions(node: unknown): Partial<Address> {
  if (typeof node === 'number') return { port: node };
  if (typeof node === 'string')
    return (new Redis(node, { lazyConnect: true }) as unknown as Client).options as Partial<Address>;
  return node as Partial<Address>;
}
