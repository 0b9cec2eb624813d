// The long form: npx tsx test/faults/crowd/run.ts [--keys 1000000] [--times 1]
// Prints what it has measured, and ends with 1 when a figure is missed: those that a quiet machine has to reach.
import { parseArgs } from 'node:util';
import { type Herd, herd } from './herd.js';
import { hot } from './hot.js';
import { many } from './many.js';

const { values: given } = parseArgs({
  options: { keys: { type: 'string', default: '1000000' }, times: { type: 'string', default: '1' } },
});
let missed = 0;
const say = (what: string, isReached: boolean) => {
  if (!isReached) missed++;
  console.log(`${isReached ? ' ' : '!'} ${what}`);
};

console.log(new Date().toISOString());
for (const isKnown of [true, false])
  for (const killedAt of [undefined, 0.5, 0.9])
    for (const loading of [100, 500, 2000]) {
      const times = Array.from({ length: Number(given.times) });
      const all: Herd[] = [];
      for (const _ of times) all.push(await herd({ processes: 8, readers: 100, loading, killedAt, isKnown }));
      const loads = Math.max(...all.map((it) => it.loads));
      const slowest = Math.max(...all.map((it) => it.slowest));
      const what = `8 processes of 100 readers, a load of ${loading} ms${isKnown ? '' : ' that nobody knows'}`;
      const then = killedAt === undefined ? '' : `, whose process is killed after ${loading * killedAt} ms`;
      say(
        `${what}${then}: ${loads} loads, the slowest reader ${slowest.toFixed(0)} ms`,
        loads <= (killedAt === undefined ? 1 : 2) && slowest <= 2 * loading + 150,
      );
    }
for (const maxStale of [200, 1000]) {
  const { loads, reads, commands } = await hot({ maxStale, seconds: 10 });
  const what = `10,000 readers of one key at a time, maxStale ${maxStale}: ${reads} reads`;
  say(`${what}, ${loads} load, ${commands.toFixed(2)} commands in each ${maxStale} ms`, loads === 1 && commands <= 2);
}
for (const mebibytes of [64, 256]) {
  const { entries, told, held } = await many({ keys: Number(given.keys), limit: mebibytes * 2 ** 20 });
  const inMiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const what = `${given.keys} keys with a tag each, maxBytes ${mebibytes} MiB: ${entries} entries`;
  say(`${what}, stats().bytes ${inMiB(told)}, heap ${inMiB(held)}`, held <= 1.1 * mebibytes * 2 ** 20);
}
process.exitCode = missed === 0 ? 0 : 1;
