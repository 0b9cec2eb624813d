import { setTimeout } from 'node:timers/promises';
import { type Shared, shared } from '../contenders/shared.js';
import { median, us } from '../harness.js';
import { type Calls, Isolates } from '../isolates.js';
import { atMost, type Row } from '../row.js';
import { plainRow } from '../samples.js';

const isolates = 4;
const callers = 1000;
const loadTakes = 50;
const second = `${us}, maxStale: '1s'`;

interface Data {
  readonly redis: string;
  readonly names: readonly string[];
  /** How many loads there were. */
  readonly loads: Int32Array;
}

interface Call {
  readonly name: string;
  readonly key: string;
  /** In `Date.now()`: when all ask. */
  readonly at: number;
}

/** A thousand callers in four isolates ask for the same missing key, whose load takes 50 ms. */
export const row: Row = {
  needsRedis: true,
  async run({ redis, quick, profile }) {
    const names = Object.keys(shared).filter((name) => !profile || name.startsWith(us));
    const loads = new Int32Array(new SharedArrayBuffer(4));
    const data: Data = { redis: redis as string, names, loads };
    const services = await Isolates.start('stampede-isolates', isolates, data);
    const counts: Record<string, number[]> = {};
    const tails: Record<string, number[]> = {};
    for (let round = 0; round < (quick ? 2 : 12); round++)
      for (const name of names) {
        loads[0] = 0;
        const call: Call = { name, key: `user:${round}`, at: Date.now() + 20 };
        const waits = (await services.all<number[]>('ask', call)).flat().sort((a, b) => a - b);
        // Connections, and what compiles, in the first.
        if (round === 0) continue;
        (counts[name] ??= []).push(loads[0] as number);
        (tails[name] ??= []).push(waits[Math.floor(0.99 * waits.length)] as number);
      }
    await services.close();
    const tail = Object.fromEntries(names.map((name) => [name, median(tails[name] as number[]) - loadTakes]));
    return [
      {
        title: 'stampede of 1,000 over 4 isolates: loads, at most',
        unit: 'loads',
        figures: Object.fromEntries(names.map((name) => [name, Math.max(...(counts[name] as number[]))])),
        targets: [us, second].map((name) => atMost(1, `loads by ${name}`, Math.max(...(counts[name] as number[])))),
      },
      {
        title: 'stampede of 1,000 over 4 isolates: p99 beyond the load itself',
        unit: 'ms',
        figures: tail,
        targets: [atMost(7, 'ms', tail[us] as number)],
      },
    ];
  },

  async isolate(_me: number, { redis, names, loads }: Data): Promise<Calls> {
    const load = async () => {
      Atomics.add(loads, 0, 1);
      await setTimeout(loadTakes);
      return plainRow(1);
    };
    const caches: Record<string, Shared> = {};
    for (const name of names) caches[name] = await (shared[name] as (typeof shared)[string])(redis, load);
    return {
      async ask({ name, key, at }: Call): Promise<number[]> {
        await setTimeout(at - Date.now());
        return Promise.all(
          Array.from({ length: callers / isolates }, async () => {
            const began = performance.now();
            await caches[name]?.read(key);
            return performance.now() - began;
          }),
        );
      },
    };
  },
};
