// The long form: npx tsx test/faults/feed/run.ts [--updates 200] [--cuts 10] [--kills 20] [--client pg,mysql2] [--seed 1]
// Ends with 1 when something written by psql or MariaDB's client outlived the feed's bounds, or did not without a feed.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { boundsOf, described, play } from './play.js';
import { ids, type Place } from './stage.js';

const { values: given } = parseArgs({
  options: {
    updates: { type: 'string', default: '200' },
    cuts: { type: 'string', default: '10' },
    kills: { type: 'string', default: '20' },
    client: { type: 'string', default: 'pg,mysql2' },
    seed: { type: 'string', default: '1' },
  },
});
const { services, missing, stop } = await startServices(['redis', 'postgres', 'mysql', 'psql', 'mysqlClient']);
const { redis, postgres, mysql, psql, mysqlClient } = services;
if (!redis || !postgres || !mysql || !psql || !mysqlClient) throw new Error(missing.join('\n'));
const places = {
  pg: { title: 'psql, by listen', server: postgres.url, program: psql.program },
  mysql2: { title: 'mariadb, by poll', server: mysql.url, program: mysqlClient.program },
};
const [updates, cuts, kills, seed] = [given.updates, given.cuts, given.kills, given.seed].map(Number) as [
  ...[number, number, number, number],
];
console.log(`${new Date().toISOString()} seed ${seed}`);
let broken = 0;
for (const client of given.client.split(',') as Place['client'][]) {
  const { title, ...place } = places[client];
  const redisPort = Number(new URL(redis.url).port);
  const verdict = await play({ client, ...place, redis: redisPort, seed, updates, cuts, kills });
  const bounds = boundsOf(client);
  console.log(described(title, verdict));
  const late = [...verdict.ended.filter((ms) => ms >= bounds.ended), ...verdict.died.filter((ms) => ms >= bounds.died)];
  const isShown = verdict.unheard === ids.length && verdict.staleBefore > 0;
  if (!isShown || late.length + verdict.staleAfter + verdict.left > 0) broken++;
}
await stop();
process.exitCode = broken === 0 ? 0 : 1;
