// One process of the race, started by race.ts: says that it is ready, plays what it is told, and answers with its tally.
import { Redis } from 'ioredis';
import { Database } from '../database.js';
import { type Plan, play } from './play.js';
import { refereeInRedis } from './referee.js';
import { openSubject, type SubjectName } from './subjects.js';

export interface Task {
  readonly name: SubjectName;
  readonly plan: Plan;
}

const [postgresUrl, redisUrl] = process.argv.slice(2) as [string, string];
const db = new Database(postgresUrl, 24);
const client = new Redis(redisUrl);
client.on('error', () => {}); // the command that fails says more

process.on('message', ({ name, plan }: Task) => void run(name, plan));
// The demo has ended, by whatever way.
process.on('disconnect', () => process.exit());

await Promise.all([client.ping(), db.plain.raw('select 1')]);
process.send?.('ready');

async function run(name: SubjectName, plan: Plan): Promise<void> {
  const subject = await openSubject(name, db, { url: redisUrl, client });
  try {
    process.send?.(await play(plan, subject, refereeInRedis(client, name)));
  } finally {
    await subject.close();
  }
}
