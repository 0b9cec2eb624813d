// The long form: npx tsx test/faults/proxy/run.ts [--seconds 20] [--seed 1]
// A history behind a proxy for each thing that matters and is hidden, by both versions of ioredis, at maxStale 0 and 200 ms; ends
// with 1 when a promise was broken.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { describeVerdict, holds } from '../history/verdict.js';
import type { Hidden } from './hiding.js';
import { type Library, libraries, playHidden } from './play.js';

const { values: given } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
});
const { services, stop } = await startServices(['postgres']);
if (services.postgres === undefined) throw new Error('A PostgreSQL is needed: npm run setup');
const { url: postgres } = services.postgres;
console.log(`${new Date().toISOString()} ${given.seconds} s each, seed ${given.seed}`);
/** What changes how the store works; the short form has the rest. */
const sets: (readonly Hidden[])[] = [
  ['CLIENT TRACKING'],
  ['CLIENT TRACKING with REDIRECT'],
  ['the messages of CLIENT TRACKING'],
  ['INFO'],
  ['INFO', 'CLIENT TRACKING'],
];
let broken = 0;
for (const library of Object.keys(libraries) as Library[])
  for (const maxStale of [0, 200])
    for (const hidden of sets) {
      const plan = { seed: Number(given.seed), seconds: Number(given.seconds), maxStale, postgres };
      const verdict = await playHidden(plan, hidden, library);
      if (!holds(verdict)) broken++;
      console.log(describeVerdict(`${library}, maxStale ${maxStale}, without ${hidden.join(' and ')}`, verdict));
    }
await stop();
process.exitCode = broken === 0 ? 0 : 1;
