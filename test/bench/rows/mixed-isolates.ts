import { setTimeout } from 'node:timers/promises';
import { type Shared, shared } from '../contenders/shared.js';
import { median, randomFrom, us } from '../harness.js';
import { type Calls, Isolates } from '../isolates.js';
import { profiled } from '../profile.js';
import { atLeast, atMost, type Row } from '../row.js';
import { plainRow } from '../samples.js';
import { Server } from '../server.js';

const isolates = 4;
const callers = 16;
const keys = 100_000;
/** How many of a key's last acknowledgements are remembered. */
const remembered = 8;
const second = `${us}, maxStale: '1s'`;

/** The database, and what was acknowledged: memory that all isolates share, so that nobody has to ask a clock. */
interface Truth {
  /** The version of each key, as committed. */
  readonly committed: Int32Array;
  /** The newest version of each key whose invalidation was acknowledged. */
  readonly acknowledged: Int32Array;
  /** When, in milliseconds, for the last few versions of each key. */
  readonly when: Float64Array;
}

interface Data {
  readonly redis: string;
  readonly names: readonly string[];
  readonly seed: number;
  readonly truths: Readonly<Record<string, Truth>>;
}

interface Call {
  readonly name: string;
  readonly ms: number;
  readonly profile: boolean;
}

interface Told {
  operations: number;
  reads: number;
  stale: number;
  /** Of these, of keys that this isolate had written last. */
  staleOwn: number;
  /** Milliseconds since the acknowledgement of the oldest version that was missing. */
  oldest: number;
  profile: string | undefined;
}

/**
 * 95 reads to 5 writes, keys by Zipf's law, four isolates with 16 callers each. A write commits a version, then
 * invalidates; a load takes a version, then a millisecond. A read is stale when it gives an older version than the one
 * whose invalidation had been acknowledged before the read began.
 */
export const row: Row = {
  needsRedis: true,
  async run({ redis, quick, seed, profile }) {
    const names = ['GET + JSON', us, second, 'layered-loader', 'bentocache', 'cacheable'].filter(
      (name) => !profile || name.startsWith(us),
    );
    const truths = Object.fromEntries(names.map((name) => [name, newTruth()]));
    const data: Data = { redis: redis as string, names, seed, truths };
    const server = new Server(redis as string);
    for (const name of ['strict', 'watched']) await server.season(name);
    const services = await Isolates.start('mixed-isolates', isolates, data);
    const told: Record<string, Told[]> = {};
    const rates: Record<string, number[]> = {};
    const costs: Record<string, number[]> = {};
    const commands: Record<string, number[]> = {};
    const ms = quick ? 150 : 1000;
    const random = randomFrom(seed);
    // Else the first minute is about what a cache does that has just been started in front of an empty Redis.
    if (!quick) for (const name of names) await services.all('fill', name);
    for (let round = 0; round < (quick ? 2 : 7); round++)
      for (const name of names.map((name) => ({ name, lot: random() })).sort((a, b) => a.lot - b.lot)) {
        const call: Call = { ...name, ms, profile: profile && round === 4 };
        const start = process.cpuUsage();
        let all: Told[] = [];
        const served = await server.during(async () => {
          all = await services.all<Told>('work', call);
        });
        const { user, system } = process.cpuUsage(start);
        if (all[0]?.profile !== undefined) console.log(`\n${call.name}\n${all[0].profile}`);
        // Values and connections, and what compiles, in the first.
        if (round === 0) continue;
        const operations = all.reduce((sum, one) => sum + one.operations, 0);
        (told[call.name] ??= []).push(...all);
        (rates[call.name] ??= []).push(operations / (ms / 1000));
        (costs[call.name] ??= []).push((user + system + served.cpu) / operations);
        (commands[call.name] ??= []).push(served.commands / operations);
        if (profile) console.log(call.name, operations, served.calls);
      }
    server.close();
    await services.close();

    const figures = (of: (name: string) => number) => Object.fromEntries(names.map((name) => [name, of(name)]));
    const sum = (name: string, of: 'reads' | 'stale' | 'staleOwn') =>
      (told[name] as Told[]).reduce((sum, one) => sum + one[of], 0);
    const oldest = (name: string) => Math.max(...(told[name] as Told[]).map((one) => one.oldest));
    const faster = (other: string, who = us) =>
      median((rates[who] ?? []).map((rate, round) => rate / (rates[other]?.[round] ?? Number.NaN)));
    const title = 'zipf 95/5, 4 isolates';
    return [
      {
        title: `${title}: operations a second (more is better)`,
        unit: 'ops/s',
        figures: figures((name) => Math.round(median(rates[name] as number[]))),
        targets: [
          atLeast(0.6, '× GET + JSON', faster('GET + JSON')),
          atLeast(2, '× bentocache', faster('bentocache')),
          atLeast(1, "× layered-loader with maxStale: '1s'", faster('layered-loader', second)),
        ],
      },
      {
        title: `${title}: CPU of an operation, Redis included`,
        unit: 'CPU µs',
        figures: figures((name) => median(costs[name] as number[])),
        targets: [],
      },
      {
        title: `${title}: commands of an operation, those inside of scripts included`,
        unit: 'commands',
        figures: figures((name) => median(commands[name] as number[])),
        targets: [],
      },
      {
        title: `${title}: stale reads after an acknowledged invalidation`,
        unit: 'ppm',
        figures: figures((name) => Math.round((1e6 * sum(name, 'stale')) / sum(name, 'reads'))),
        targets: [
          atMost(0, 'stale reads', sum(us, 'stale')),
          atMost(0, "stale reads of an isolate's own writes with maxStale: '1s'", sum(second, 'staleOwn')),
        ],
      },
      {
        title: `${title}: the oldest stale read`,
        unit: 'ms',
        figures: figures(oldest),
        targets: [atMost(1000, "ms with maxStale: '1s'", oldest(second))],
      },
    ];
  },

  async isolate(me: number, { redis, names, seed, truths }: Data): Promise<Calls> {
    const caches: Record<string, Shared> = {};
    for (const name of names) {
      const { committed } = truths[name] as Truth;
      caches[name] = await (shared[name] as (typeof shared)[string])(redis, async (key) => {
        const at = Number(key.slice(5));
        const version = Atomics.load(committed, at);
        await setTimeout(1);
        return { ...plainRow(at), version };
      });
    }
    const random = randomFrom(seed * 1000 + me);
    const draw = zipf(keys, random);
    return {
      async fill(name: string): Promise<void> {
        const own = Array.from({ length: keys / isolates }, (_, at) => `user:${at * isolates + me}`);
        for (let from = 0; from < own.length; from += 64)
          await Promise.all(own.slice(from, from + 64).map((key) => caches[name]?.read(key)));
      },
      async work({ name, ms, profile }: Call): Promise<Told> {
        const told: Told = { operations: 0, reads: 0, stale: 0, staleOwn: 0, oldest: 0, profile: undefined };
        const writing = new Set<number>();
        const one = caller(me, caches[name] as Shared, truths[name] as Truth, { draw, random, writing, told });
        const until = performance.now() + ms;
        const work = async () => {
          await Promise.all(
            Array.from({ length: callers }, async () => {
              while (performance.now() < until) await one();
            }),
          );
        };
        if (profile && me === 0) told.profile = await profiled(work);
        else await work();
        return told;
      },
    };
  },
};

function newTruth(): Truth {
  return {
    committed: new Int32Array(new SharedArrayBuffer(4 * keys)),
    acknowledged: new Int32Array(new SharedArrayBuffer(4 * keys)),
    when: new Float64Array(new SharedArrayBuffer(8 * keys * remembered)),
  };
}

interface Means {
  readonly draw: () => number;
  readonly random: () => number;
  /** Keys that are being written here. */
  readonly writing: Set<number>;
  readonly told: Told;
}

function caller(me: number, cache: Shared, truth: Truth, { draw, random, writing, told }: Means): () => Promise<void> {
  const { committed, acknowledged, when } = truth;

  async function write(drawn: number): Promise<void> {
    // A key is written by one isolate, and by one caller at a time: so its versions are acknowledged in order.
    let at = drawn - (drawn % isolates) + me;
    while (writing.has(at)) at = (at + isolates) % keys;
    writing.add(at);
    const version = Atomics.add(committed, at, 1) + 1;
    await cache.invalidate(`user:${at}`);
    when[at * remembered + (version % remembered)] = now();
    Atomics.store(acknowledged, at, version);
    writing.delete(at);
  }

  async function read(at: number): Promise<void> {
    const least = Atomics.load(acknowledged, at);
    const began = now();
    const { version } = (await cache.read(`user:${at}`)) as { version: number };
    told.reads++;
    if (version >= least) return;
    told.stale++;
    if (at % isolates === me) told.staleOwn++;
    // The first version that was missing; where that was forgotten, the first that was not.
    const missing = Math.max(version + 1, least - remembered + 2);
    told.oldest = Math.max(told.oldest, began - (when[at * remembered + (missing % remembered)] as number));
  }

  return async () => {
    const at = draw();
    await (random() < 0.05 ? write(at) : read(at));
    told.operations++;
  };
}

/** The same clock in all isolates. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Numbers below `count`, the n-th as often as 1/n, spread so that neighbours are not alike. */
function zipf(count: number, random: () => number): () => number {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let at = 0; at < count; at++) sums[at] = sum += 1 / (at + 1);
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < wanted) low = middle + 1;
      else high = middle;
    }
    return (low * 7919) % count;
  };
}
