import { startRedis } from '../../services/redis.js';
import { Random } from '../../transparency/random.js';
import { createDatabase } from '../history/database.js';
import { type Flaw, naive } from '../history/naive.js';
import type { Subject } from '../history/subjects.js';
import { unstale } from '../history/unstale.js';
import { aStage, everyOrder } from './schedule.js';
import { aStory, type Reads, type Seen } from './story.js';

export interface Exploration {
  readonly subject: 'unstale' | Flaw;
  readonly readers: number;
  readonly writers: number;
  /** @defaultValue 'in turn' */
  readonly reads?: Reads;
  /** Orders to try: `all` that there are, up to `most`, or so many random ones. */
  readonly orders: { readonly all: true; readonly most: number } | { readonly random: number; readonly seed: number };
  readonly postgres: string;
  tell?(done: number): void;
}

export interface Found {
  readonly orders: number;
  /** Whether there are no others. */
  readonly complete: boolean;
  readonly violations: readonly { readonly order: readonly string[]; readonly stale: readonly Seen[] }[];
}

/**
 * Plays one story in many orders: each cache is a process of its own as far as Redis and the database can tell, and
 * every answer of a server waits until it is chosen. Each order has a row of its own.
 */
export async function explore(exploration: Exploration): Promise<Found> {
  const { subject, readers, writers, reads = 'in turn', orders, postgres, tell } = exploration;
  const most = 'all' in orders ? orders.most : orders.random;
  const redis = await startRedis();
  const database = await createDatabase(postgres, 'schedules', most + 1);
  const stage = aStage({ redis: redis.port, database: Number(database.url.port) });
  const open = async (name: string): Promise<Subject> => {
    const party = await stage.party(name);
    const url = new URL(database.url);
    url.port = String(party.database);
    const options = {
      redis: { kind: 'single', url: `redis://127.0.0.1:${party.redis}` } as const,
      reads: url.href,
      writes: url.href,
      name: 'schedules',
      maxStale: 0,
      timeout: '30s' as const,
      connections: 2,
      share: 0,
      random: () => 0.99,
      failed: (error: unknown) => {
        throw error;
      },
    };
    return subject === 'unstale' ? unstale(options) : naive(subject, options);
  };
  const parties: Subject[] = [];
  try {
    for (let i = 0; i < readers + writers; i++)
      parties.push(await open(i < readers ? `reader ${i}` : `writer ${i - readers}`));
    // Connections, catalogue and scripts are there before the first order, so that orders differ in what they choose alone.
    const [reading, writing] = [parties.slice(0, readers), parties.slice(readers)];
    for (let i = 0; i < 3; i++) {
      const story = aStory(most + 1, reads);
      await story.play(reading, writing, () => Promise.resolve());
      await story.end(parties);
    }

    const violations: { order: string[]; stale: Seen[] }[] = [];
    const every = everyOrder();
    const random = new Random('seed' in orders ? orders.seed : 0);
    let done = 0;
    let complete = false;
    while (done < most && !complete) {
      const { play, end, stale } = aStory(done + 1, reads);
      const made = await stage.run(
        () => play(reading, writing, stage.turn),
        'all' in orders ? every.choose : (held) => random.below(held.length),
      );
      await end(parties);
      done++;
      tell?.(done);
      if (stale().length > 0) violations.push({ order: made.map(({ name }) => name), stale: stale() });
      complete = 'all' in orders && !every.next(made);
    }
    return { orders: done, complete, violations };
  } finally {
    await Promise.all(parties.map((party) => party.close()));
    await stage.stop();
    await redis.stop();
    await database.drop();
  }
}
