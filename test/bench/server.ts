import { Redis } from 'ioredis';
import { median } from './harness.js';

/** What Redis itself says about the work it was given. */
export interface Served {
  /** Commands, those inside of scripts included. */
  readonly commands: number;
  /** By name, those that are the cache's own look at the server left out. */
  readonly calls: Readonly<Record<string, number>>;
  /** CPU µs. */
  readonly cpu: number;
  /** Bytes that were sent back. */
  readonly bytes: number;
  /** How often Redis found something to read on a socket: the round trips, as long as one fits into 16 kB. */
  readonly reads: number;
}

/** The Redis of the benchmarks, as its operator sees it. */
export class Server {
  readonly #redis: Redis;

  constructor(url: string) {
    this.#redis = new Redis(url);
  }

  /** What is served while `fn` runs. */
  async during(fn: () => unknown): Promise<Served> {
    // A cache may look at its server meanwhile: the lesser of two is what asking costs.
    const nothings = [await this.#between(() => {}), await this.#between(() => {})];
    const idle = (of: 'cpu' | 'bytes' | 'reads') => Math.min(...nothings.map((nothing) => nothing[of]));
    const busy = await this.#between(fn);
    const commands = Object.values(busy.calls).reduce((sum, count) => sum + count, 0);
    const { calls } = busy;
    return {
      commands,
      calls,
      cpu: busy.cpu - idle('cpu'),
      bytes: busy.bytes - idle('bytes'),
      reads: busy.reads - idle('reads'),
    };
  }

  /** The same for each of `count` operations of each contender: the middle of a few rounds. */
  async each(
    runners: Readonly<Record<string, (count: number) => unknown>>,
    count: number,
    rounds = 3,
  ): Promise<Readonly<Record<string, Served>>> {
    const all: Record<string, Served[]> = {};
    for (let round = 0; round < rounds; round++)
      for (const [name, run] of Object.entries(runners)) {
        all[name] ??= [];
        all[name].push(await this.during(() => run(count)));
      }
    const middle = (served: readonly Served[], of: 'commands' | 'cpu' | 'bytes' | 'reads') =>
      median(served.map((one) => one[of])) / count;
    return Object.fromEntries(
      Object.entries(all).map(([name, served]) => [
        name,
        {
          commands: middle(served, 'commands'),
          calls: (served[0] as Served).calls,
          cpu: middle(served, 'cpu'),
          bytes: middle(served, 'bytes'),
          reads: middle(served, 'reads'),
        },
      ]),
    );
  }

  /** Bytes of all that is kept, and how many keys that is. */
  async held(): Promise<{ bytes: number; keys: number }> {
    const info = await this.#redis.info('memory');
    return { bytes: numberIn(info, 'used_memory'), keys: await this.#redis.dbsize() };
  }

  async empty(): Promise<void> {
    await this.#redis.flushall();
  }

  /**
   * As Redis looks to a cache of ours that has worked with it for a while: whatever `delete` of a key raises has its
   * version. In an empty Redis the first reads give them, which only these do.
   */
  async season(name: string): Promise<void> {
    const keys = Array.from({ length: 65_536 }, (_, at) => `${name}:t:{~k${at}}`);
    const parts = Array.from({ length: 16 }, (_, part) => keys.slice(4096 * part, 4096 * (part + 1)));
    for (const part of parts) await this.#redis.mset(...part.flatMap((key) => [key, `v${key}`]));
    // One more makes Redis double its table; that it does step by step, with each look at a key.
    await this.#redis.set(`${name}:p:{0}`, '');
    for (const part of parts) await this.#redis.exists(...part);
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #between(fn: () => unknown): Promise<Omit<Served, 'commands'>> {
    const before = await this.#counters();
    await fn();
    const after = await this.#counters();
    const calls: Record<string, number> = {};
    for (const [name, count] of Object.entries(after.calls)) {
      const more = count - (before.calls[name] ?? 0);
      if (more > 0 && !unrelated.has(name)) calls[name] = more;
    }
    return {
      calls,
      cpu: after.cpu - before.cpu,
      bytes: after.bytes - before.bytes,
      reads: after.reads - before.reads,
    };
  }

  async #counters(): Promise<Omit<Served, 'commands'>> {
    // In one write, and so in one of the reads that are counted.
    const asked = await this.#redis.pipeline().info('cpu').info('stats').info('commandstats').exec();
    const [cpu, stats, commands] = (asked ?? []).map(([, info]) => info) as [string, string, string];
    const calls = [...commands.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, count]) => [name, Number(count)]);
    return {
      calls: Object.fromEntries(calls),
      cpu: (numberIn(cpu, 'used_cpu_user') + numberIn(cpu, 'used_cpu_sys')) * 1e6,
      bytes: numberIn(stats, 'total_net_output_bytes'),
      reads: numberIn(stats, 'total_reads_processed'),
    };
  }
}

/** Once a second a cache looks at the server; that does not belong to what is measured. */
const unrelated = new Set(['info', 'ping', 'time', 'hgetall', 'client|setinfo', 'client|id', 'hello']);

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
}
