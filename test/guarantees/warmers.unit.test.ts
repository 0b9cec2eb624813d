import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Cache, Clock, Store, WarmContext } from '../../src/index.js';
import { createCache } from '../../src/index.js';
import { type FakeClock, type FaultyStore, fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { auditAfterEach, partsOf, watch } from '../support/audit.js';
import { effort } from '../support/effort.js';

// Four processes in virtual time, which are stopped and go on at random, and whose way to the store is cut and mended at
// random. Real processes are in `warmers.test.ts`.

auditAfterEach();

const lease = 10_000;
const every = 30_000;

/** A process that can be stopped: time goes on, and its timers fire late, when it goes on. */
class Process {
  readonly clock: Clock;
  readonly store: FaultyStore;
  readonly cache: Cache;
  isStopped = false;
  readonly #late = new Set<() => void>();

  constructor(time: FakeClock, store: FaultyStore) {
    this.clock = {
      now: () => time.now(),
      coarse: () => time.now(),
      after: (ms, fn) => {
        let late = () => {};
        const callOff = time.after(ms, () => {
          if (!this.isStopped) return fn();
          late = () => {
            this.#late.delete(late);
            fn();
          };
          this.#late.add(late);
        });
        return () => {
          callOff();
          this.#late.delete(late);
        };
      },
    };
    this.store = store;
    this.cache = watch(createCache({ store, clock: this.clock }), time);
  }

  /** What it missed happens now, one after the other: the youngest first, so that work comes before what should end it. */
  async goOn(): Promise<void> {
    this.isStopped = false;
    for (const fn of [...this.#late].reverse()) {
      if (this.#late.has(fn)) fn();
      await nextTurn();
    }
  }
}

type Work = (context: Pick<WarmContext, 'each'>) => Promise<void>;
/** Starts the warmer of a process; the way in which this is done is what is tested. */
type Start = (process: Process, work: Work) => void;

const ours: Start = ({ cache }, work) => void cache.warm('w', { every, lease, concurrency: 1, run: work });

/** Without looking at anything: one after the other. */
const each: WarmContext['each'] = async (items, work) => {
  for (const item of items) await work(item);
};

/** A warmer as it is written in a hurry; `mayRun` gives the right to one cycle, and what to do at its end. */
const naive =
  (mayRun: (process: Process) => Promise<(() => void) | undefined>): Start =>
  (process, work) => {
    const { clock } = process;
    const cycle = async () => {
      const done = await mayRun(process).catch(() => undefined);
      if (done !== undefined) await work({ each }).finally(done);
      if (!partsOf(process.cache).closed) clock.after(every, () => void cycle());
    };
    clock.after(Math.random() * every, () => void cycle());
  };

const naiveWays: Record<string, Start> = {
  'asks nobody': naive(async () => () => {}),
  'takes a lease and does not renew it': naive(async ({ cache }) => {
    const taken = await partsOf(cache).session.lease('w', lease);
    return taken && (() => taken.release());
  }),
  'renews its lease and does not look whether that has worked': naive(async ({ cache, clock }) => {
    const taken = await partsOf(cache).session.lease('w', lease);
    if (taken === undefined) return undefined;
    let stop = () => {};
    const renew = () => {
      taken.renew(lease).catch(() => {});
      stop = clock.after(lease / 3, renew);
    };
    renew();
    return () => {
      stop();
      taken.release();
    };
  }),
};

/** Leases end by the clock of whoever has opened the store first: by one that nobody stops. */
function serve(store: Store, clock: FakeClock): void {
  watch(createCache({ store, clock }), clock);
}

/** Plays until so many cycles have begun; how often one worked while another did, and how many there were. */
async function play(start: Start, cycles: number) {
  const time = fakeClock();
  const memory = memoryStore({ maxEntries: 100, maxVersions: 100 });
  serve(memory, time);
  const processes = Array.from({ length: 4 }, () => new Process(time, faultyStore(memory)));
  /** The cycle that has made the last step, and whether it has ended. */
  let last = { id: 0, ended: true };
  const passed = new Set<number>();
  const counts = { cycles: 0, overlaps: 0, takeovers: 0, stops: 0, cuts: 0 };
  let leader: Process | undefined;
  for (const process of processes)
    start(process, async ({ each }) => {
      const own = { id: ++counts.cycles, ended: false };
      // Begun while another still worked: it was neither stopped nor told to end.
      if (leader !== process) counts.takeovers++;
      leader = process;
      const steps = Array.from({ length: 3 + Math.floor(Math.random() * 12) }, (_, i) => i);
      try {
        await each(steps, async () => {
          if (last !== own && !last.ended) passed.add(last.id);
          // Another has worked since this one did, and it goes on all the same.
          if (passed.has(own.id)) counts.overlaps++;
          last = own;
          await new Promise<void>((resolve) => process.clock.after(1000, resolve));
        });
      } finally {
        own.ended = true;
      }
    });
  while (counts.cycles < cycles && time.now() < cycles * every * 10) {
    await time.advance(1000);
    const process = processes[Math.floor(Math.random() * 4)] as Process;
    const dice = Math.random();
    if (dice < 0.03 && !process.isStopped) {
      counts.stops++;
      process.isStopped = true;
    } else if (dice < 0.12 && process.isStopped) await process.goOn();
    else if (dice > 0.98) {
      counts.cuts++;
      process.store.down();
    } else if (dice > 0.9) process.store.up();
  }
  for (const process of processes) {
    process.store.up();
    await process.goOn();
  }
  await Promise.all(processes.map(({ cache }) => cache.close({ timeout: 0 }).catch(() => {})));
  // What pays no heed to its end comes to it.
  await time.advance(10 * 60_000);
  return counts;
}

test('0 overlaps in 1,000 cycles of four processes that are stopped and cut off at random', async () => {
  const { cycles, overlaps, takeovers, stops, cuts } = await play(ours, 1000);
  expect(overlaps).toBe(0);
  expect(cycles).toBeGreaterThanOrEqual(1000);
  // It was no idle time.
  expect(Math.min(takeovers, stops, cuts)).toBeGreaterThan(50);
}, 60_000);

for (const [way, start] of Object.entries(naiveWays))
  test(`one that ${way} overlaps`, async () => {
    expect((await play(start, 200)).overlaps).toBeGreaterThan(0);
  }, 60_000);

/**
 * Kills the leader at a random moment of its life: so many milliseconds later, does another one lead, and has it begun
 * the cycle that was cut off?
 */
async function takesOver(within: number, promised: number, trip: number): Promise<boolean> {
  const time = fakeClock();
  const memory = memoryStore();
  serve(memory, time);
  const processes = Array.from({ length: 4 }, () => new Process(time, faultyStore(memory, { delay: trip })));
  let last: { readonly process: Process; ended: boolean } | undefined;
  const warmers = processes.map((process) =>
    process.cache.warm('w', {
      ...{ every, lease: within, concurrency: 1 },
      run: async ({ each }) => {
        const own = { process, ended: false };
        last = own;
        await each([1, 2, 3, 4, 5], () => new Promise<void>((resolve) => process.clock.after(2000, resolve)));
        own.ended = true;
      },
    }),
  );
  const leads = (i: number) => ['waiting', 'running'].includes(warmers[i]?.state.phase ?? '');
  while (last === undefined) await time.advance(within);
  await time.advance(Math.random() * 3 * every);
  const killed = processes.findIndex((_, i) => leads(i));
  const process = processes[killed] as Process;
  const wasWorking = last.process === process && !last.ended;
  process.isStopped = true;
  process.store.down();
  await time.advance(promised);
  const isTaken = processes.some((_, i) => i !== killed && leads(i));
  const isWorking = !wasWorking || last.process !== process;
  await Promise.all(processes.map(({ cache }) => cache.close({ timeout: 0 }).catch(() => {})));
  process.isStopped = false;
  await time.advance(every);
  return isTaken && isWorking;
}

/** How many of so many leaders had no successor in time. */
async function late(count: number, within: number, promised: number, trip: number): Promise<number> {
  let result = 0;
  for (let at = 0; at < count; at++) if (!(await takesOver(within, promised, trip))) result++;
  return result;
}

test.each([
  ['takes no time', 0],
  ['takes a hundredth of the lease', lease / 100],
])(
  'killed at any moment, a leader has a successor within the lease, where a trip to the store %s',
  async (_, trip) => {
    expect(await late(effort(100), lease, lease, trip)).toBe(0);
  },
  60_000,
);

test('one whose lease itself lives as long as was promised has not', async () => {
  // A leader's lease lives for three quarters of `lease`: here for all of what is promised.
  expect(await late(40, lease / 0.75, lease, 0)).toBeGreaterThan(0);
}, 60_000);
