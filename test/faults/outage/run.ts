// The long form: npx tsx test/faults/outage/run.ts [--seed 1] [--drops 1000]
// Prints what it has measured, and ends with 1 when a figure is missed: those that a quiet machine has to reach.
import { parseArgs } from 'node:util';
import { describeTrend, growthOf } from '../soak/vitals.js';
import { drop } from './drops.js';
import { hang } from './hang.js';
import { describeExtra } from './readers.js';
import { slow } from './slow.js';

const { values: given } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, drops: { type: 'string', default: '1000' } },
});
const seed = Number(given.seed);
let missed = 0;
const say = (what: string, isReached: boolean) => {
  if (!isReached) missed++;
  console.log(`${isReached ? ' ' : '!'} ${what}`);
};

console.log(`${new Date().toISOString()} seed ${seed}`);
for (const maxStale of [0, 200]) {
  const { opened, trusted, errors, before, first, later, noise } = await hang({ seed, seconds: 10, maxStale });
  console.log(`Redis stopped until 10 s after that was known, while 50 readers read, maxStale ${maxStale}`);
  say(`breaker open after ${opened.toFixed(0)} ms, trusted again after ${trusted.toFixed(0)} ms`, opened <= 600);
  say(
    `${errors.length} errors, this process was kept from running for ${noise.toFixed(1)} ms at most`,
    errors.length === 0,
  );
  say(`before: ${describeExtra(before)}`, true);
  say(`until the breaker is open: ${describeExtra(first)}`, first.p99 <= 120);
  say(`later: ${describeExtra(later)}`, trusted <= 1500 && later.p50 <= 2);
}
for (const each of [50, 150]) {
  const { all, late, errors, most } = await slow({ seed, each, seconds: 20, rate: 200 });
  console.log(`${each} ms for each answer, 200 reads and 10 writes begin in each second`);
  say(`${describeExtra(all)}; ${errors.length} errors, ${most} reads at once`, all.p99 <= 120 && errors.length === 0);
  say(`the last third: ${describeExtra(late)}`, late.p99 <= 120);
}
for (const maxStale of [0, 200]) {
  const { drops, reads, stale, errors, strays, trend } = await drop({ drops: Number(given.drops), maxStale });
  console.log(`${drops} times all connections ended, maxStale ${maxStale}`);
  const nothing = stale + errors.length + strays.length === 0;
  say(`${reads} reads, ${stale} stale, ${errors.length} errors, ${strays.length} unhandled`, nothing);
  const grown = growthOf(trend, { mebibytes: 1, handles: 2, listeners: 10 });
  say(describeTrend(trend), grown.length === 0);
}
process.exitCode = missed === 0 ? 0 : 1;
