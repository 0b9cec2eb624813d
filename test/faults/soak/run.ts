// The long form: npx tsx test/faults/soak/run.ts [--minutes 10] [--seed 1] [--max-stale 0]
// Prints a line for each process, and ends with 1 when something grew, was stale, failed or was left over.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { soak } from './play.js';
import { describeTrend, growthOf } from './vitals.js';

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    'max-stale': { type: 'string', default: '0' },
  },
});
const { services, stop } = await startServices(['postgres']);
if (services.postgres === undefined) throw new Error('A PostgreSQL is needed: npm run setup');
const seed = Number(given.seed);
console.log(`${new Date().toISOString()} ${given.minutes} min, seed ${seed}, maxStale ${given['max-stale']}`);
const struck = new Map<string, number>();
const soaked = await soak({
  ...{ seed, seconds: Number(given.minutes) * 60, every: 5, rows: 300, maxStale: Number(given['max-stale']) },
  postgres: services.postgres.url,
  tell: (fault) => struck.set(fault, (struck.get(fault) ?? 0) + 1),
});
let broken = 0;
for (const [i, it] of soaked.entries()) {
  const wrong = [
    ...growthOf(it.trend, { mebibytes: 2, handles: 6, listeners: 60 }),
    ...it.failures,
    ...it.left.map((kind) => `${kind} left after close`),
    ...(it.stale > 0 ? [`${it.stale} stale reads`] : []),
    ...(it.exit === 0 ? [] : [`it ended with ${it.exit}`]),
  ];
  broken += wrong.length;
  console.log(
    `process ${i}: ${it.reads} reads, ${it.writes} writes, ${it.stale} stale; ${it.samples} samples, ${describeTrend(it.trend)}; ${it.left.length} handles left after close, exit ${it.exit}`,
  );
  for (const text of wrong) console.log(`  ${text}`);
}
console.log([...struck].map(([fault, times]) => `${fault} ${times}`).join(', '));
await stop();
process.exitCode = broken === 0 ? 0 : 1;
