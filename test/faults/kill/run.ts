// The long form: npx tsx test/faults/kill/run.ts [--kills 200] [--lanes 4] [--client pg|mysql2] [--no-outbox]
// Ends with 1 when a value outlived its writer by more than the interval of the relay and half a second, or, without an
// outbox, when none did.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { described, patience, play } from './play.js';
import type { Role } from './writer.js';

const { values: given } = parseArgs({
  allowNegative: true,
  options: {
    kills: { type: 'string', default: '200' },
    lanes: { type: 'string', default: '4' },
    client: { type: 'string', default: 'pg' },
    outbox: { type: 'boolean', default: true },
  },
});
const client = given.client as Role['client'];
const server = client === 'pg' ? 'postgres' : 'mysql';
const { services, stop } = await startServices(['redis', server]);
const [redis, database] = [services.redis, services[server]];
if (redis === undefined || database === undefined) throw new Error(`A Redis and a ${server} are needed: npm run setup`);
const verdict = await play({
  ...{ kills: Number(given.kills), lanes: Number(given.lanes), client, outbox: given.outbox },
  server: database.url,
  redis: Number(new URL(redis.url).port),
});
await stop();
const late = verdict.ended.filter((ms) => ms >= patience).length;
const fits = given.outbox ? late + verdict.again + verdict.left === 0 : late > 0;
console.log(`${new Date().toISOString()} ${process.argv.slice(2).join(' ')}`);
console.log(described(`${client}, ${given.outbox ? 'with' : 'without'} an outbox`, verdict));
process.exitCode = fits && verdict.stale > 0 ? 0 : 1;
