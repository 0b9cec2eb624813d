// The long form: npx tsx test/faults/schedules/run.ts [--subject unstale] [--readers 3] [--writers 2] [--random 1000]
//   [--seed 1] [--at-once] [--one-by-one] [--takes 10]
//   [--way 'two queries'|read-through] [--writes transaction]; without --random every order of one reader and one writer. With
//   --at-once reads of one reader may join each other, with --one-by-one the answers to what was sent at once come one by
//   one, and an answer of the database takes --takes milliseconds: from 5 on a load is worth a lease.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import type { ReadWay } from '../history/unstale.js';
import { type Exploration, explore } from './explore.js';

const { values: given } = parseArgs({
  options: {
    subject: { type: 'string', default: 'unstale' },
    readers: { type: 'string', default: '1' },
    writers: { type: 'string', default: '1' },
    random: { type: 'string' },
    most: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    way: { type: 'string', default: 'one query' },
    writes: { type: 'string', default: 'statement' },
    takes: { type: 'string', default: '0' },
    'one-by-one': { type: 'boolean', default: false },
    'at-once': { type: 'boolean', default: false },
  },
});
const { services, stop } = await startServices(['postgres']);
if (services.postgres === undefined) throw new Error('A PostgreSQL is needed: npm run setup');
const { orders, open, digest, hits, violations } = await explore({
  subject: given.subject as Exploration['subject'],
  readers: Number(given.readers),
  writers: Number(given.writers),
  reads: given['at-once'] ? 'at once' : 'in turn',
  way: given.way as ReadWay,
  writes: given.writes as 'statement' | 'transaction',
  oneByOne: given['one-by-one'],
  takes: Number(given.takes),
  orders:
    given.random === undefined
      ? { all: true, most: Number(given.most) }
      : { random: Number(given.random), seed: Number(given.seed) },
  postgres: services.postgres.url,
  tell: (done) => done % 50 === 0 && process.stderr.write(`${done} `),
});
process.stderr.write('\n');
console.log(`${new Date().toISOString()} ${process.argv.slice(2).join(' ')}`);
const rest = open === undefined ? '' : `, ${open} branches open`;
console.log(`${orders} orders${rest}, set ${digest}, ${hits} hits: ${violations.length} violations`);
for (const { order, stale } of violations.slice(0, 3)) console.log(`  ${order.join(' > ')}: ${JSON.stringify(stale)}`);
await stop();
const isFresh = violations.length === 0 && hits > 0;
process.exitCode = isFresh === (given.subject === 'unstale') ? 0 : 1;
