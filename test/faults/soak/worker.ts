/** A process of a soak: it reads and writes through the cache, says how it is, and must end by itself after `close`. */
import { Random } from '../../transparency/random.js';
import type { Target } from '../history/storage.js';
import type { WriteWay } from '../history/subjects.js';
import { unstale } from '../history/unstale.js';
import { left, vitals } from './vitals.js';

/** What it is started with, as JSON in its first argument. */
export interface Role {
  readonly seed: number;
  readonly rows: number;
  readonly redis: Target;
  readonly reads: string;
  readonly writes: string;
  readonly name: string;
  readonly maxStale: number;
  /** Bytes that it keeps of each read, for ever: the control. */
  readonly keeps: number;
}

export type Order = 'look' | 'close';

/** What it has done so far, and what must not have happened. */
export interface Done {
  readonly reads: number;
  readonly writes: number;
  /** Reads that lacked a write of this process which had been acknowledged before they began. */
  readonly stale: number;
  readonly failures: readonly string[];
}

const role = JSON.parse(process.argv[2] as string) as Role;
const random = new Random(role.seed);
const failures: string[] = [];
const failed = (error: unknown) => {
  if (failures.length < 20) failures.push(String((error as Error)?.stack ?? error).slice(0, 600));
};
const subject = unstale({ ...role, connections: 4, random: () => random.next(), failed });
const kept: Buffer[] = [];
/** What was acknowledged here, by row, and when. */
const newest = new Map<number, { value: number; at: number }>();
let [reads, writes, stale, goes] = [0, 0, 0, true];

process.on('unhandledRejection', failed).on('uncaughtException', failed);
process.on('warning', (warning) => warning.name === 'MaxListenersExceededWarning' && failed(warning));

/** Number n is about n times as rare as the first. */
const pick = () => Math.floor((role.rows + 1) ** random.next());
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function read(): Promise<void> {
  const row = pick();
  const least = newest.get(row);
  const counts = least !== undefined && performance.now() >= least.at + (role.maxStale === 0 ? 0 : role.maxStale + 50);
  try {
    const { values } = await subject.read(row);
    for (const [, value] of values) if (counts && value < least.value) stale++;
    reads++;
    if (role.keeps > 0) kept.push(Buffer.from('x'.repeat(role.keeps)).fill(reads % 256));
  } catch (error) {
    failed(error);
  }
}

async function write(): Promise<void> {
  const how = random.pick<WriteWay>({ statement: 6, raw: 1, transaction: 2, rollback: 1 });
  const written: [number, number][] = [];
  const outcome = await subject.write([pick()], how, (row, value) => written.push([row, value]));
  writes++;
  if (outcome !== 'acknowledged') return;
  for (const [row, value] of written)
    if (value > (newest.get(row)?.value ?? 0)) newest.set(row, { value, at: performance.now() });
}

const repeat = async (fn: () => Promise<void>, pause: number) => {
  for (; goes; await wait(random.next() * 2 * pause)) await fn();
};
const running = Promise.all([...Array.from({ length: 8 }, () => repeat(read, 12)), repeat(write, 18)]);

process.on('message', async (order: Order) => {
  const done = (): Done => ({ reads, writes, stale, failures });
  if (order === 'look') return void process.send?.({ ...vitals(), ...done() });
  goes = false;
  await running;
  await subject.close().catch(failed);
  // A socket that is being ended has some turns of its own.
  for (let n = 0; n < 50 && left().length > 0; n++) await wait(20).then(() => 0);
  process.send?.({ left: left(), ...done() });
  process.disconnect();
});
process.send?.('ready');
