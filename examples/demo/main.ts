// The main job of `unstale` in half a minute or so, on a real PostgreSQL: what a cache saves, and what it must not cost.
// Start it with `npm run demo`; `npm run demo -- --seed 7` repeats a race.
import { parseArgs } from 'node:util';
import { startPostgres } from '../../test/services/postgres.js';
import { MissingServerError } from '../../test/services/programs.js';
import { startRedis } from '../../test/services/redis.js';
import { loadData } from './data.js';
import { Database } from './database.js';
import { atTheEnd, endAll, endOnSignals, wasInterrupted } from './ending.js';
import { measure } from './measure.js';
import type { Tally } from './race/play.js';
import { inProcesses, inThisProcess } from './race/race.js';
import { type SubjectName, subjectNames } from './race/subjects.js';
import { businessUnits } from './stories/business-units.js';
import { capabilityTree } from './stories/capability-tree.js';
import { listPage } from './stories/list-page.js';
import { nodeLookups } from './stories/node-lookups.js';
import { teamDashboard } from './stories/team-dashboard.js';
import { sayFigures, sayTallies } from './table.js';
import { heading, number, paint, say, step, working } from './terminal.js';
import { updateOneRow } from './update.js';

const stories = [capabilityTree, businessUnits, listPage, teamDashboard, nodeLookups];
const started = performance.now();

const seed = seedOf(process.argv.slice(2));
endOnSignals();
try {
  const { postgresUrl, redisUrl } = await startServers();
  const db = new Database(postgresUrl, 30);
  atTheEnd(() => db.close());
  await step(
    'data',
    (tell) => loadData(db.plain, tell),
    (rows) => `${number(rows)} rows in 7 tables`,
  );
  await tellStories(db, redisUrl);
  sayWhatNext([...(await showAnUpdate(db)), ...(await holdRaces(db, postgresUrl, redisUrl, seed))]);
} catch (error) {
  if (!wasInterrupted()) {
    say(
      paint(
        'red',
        `\nThe demo failed. ${error instanceof MissingServerError ? error.message : (error as Error).stack}`,
      ),
    );
    process.exitCode = 1;
  }
} finally {
  await endAll();
}

/** The seed of the race; ends the demo when it was asked for in a way that nobody understands. */
function seedOf(args: string[]): number {
  try {
    const { seed } = parseArgs({ args, options: { seed: { type: 'string' } } }).values;
    if (seed === undefined) return Math.floor(Math.random() * 100_000);
    if (/^\d{1,9}$/.test(seed)) return Number(seed);
    throw new TypeError(`Expected --seed to be a whole number of at most nine digits, got ${seed}`);
  } catch (error) {
    say(`${(error as Error).message}\nUsage: npm run demo -- [--seed <number>]`);
    process.exit(1);
  }
}

/** @throws MissingServerError without a PostgreSQL; Redis may be missing */
async function startServers(): Promise<{ postgresUrl: string; redisUrl: string | undefined }> {
  heading('Private servers, for this demo only');
  const postgres = await step('PostgreSQL', startPostgres);
  atTheEnd(() => postgres.stop());
  try {
    const redis = await step('Redis', () => startRedis());
    atTheEnd(() => redis.stop());
    return { postgresUrl: postgres.url, redisUrl: redis.url };
  } catch (error) {
    if (!(error instanceof MissingServerError)) throw error;
    say(`  ${paint('yellow', '–')} no Redis program found: ${error.message.split('. ').slice(1).join('. ')}`);
    say('    The demo goes on with the cache in memory, in one process.');
    return { postgresUrl: postgres.url, redisUrl: undefined };
  }
}

async function tellStories(db: Database, redisUrl: string | undefined): Promise<void> {
  heading('What it saves: five stories from real services');
  say("Queries sent to PostgreSQL, and time (median). Each answer is compared with the database's own. There is no");
  say('network in between: elsewhere, each query and each trip to Redis takes longer by its round trip. Nobody wrote');
  say('a tag, and nobody invalidates: the wrapped Knex of each cache sees what loads read and what writes change.');
  for (const tell of stories) {
    const { title, about } = tell(db.plain);
    const figures = await working(`measuring: ${title}`, () => measure(tell, db, redisUrl));
    say(`\n  ${paint('bold', title)}: ${about}`);
    sayFigures(figures);
  }
  if (redisUrl === undefined) say('\n  "warm in Redis" is missing: no Redis program found.');
}

async function showAnUpdate(db: Database): Promise<string[]> {
  heading('An UPDATE ends what it touched');
  say('Five answers are kept, one row is updated through the wrapped Knex, and explain() says what became of each.\n');
  return updateOneRow(db);
}

/** The same race for both; answers with what went wrong. */
async function holdRaces(
  db: Database,
  postgresUrl: string,
  redisUrl: string | undefined,
  seed: number,
): Promise<string[]> {
  heading('What it must not cost: the race');
  const course = await working('starting the processes', async () =>
    redisUrl === undefined ? inThisProcess(db) : await inProcesses(postgresUrl, redisUrl),
  );
  say(
    course.processes > 1
      ? `${course.processes} processes that share Redis read and write the same rows, while slow loads are under way.`
      : 'One process (no Redis program found) reads and writes the same rows, while slow loads are under way.',
  );
  say('A read is stale when it gives less than a write whose invalidation was acknowledged before the read began.');
  say(`Seed ${seed}; once more with: npm run demo -- --seed ${seed}\n`);

  const tallies = new Map<SubjectName, Tally>();
  for (const name of subjectNames) tallies.set(name, await working(`racing: ${name}`, () => course.run(name, seed)));
  sayTallies(tallies);

  const failures: string[] = [];
  if (tallies.get('unstale')?.stale !== 0) failures.push('unstale had stale reads');
  if (tallies.get('delete on write')?.stale === 0)
    failures.push('the race was too gentle: delete-on-write had no stale read, so it shows nothing');
  return failures;
}

function sayWhatNext(failures: readonly string[]): void {
  for (const failure of failures) say(paint('red', `\n  FAILED: ${failure}`));
  if (failures.length > 0) {
    process.exitCode = 1;
    return;
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  heading(`That was the demo, in ${seconds} s`);
  say("  every answer was the database's, and no read was stale");
  say('\nNext (the first two need no server):');
  say(`  ${paint('cyan', 'npx tsx examples/quickstart.ts')}   the smallest start, with comments`);
  say(
    `  ${paint('cyan', 'npx tsx examples/service.ts')}      a service class: decorators, invalidation, a transaction`,
  );
  say(`  ${paint('cyan', 'npx tsx examples/knex/main.ts')}    Knex: no tags, transactions, cascades, tenants`);
  say(`  ${paint('cyan', 'docs/concepts.md')}                 how it works, and docs/guarantees.md: what is promised`);
}
