// The long form: npx tsx --tsconfig /dev/null test/faults/commit/run.ts [--writes 200] [--by knex,pg,…]
// Without `--tsconfig`, Prisma's own modules are taken for the types of them that the project has.
// Prints a line for each adapter, and ends with 1 when something was stale, or failed otherwise than as unknown.
import { parseArgs } from 'node:util';
import { startServices } from '../../services/index.js';
import { countsIn } from './database.js';
import { lose } from './lose.js';
import { writers } from './writers.js';

const { values: given } = parseArgs({
  options: {
    writes: { type: 'string', default: '200' },
    by: { type: 'string', default: Object.keys(writers).join(',') },
  },
});
const { services, missing, stop } = await startServices(['postgres', 'mysql']);
for (const text of missing) console.log(`missing ${text}`);
console.log(`${new Date().toISOString()} ${given.writes} writes by each`);
let broken = 0;
for (const by of given.by.split(',')) {
  const { database } = writers[by] as (typeof writers)[string];
  const url = services[database]?.url;
  if (url === undefined) continue;
  const counts = await countsIn(database, url, by, Number(given.writes));
  const { writes, carriedOut, misnamed, window, stale, unhandled } = await lose({ by, ...counts });
  await counts.drop();
  broken += misnamed.length + stale + unhandled.length;
  console.log(
    `${by}: ${writes} answers lost, ${carriedOut} writes carried out, ${writes - misnamed.length} CommitUnknownError; ${window} of ${2 * writes} reads old before the second invalidation, ${stale} after it; ${unhandled.length} unhandled`,
  );
  for (const text of misnamed.slice(0, 3)) console.log(`  ${text}`);
}
await stop();
process.exitCode = broken === 0 ? 0 : 1;
