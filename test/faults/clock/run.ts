// The long form: npx tsx test/faults/clock/run.ts [--seconds 60] [--seeds 1,2]
// Prints a line for each history, and ends with 1 when a promise was broken.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { describeVerdict, holds } from '../history/verdict.js';
import { libfaketime, playFaked, playShifted } from './play.js';

const { values: given } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seeds: { type: 'string', default: '1,2' } },
});
const { services, stop } = await startServices(['postgres']);
if (services.postgres === undefined) throw new Error('A PostgreSQL is needed: npm run setup');
console.log(`${new Date().toISOString()} ${given.seconds} s, seeds ${given.seeds}`);
if (libfaketime === undefined) console.log('no faketime on this machine: apt-get install faketime');
let broken = 0;
for (const seed of given.seeds.split(',').map(Number))
  for (const [name, run] of [
    ['Date shifted', playShifted],
    ...(libfaketime === undefined ? [] : ([['faketime', playFaked]] as const)),
  ] as const) {
    const { shifts, ...verdict } = await run({ seed, seconds: Number(given.seconds), postgres: services.postgres.url });
    const hours = Object.entries(shifts).map(([at, by]) => `process ${at} by ${by.join(', then ')} h`);
    if (!holds(verdict) || !shifts[0]?.includes(1) || !shifts[1]?.includes(-1)) broken++;
    console.log(describeVerdict(`${name} (${hours.join(', ')}), seed ${seed}`, verdict));
  }
await stop();
process.exitCode = broken === 0 ? 0 : 1;
