import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../services/server-process.js';
import { Random } from '../../transparency/random.js';
import { now } from '../history/events.js';
import { aStage, ids, type Place, pace, type Stage } from './stage.js';

export interface Plan extends Place {
  readonly seed: number;
  /** Updates whose lag is measured. */
  readonly updates: number;
  /** How often the feed's connection is ended, and how often it dies without a word. */
  readonly cuts: number;
  /** How often the process with the feed is killed. */
  readonly kills: number;
}

/** What became of writes by a program that knows nothing of a cache. Times are milliseconds. */
export interface Verdict {
  /** Rows that a second after their update were still old, before there was a feed. */
  readonly unheard: number;
  /** From when the program was given an update until the process with the feed had it. */
  readonly lags: readonly number[];
  /** The same of updates right after the feed's connection was ended, and after it died without a word. */
  readonly ended: readonly number[];
  readonly died: readonly number[];
  /** How often the feed has told that it hears nothing. */
  readonly lost: number;
  /** What the program wrote while the process with the feed was killed and started, again and again. */
  readonly writes: number;
  /** Old rows that another process got out of Redis: while nobody listened, and once the next feed was ready. */
  readonly staleBefore: number;
  readonly staleAfter: number;
  /** How long after it was ready nobody could get anything older than that. */
  readonly ready: readonly number[];
  /** Rows that were old when all was over. */
  readonly left: number;
}

/** Within what a write is seen after the feed's connection was ended, and after it died without a word. Milliseconds. */
export function boundsOf(client: Place['client']): { readonly ended: number; readonly died: number } {
  // Not to count what is left to do: to connect, which follows a pause of 50 ms, and to make known.
  const rest = 500;
  if (client === 'pg') return { ended: rest, died: 2 * pace.heartbeat + rest };
  return { ended: 2 * pace.every + rest, died: 2 * pace.every + pace.timeout + rest };
}

export async function play(plan: Plan): Promise<Verdict> {
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const stage = await aStage(ends, plan);
    const random = new Random(plan.seed);
    const unheard = await withoutFeed(stage);
    const seen = await withFeed(stage, plan, random);
    return { unheard, ...seen, ...(await withKills(stage, plan, random)) };
  } finally {
    // What was opened last ends first, and what does not end keeps nothing else.
    for (const end of ends.reverse()) await end().catch(() => {});
  }
}

/** Nobody tells Redis, so what is there stays. */
async function withoutFeed({ ledger, old }: Stage): Promise<number> {
  await old();
  for (const id of ids) await ledger.write(id);
  await sleep(1000);
  return old();
}

async function withFeed({ begin, ledger, outsider, wire }: Stage, { client, updates, cuts }: Plan, random: Random) {
  const listening = await begin();
  const lagAfter = async (cut = async () => {}, mend = () => {}) => {
    const id = random.one(ids);
    const { seen } = await listening.watch({ id, amount: ledger.last + 1 });
    await cut();
    const given = now();
    await ledger.write(id);
    mend();
    return ((await seen) - given) / 1000;
  };
  /** Comes back when it has none and gets no other one, so that what is written next is told to nobody. */
  const end = async () => {
    wire.hold('requests');
    if (client === 'pg') await outsider.run(terminate);
    else wire.reset();
  };
  const [lags, ended, died]: [number[], number[], number[]] = [[], [], []];
  for (let i = 0; i < updates; i++) {
    // Not in step with a feed that looks now and then.
    await sleep(random.below(20));
    lags.push(await lagAfter());
  }
  for (let i = 0; i < cuts; i++) {
    ended.push(await lagAfter(end, wire.flow));
    died.push(await lagAfter(async () => wire.strand()));
    wire.flow();
  }
  const { lost } = listening;
  await listening.kill();
  return { lags, ended, died, lost };
}

/** Waits until they are gone. */
const terminate =
  "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'feed' and datname = current_database()";

/** The program goes on writing, whether anybody listens or not. */
async function withKills({ begin, ledger, old }: Stage, { kills }: Plan, random: Random) {
  let listening = await begin();
  const first = ledger.last;
  let goes = true;
  const going = (async () => {
    for (; goes; await sleep(random.below(10))) await ledger.write(random.one(ids));
  })();
  going.catch(() => {});
  const ready: number[] = [];
  let [staleBefore, staleAfter] = [0, 0];
  try {
    for (let i = 0; i < kills; i++) {
      await old();
      await sleep(random.below(100));
      await listening.kill();
      const unheard = ledger.last + 10 + random.below(40);
      await until('enough is written that nobody hears of', async () => ledger.last >= unheard);
      staleBefore += await old();
      const known = new Map(ledger.amounts);
      listening = await begin();
      const [began, byThen] = [performance.now(), new Map(ledger.amounts)];
      staleAfter += await old(known);
      while ((await old(byThen)) > 0 && performance.now() - began < patience) await sleep(5);
      ready.push(performance.now() - began);
    }
  } finally {
    goes = false;
    await going;
  }
  await sleep(1000);
  return { writes: ledger.last - first, staleBefore, staleAfter, ready, left: await old() };
}

const patience = 10_000;

/** A line about it. */
export function described(title: string, verdict: Verdict): string {
  const { unheard, lags, ended, died, lost, writes, staleBefore, staleAfter, ready, left } = verdict;
  return [
    `${title}: without a feed ${unheard} of ${ids.length} rows old after a second; ${lags.length} updates seen after ${times(lags)}`,
    `  connection ended: seen after ${times(ended)}; died without a word: ${times(died)}; told ${lost} times`,
    `  ${ready.length} kills during ${writes} updates: ${staleBefore} old rows out of Redis before the next feed was ready, ${staleAfter} after; all that was written by then seen ${times(ready)} later; ${left} old at the end`,
  ].join('\n');
}

/** The middle one, that which one in a hundred is above, and the longest. */
function times(ms: readonly number[]): string {
  const sorted = [...ms].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]?.toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms`;
}
