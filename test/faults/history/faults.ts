import type { Proxy } from '../../services/proxy.js';
import { ask, type RedisServer } from '../../services/redis.js';
import type { Random } from '../../transparency/random.js';

/** What can happen to the world of a history, besides what its processes do themselves. */
export const faults = ['stop', 'evict', 'drop', 'hang', 'restart', 'lose'] as const;
export type Fault = (typeof faults)[number];

export interface World {
  readonly redis: RedisServer;
  /** The way of the writes to the database. */
  readonly wire: Proxy;
  /** Signals a process of the history. */
  signal(process: number, signal: NodeJS.Signals): void;
  readonly processes: number;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Each takes its time, and leaves a whole world behind. */
export const strike: Record<Fault, (world: World, random: Random) => Promise<void>> = {
  /** A process sleeps for longer than any lease, and goes on as if nothing had been. */
  async stop({ signal, processes }, random) {
    const process = random.below(processes);
    signal(process, 'SIGSTOP');
    await wait(2500 + random.below(1500));
    signal(process, 'SIGCONT');
  },
  /** Keys vanish one by one, entries and tags alike. */
  async evict({ redis }, random) {
    await ask(redis, async (client) => {
      const keys = await Promise.all(Array.from({ length: 60 + random.below(120) }, () => client.randomkey()));
      const known = keys.filter((key) => key !== null);
      if (known.length > 0) await client.unlink(...known);
    });
  },
  /** All connections of Redis break. */
  async drop({ redis }) {
    await ask(redis, async (client) => {
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    });
  },
  /** Redis says nothing for a while, and then carries out what it was sent. */
  async hang({ redis }, random) {
    redis.pause();
    await wait(200 + random.below(1800));
    redis.resume();
  },
  /** Redis dies and comes back with what it had some seconds ago. */
  async restart({ redis }, random) {
    await ask(redis, (client) => client.save());
    await wait(500 + random.below(1500));
    await redis.kill();
    await wait(random.below(500));
    await redis.restart();
  },
  /** The database carries out what it is sent, COMMIT included, and its answers are lost together with the connection. */
  async lose({ wire }, random) {
    wire.hold('answers');
    await wait(10 + random.below(60));
    wire.reset();
    wire.flow();
  },
};
