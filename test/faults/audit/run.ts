// The long form: npx tsx test/faults/audit/run.ts [--reads 1000000] [--processes 2] [--minutes 15] [--seed 1] [--planted]
// Processes of a small service read and write through the library, on a Redis and a PostgreSQL of their own, and audit each
// of their hits. Prints what the audits found, and ends with 1 when they found what they should not, or not what they should.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { forkTypeScript } from '../../support/fork.js';
import { createDatabase } from '../history/database.js';
import { createTables, flaws } from './shop.js';
import type { Visited } from './visit.js';
import type { Role } from './worker.js';

const { values: given } = parseArgs({
  options: {
    reads: { type: 'string', default: '1000000' },
    processes: { type: 'string', default: '2' },
    minutes: { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
    planted: { type: 'boolean', default: false },
  },
});
const processes = Number(given.processes);
const { services, stop } = await startServices(['postgres', 'redis']);
if (services.postgres === undefined || services.redis === undefined)
  throw new Error('A PostgreSQL and a Redis are needed: npm run setup');
const database = await createDatabase(services.postgres.url, 'audit', 1);
await createTables(database.url.href);

const share = 0.02;
const began = performance.now();
console.log(`${new Date().toISOString()} ${process.argv.slice(2).join(' ')}`);
const progress: number[] = [];
const visits = await Promise.all(Array.from({ length: processes }, (_, i) => run(i)));
const minutes = (performance.now() - began) / 60_000;
await database.drop();
await stop();

const sum = (what: (one: Visited) => number) => visits.reduce((all, one) => all + what(one), 0);
const total = {
  ...{ reads: sum((it) => it.reads), hits: sum((it) => it.hits), writes: sum((it) => it.writes) },
  ...{ audited: sum((it) => it.audited), mismatches: sum((it) => it.mismatches) },
  ...{ undecided: sum((it) => it.undecided), skipped: sum((it) => it.skipped), failed: sum((it) => it.failed) },
};
const found = [...new Set(visits.flatMap((it) => it.found))].sort();
const said = Object.entries(total).map(([what, count]) => `${what} ${count}`);
console.log(
  `${processes} processes, ${minutes.toFixed(1)} min: ${said.join(', ')}; found: ${found.join(', ') || 'nothing'}`,
);
const expected = given.planted ? Object.values(flaws).sort() : [];
process.exitCode = String(found) === String(expected) && total.failed <= total.reads / 10_000 ? 0 : 1;

function run(i: number): Promise<Visited> {
  const role: Role = {
    shop: {
      ...{ postgres: database.url.href, redis: services.redis?.url as string, name: 'audit' },
      planted: given.planted,
    },
    visit: {
      ...{ seed: Number(given.seed) * 100 + i, share },
      ...{ audits: Math.ceil(Number(given.reads) / processes), atMost: Number(given.minutes) * 60_000 },
    },
  };
  const file = fileURLToPath(new URL('./worker.ts', import.meta.url));
  const child = forkTypeScript(file, [JSON.stringify(role)]);
  return new Promise((resolve, reject) => {
    child.on('message', ({ audited, visited }: { audited?: number; visited?: Visited }) => {
      if (visited !== undefined) resolve(visited);
      if (audited !== undefined) progress[i] = audited;
      if (process.stderr.isTTY) process.stderr.write(`\r${progress.join(' ')} `);
    });
    child.once('exit', (code, signal) => reject(new Error(`a process ended with ${code ?? signal}`)));
  });
}
