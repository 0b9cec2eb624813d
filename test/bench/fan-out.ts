import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startRedis } from '../services/redis.js';
import { until } from '../services/server-process.js';
import { built } from './built.js';
import { randomFrom } from './harness.js';
import { describeMachine } from './machine.js';

// A hundred processes watch the same tags, and one writes: `npx tsx test/bench/fan-out.ts`. One of the hundred is the
// library at `maxStale: '1s'`; the others are two sockets each that track, read and listen as it does, and throw away what
// they hear. Each reads a hundred of the thousand tags ten times a second. Every write invalidates three of them.
//
// `default`: Redis tells of tags that were read since. `broadcast`: it tells everybody of every tag.
type Tracking = 'default' | 'broadcast';

const name = 'fan';
const tags = 1000;
const clients = 100;
const readEvery = 100;
const readsAtOnce = 100;
const perWrite = 3;
const seconds = 6;
const concurrent = 64;

const [role, url, mode, pace] = process.argv.slice(2) as [string?, string?, Tracking?, string?];
const roles: Readonly<Record<string, () => unknown>> = { subscriber, drainers, writer };
await (role === undefined ? main() : roles[role]?.());

async function main(): Promise<void> {
  const server = await startRedis();
  const redis = new Redis(server.url);
  console.log(
    await describeMachine({ redis: server.url, seed: 1, rounds: 1, ms: 0, profile: false, quick: false }),
    `· ${seconds} s each`,
  );
  console.log(
    '\n| tracking | invalidations/s | tags/s | ack p50 / p99, ms | Redis CPU | egress | subscriber CPU | longest queue |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  try {
    for (const wanted of ['300', 'all'])
      for (const tracking of ['default', 'broadcast'] as const) {
        await redis.flushall();
        console.log(await round(tracking, wanted));
      }
  } finally {
    redis.disconnect();
    await server.stop();
  }

  async function round(tracking: Tracking, wanted: string): Promise<string> {
    const start = async (as: string) => {
      const child = fork(import.meta.filename, [as, server.url, tracking, wanted]);
      await once(child, 'message');
      return child;
    };
    const subscriber = await start('subscriber');
    const others = await start('drainers');
    const writer = await start('writer');
    await until('everybody is told of changes', () => isWatched(tracking));
    const before = await counters();
    const began = performance.now();
    const cpuBefore = await ask(subscriber);
    writer.send('go');
    let queue = 0;
    for (let left = seconds * 2; left > 0; left--) {
      await sleep(500);
      const list = String(await redis.client('LIST'));
      queue = Math.max(queue, ...[...list.matchAll(/omem=(\d+)/g)].map(([, bytes]) => Number(bytes)));
    }
    const after = await counters();
    const cpuAfter = await ask(subscriber);
    const took = performance.now() - began;
    const { done, p50 = 0, p99 = 0 } = (await ask(writer)) as unknown as Written;
    for (const child of [writer, others, subscriber]) await end(child);
    const rate = done / (took / 1000);
    const cpu = (micros: number) => `${Math.round(micros / took / 10)} %`;
    const perSecond = (bytes: number) => `${(bytes / took / 1000).toFixed(1)} MB/s`;
    return `| ${tracking} | ${Math.round(rate)} | ${Math.round(rate * perWrite)} | ${p50.toFixed(1)} / ${p99.toFixed(1)} | ${cpu(after.cpu - before.cpu)} | ${perSecond(after.sent - before.sent)} | ${cpu(Number(cpuAfter) - Number(cpuBefore))} | ${Math.round(queue / 1000)} kB |`;
  }

  /** Every client tracks, and every tag was read by somebody, or everybody hears of all that begin alike. */
  async function isWatched(tracking: Tracking): Promise<boolean> {
    const field = await fields();
    const isTold = tracking === 'default' ? field('tracking_total_keys') >= tags : field('tracking_total_prefixes') > 0;
    return isTold && field('tracking_clients') >= clients;
  }

  async function fields(): Promise<(of: string) => number> {
    const info = await redis.info();
    return (of) => Number(new RegExp(`^${of}:([\\d.]+)`, 'm').exec(info)?.[1]);
  }

  async function counters(): Promise<{ cpu: number; sent: number }> {
    const field = await fields();
    return {
      cpu: (field('used_cpu_user') + field('used_cpu_sys')) * 1e6,
      sent: field('total_net_output_bytes'),
    };
  }
}

interface Written {
  readonly done: number;
  readonly p50?: number;
  readonly p99?: number;
}

async function ask(child: ChildProcess): Promise<unknown> {
  child.send('tell');
  const [answer] = await once(child, 'message');
  return answer;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}

/** Of the tags, some at random: a hundred for a read, three for a write. */
function chooser(seed: number): (count: number) => string[] {
  const random = randomFrom(seed);
  return (count) => Array.from({ length: count }, () => `t${Math.floor(random() * tags)}`);
}

/** ioredis as it is, but for the one command that asks to be told of everything. */
function broadcasting(options: object): Redis {
  const redis = new Redis(options);
  const { callBuffer } = redis;
  const all = ['bcast', 'prefix', `${name}:t:`, 'prefix', `${name}:p:`];
  const call = (...args: string[]) =>
    callBuffer.apply(redis, (args[1] === 'tracking' ? [...args, ...all] : args) as never);
  const duplicate = (override: object) => broadcasting({ ...redis.options, ...override });
  return Object.assign(redis, { callBuffer: call, duplicate });
}

async function subscriber(): Promise<void> {
  const { createCache, redisStore } = await built();
  const { hostname: host, port } = new URL(url as string);
  const at = { host, port: Number(port), lazyConnect: true };
  const target = mode === 'broadcast' ? broadcasting(at) : at;
  const cache = createCache({ name, ttl: '1h', maxStale: '1s', store: redisStore(target, { timeout: '2s' }) });
  const choose = chooser(0);
  setInterval(() => {
    // Three tags for each entry, as many tags as the others read.
    for (let n = 0; n < readsAtOnce; n += 3) {
      const some = choose(3);
      cache.getOrSet({ key: some, tags: some, load: async () => some }).catch(() => {});
    }
  }, readEvery);
  serve(() => {
    const { user, system } = process.cpuUsage();
    return user + system;
  });
}

async function drainers(): Promise<void> {
  const { hostname, port } = new URL(url as string);
  const open = async (hears?: (text: string) => void): Promise<Socket> => {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.once('data', (chunk) => hears?.(chunk.toString('latin1')));
    return socket.resume();
  };
  for (let client = 1; client < clients; client++) {
    const choose = chooser(client);
    const id = new Promise<string>((resolve) => {
      void open((text) => {
        const answer = /^:(\d+)\r\n$/.exec(text)?.[1];
        if (answer) resolve(answer);
      }).then(async (listener) => {
        listener.write('CLIENT ID\r\n');
        await id;
        listener.write('SUBSCRIBE __redis__:invalidate\r\n');
      });
    });
    const reader = await open();
    const how = mode === 'broadcast' ? ` BCAST PREFIX ${name}:t:` : '';
    reader.write(`CLIENT TRACKING ON REDIRECT ${await id}${how}\r\n`);
    setTimeout(() => {
      setInterval(() => {
        const keys = choose(readsAtOnce).map((tag) => `${name}:t:{${tag}}`);
        reader.write(`MGET ${keys.join(' ')}\r\n`);
      }, readEvery);
    }, client % readEvery);
  }
  serve(() => 0);
}

async function writer(): Promise<void> {
  const { createCache, redisStore } = await built();
  const cache = createCache({ name, memory: false, store: redisStore(url as string, { timeout: '2s' }) });
  const choose = chooser(-1);
  const times: number[] = [];
  while (!(await cache.snapshot('ready').catch(() => false))) await sleep(100);
  const write = async () => {
    const began = performance.now();
    // A machine with too much to do refuses some; only what was confirmed counts.
    const isDone = await cache.invalidate(...choose(perWrite)).then(
      () => true,
      () => false,
    );
    if (isDone) times.push(performance.now() - began);
  };
  const go = async () => {
    if (pace !== 'all') setInterval(() => void write(), 1000 / Number(pace));
    else
      await Promise.all(
        Array.from({ length: concurrent }, async () => {
          for (;;) await write();
        }),
      );
  };
  serve(
    () => {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (part: number) => sorted[Math.floor(part * sorted.length)];
      return { done: times.length, p50: at(0.5), p99: at(0.99) };
    },
    () => void go(),
  );
}

/** Says that it is ready, answers when it is asked, and ends with its parent. */
function serve(tell: () => unknown, go = () => {}): void {
  process.on('message', (message) => (message === 'go' ? go() : process.send?.(tell())));
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}
