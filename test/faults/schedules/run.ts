// The long form: npx tsx test/faults/schedules/run.ts [--subject unstale] [--readers 3] [--writers 2] [--random 1000]
//   [--seed 1] [--at-once]; without --random every order of one reader and one writer; --at-once lets reads of one reader
//   join each other.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { type Exploration, explore } from './explore.js';

const { values: given } = parseArgs({
  options: {
    subject: { type: 'string', default: 'unstale' },
    readers: { type: 'string', default: '1' },
    writers: { type: 'string', default: '1' },
    random: { type: 'string' },
    most: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'boolean', default: false },
  },
});
const { services, stop } = await startServices(['postgres']);
if (services.postgres === undefined) throw new Error('A PostgreSQL is needed: npm run setup');
const { orders, complete, violations } = await explore({
  subject: given.subject as Exploration['subject'],
  readers: Number(given.readers),
  writers: Number(given.writers),
  reads: given['at-once'] ? 'at once' : 'in turn',
  orders:
    given.random === undefined
      ? { all: true, most: Number(given.most) }
      : { random: Number(given.random), seed: Number(given.seed) },
  postgres: services.postgres.url,
  tell: (done) => done % 50 === 0 && process.stderr.write(`${done} `),
});
process.stderr.write('\n');
console.log(`${new Date().toISOString()} ${process.argv.slice(2).join(' ')}`);
console.log(`${orders} orders${complete ? ', all there are' : ''}: ${violations.length} violations`);
for (const { order, stale } of violations.slice(0, 3)) console.log(`  ${order.join(' > ')}: ${JSON.stringify(stale)}`);
await stop();
process.exitCode = violations.length > 0 === (given.subject === 'unstale') ? 1 : 0;
