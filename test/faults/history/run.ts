// The long form: npx tsx test/faults/history/run.ts [--subject unstale] [--seconds 120] [--seeds 1,2,3,4,5]
//   [--redis single|cluster|sentinel] [--faults stop,evict,drop,hang,restart,lose] [--max-stale 0]
//   [--strict] [--outbox]
// Prints a line for each history, and ends with 1 when the library broke a promise, or a wrong cache did not.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { play } from './play.js';
import type { Target } from './storage.js';
import { describeVerdict, holds, serves } from './verdict.js';
import type { Role } from './worker.js';

const { values: given } = parseArgs({
  options: {
    subject: { type: 'string', default: 'unstale' },
    seconds: { type: 'string', default: '120' },
    seeds: { type: 'string', default: '1,2,3,4,5' },
    redis: { type: 'string', default: 'single' },
    faults: { type: 'string' },
    'max-stale': { type: 'string', default: '0' },
    strict: { type: 'boolean', default: false },
    outbox: { type: 'boolean', default: false },
  },
});
const { services, stop } = await startServices(['postgres']);
if (services.postgres === undefined) throw new Error('A PostgreSQL is needed: npm run setup');
let broken = 0;
console.log(`${new Date().toISOString()} ${process.argv.slice(2).join(' ')}`);
for (const seed of given.seeds.split(',').map(Number)) {
  const verdict = await play({
    subject: given.subject as Role['subject'],
    seed,
    seconds: Number(given.seconds),
    redis: given.redis as Target['kind'],
    ...(given.faults === undefined ? {} : { faults: given.faults.split(',').filter(Boolean) }),
    maxStale: Number(given['max-stale']),
    strict: given.strict,
    crashSafe: given.outbox,
    postgres: services.postgres.url,
    tell: (text) => process.stderr.write(`${text} `),
  });
  process.stderr.write('\n');
  const short = Number(given.seconds) < 60;
  const caches = serves(verdict, { strict: given.strict, short, changes: given.redis !== 'single' });
  const keeps = holds(verdict, given.strict) && caches;
  if (keeps !== (given.subject === 'unstale')) broken++;
  console.log(describeVerdict(`${given.subject} on ${given.redis}, seed ${seed}`, verdict));
}
await stop();
process.exitCode = broken === 0 ? 0 : 1;
