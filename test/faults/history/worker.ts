import Knex from 'knex';
import { Random } from '../../transparency/random.js';
import { type Event, now, writeEvents } from './events.js';
import { type Flaw, naive } from './naive.js';
import { naiveStrict, type StrictFlaw, strictFlaws } from './naive-strict.js';
import type { Target } from './storage.js';
import { type Subject, select, type WriteWay } from './subjects.js';
import { unstale } from './unstale.js';

/** What a process of a history is started with, as JSON in its first argument. */
export interface Role {
  readonly file: string;
  readonly subject: 'unstale' | Flaw | StrictFlaw;
  readonly seed: number;
  readonly rows: number;
  readonly readers: number;
  readonly writers: number;
  /** Milliseconds between two things that a reader or writer does, on average. */
  readonly pause: { readonly read: number; readonly write: number };
  /** Writes for each read, at most: a slow machine is not to write more than it reads. */
  readonly share: number;
  readonly redis: Target;
  readonly reads: string;
  readonly writes: string;
  readonly name: string;
  readonly maxStale: number;
  readonly strict: boolean;
  readonly crashSafe: boolean;
}

/** How many reads it takes to hear that there were so many. */
export const portion = 25;

/**
 * `warm` reads every row, uncounted; `run` begins; `finish` ends what runs; `settle` waits until all is made known; `look`
 * reads every row once more.
 */
export type Order = 'warm' | 'run' | 'finish' | 'settle' | 'look' | 'close';

const role = JSON.parse(process.argv[2] as string) as Role;
const { rows } = role;
const random = new Random(role.seed);
const events = writeEvents(role.file);
const options = { ...role, random: () => random.next(), failed: (error: unknown) => failed('process', error) };
const isStrictFlaw = (name: string): name is StrictFlaw => (strictFlaws as readonly string[]).includes(name);
const subjectOf = (name: Role['subject']): Subject => {
  if (name === 'unstale') return unstale(options);
  return isStrictFlaw(name) ? naiveStrict(name, options) : naive(name, options);
};
const subject = subjectOf(role.subject);
const probe = Knex({ client: 'pg', connection: role.reads, pool: { min: 0, max: 1 } });
let goes = false;
const count = { reads: 0, writes: 0 };
let running: Promise<unknown> = Promise.resolve();

process.on('unhandledRejection', (error) => failed('process', error));
process.on('uncaughtException', (error) => failed('process', error));
const failed = (what: 'read' | 'write' | 'process', error: unknown) =>
  events.add({ type: 'failed', what, ended: now(), why: String((error as Error)?.stack ?? error).slice(0, 600) });

/** Number n is about n times as rare as the first. */
const pick = () => Math.floor((rows + 1) ** random.next());
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function reads(row: number, more: Partial<Event> = {}): Promise<void> {
  const begun = now();
  try {
    const { values, hit } = await subject.read(row);
    const ended = now();
    for (const [of, value] of values)
      events.add({
        type: 'read',
        begun,
        ended,
        row: of,
        value,
        ...(hit === undefined ? {} : { hit }),
        ...more,
      } as Event);
  } catch (error) {
    failed('read', error);
  }
}

async function writes(): Promise<void> {
  const how = random.pick<WriteWay>({ statement: 6, raw: 1, transaction: 2, rollback: 1 });
  const wanted = how === 'transaction' || how === 'rollback' ? [...new Set([pick(), pick()])] : [pick()];
  const written: [number, number][] = [];
  const outcome = await subject.write(wanted, how, (row, value) => written.push([row, value]));
  const ended = now();
  for (const [row, value] of written) events.add({ type: 'write', ended, row, value, outcome });
}

async function probes(): Promise<void> {
  const row = pick();
  const begun = now();
  const value = await select(probe, row);
  events.add({ type: 'read', begun, ended: now(), row, value, probe: true });
}

async function repeat(fn: () => Promise<void>, pause: () => number): Promise<void> {
  while (goes) {
    await fn();
    await wait(pause());
  }
}

async function read(): Promise<void> {
  await reads(pick());
  if (++count.reads % portion === 0) process.send?.({ reads: portion });
}

async function write(): Promise<void> {
  while (goes && count.writes > count.reads * role.share) await wait(5);
  count.writes++;
  await writes();
}

const orders: Record<Order, () => Promise<unknown>> = {
  async warm() {
    for (let row = 1; row <= rows; row += 20)
      await Promise.all(Array.from({ length: Math.min(20, rows + 1 - row) }, (_, i) => subject.read(row + i)));
  },
  async run() {
    goes = true;
    const readers = Array.from({ length: role.readers }, () => repeat(read, () => random.next() * 2 * role.pause.read));
    const writers = Array.from({ length: role.writers }, () =>
      repeat(write, () => random.next() * 2 * role.pause.write),
    );
    running = Promise.all([...readers, ...writers, repeat(probes, () => 5)]);
  },
  finish() {
    goes = false;
    return running;
  },
  settle: () => subject.settled(),
  async look() {
    for (let row = 1; row <= rows; row++) await reads(row, { final: true } as Partial<Event>);
  },
  async close() {
    await Promise.all([subject.close(), probe.destroy()]);
    events.close();
    setImmediate(() => process.disconnect());
  },
};

process.on('message', (order: Order) => {
  orders[order]().then(
    () => process.send?.({ done: order }),
    (error) => process.send?.({ done: order, error: String(error?.stack ?? error) }),
  );
});
process.send?.({ done: 'start' });
