import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Clock } from '../../../src/index.js';
import { startRedis } from '../../services/redis.js';
import { Random } from '../../transparency/random.js';
import { createDatabase } from '../history/database.js';
import { type Flaw, naive } from '../history/naive.js';
import type { Subject, WriteWay } from '../history/subjects.js';
import { type ReadWay, unstale } from '../history/unstale.js';
import { type Bare, bare, isBare } from './bare.js';
import { stageClock } from './clock.js';
import { everyOrder } from './orders.js';
import { aStage, type Party } from './schedule.js';
import { aStory, type Reads, type Seen } from './story.js';

export interface Exploration {
  readonly subject: 'unstale' | Flaw | Bare;
  readonly readers: number;
  readonly writers: number;
  /** @defaultValue 'in turn' */
  readonly reads?: Reads;
  /** How `unstale` reads; the others have one way each. @defaultValue 'one query' */
  readonly way?: ReadWay;
  /** @defaultValue 'statement' */
  readonly writes?: Extract<WriteWay, 'statement' | 'transaction'>;
  /** Milliseconds that each answer of the database takes: from 5 on a load is worth a lease. @defaultValue 0 */
  readonly takes?: number;
  /** Whether the answers to what was sent at once come one by one; else they come at once, too. @defaultValue false */
  readonly oneByOne?: boolean;
  /** Orders to try: `all` that there are, up to `most`, or so many random ones. */
  readonly orders: { readonly all: true; readonly most: number } | { readonly random: number; readonly seed: number };
  readonly postgres: string;
  tell?(done: number): void;
}

export interface Found {
  readonly orders: number;
  /** Branches that were seen and not gone: 0 when these are all the orders there are. Left out where orders are random. */
  readonly open?: number;
  /** Of the set of orders: two explorations with the same one went through the same orders. */
  readonly digest: string;
  /** Reads that the database had no part in, over all orders. */
  readonly hits: number;
  readonly violations: readonly { readonly order: readonly string[]; readonly stale: readonly Seen[] }[];
}

/** So many rows are read before the first order: each meets one of the few tags by which everything can be cleared. */
const warmers = 200;

/** Where time passes, what is due now and then is due before each order rather than in some: a minute and more. */
const aWhile = 61_000;

/** What Redis has for one row alone: entries, tags of rows and of keys, those of the other caches. */
const ofOneRow = /:e:|#|~k|:entry:|:tag:/;

/**
 * Plays one story in many orders: each cache is a process of its own as far as Redis and the database can tell, and
 * every answer of a server waits until it is chosen. Each order has a row of its own.
 */
export async function explore(exploration: Exploration): Promise<Found> {
  const {
    subject,
    readers,
    writers,
    reads = 'in turn',
    way = 'one query',
    writes = 'statement',
    takes = 0,
    oneByOne = false,
    orders,
    postgres,
    tell,
  } = exploration;
  const most = 'all' in orders ? orders.most : orders.random;
  const redis = await startRedis();
  const database = await createDatabase(postgres, 'schedules', most + warmers);
  const control = new Redis(redis.port);
  const clock = stageClock();
  const answers = new Map<string, number>();
  const stage = aStage({ redis: redis.port, database: Number(database.url.port) }, oneByOne, {
    passed(wire) {
      if (!wire.endsWith('database')) return;
      answers.set(wire, (answers.get(wire) ?? 0) + 1);
      clock.pass(takes);
    },
    stuck() {
      if (!clock.ring()) throw new Error('Expected somebody to go on, got nobody who can');
    },
  });
  const parties: Subject[] = [];
  const wires = new Map<Subject, string>();
  const telling = { reads, writes, asked: (of: Subject) => answers.get(wires.get(of) as string) ?? 0 };
  try {
    for (let i = 0; i < readers + writers; i++) {
      const party = await stage.party(i < readers ? `reader ${i}` : `writer ${i - readers}`);
      const one = open(subject, way, party, database.url, clock);
      wires.set(one, `${party.name} database`);
      parties.push(one);
    }
    const [reading, writing] = [parties.slice(0, readers), parties.slice(readers)];
    const warm = async (row: number) => {
      const story = aStory(row, telling);
      await story.play(reading, writing, () => Promise.resolve());
      await story.end(parties);
    };
    // Connections, catalogue, scripts and the tags that many rows share are there before the first order, so that orders
    // differ in what they choose alone.
    for (let i = 1; i <= 3; i++) await warm(most + i);
    await Promise.all(Array.from({ length: warmers }, (_, i) => (parties[0] as Subject).read(most + 1 + i)));
    /** Two rows may have a tag in common, and then that of the second one would not be new. */
    const tidy = async () => {
      const keys = (await control.keys('*')).filter((key) => ofOneRow.test(key));
      if (keys.length > 0) await control.del(keys);
    };
    const violations: { order: string[]; stale: Seen[] }[] = [];
    const every = everyOrder();
    const random = new Random('seed' in orders ? orders.seed : 0);
    const gone: string[] = [];
    let hits = 0;
    let isMore = true;
    while (gone.length < most && isMore) {
      if (takes > 0) {
        clock.pass(aWhile);
        await warm(most + 1);
      }
      await stage.rest();
      await tidy();
      const { play, end, stale, hits: hitsSoFar } = aStory(gone.length + 1, telling);
      const order = await stage.run(
        () => play(reading, writing, stage.turn),
        'all' in orders ? every.choose : (held) => random.below(held.length),
      );
      hits += hitsSoFar();
      await end(parties);
      gone.push(order.join(' > '));
      tell?.(gone.length);
      if (stale().length > 0) violations.push({ order, stale: stale() });
      isMore = !('all' in orders) || every.next(order.length);
    }
    const digest = createHash('sha256').update(gone.sort().join('\n')).digest('hex').slice(0, 16);
    return { orders: gone.length, ...('all' in orders && { open: every.open }), digest, hits, violations };
  } finally {
    await Promise.all(parties.map((party) => party.close()));
    await stage.stop();
    control.disconnect();
    await redis.stop();
    await database.drop();
  }
}

function open(subject: Exploration['subject'], way: ReadWay, party: Party, database: URL, clock: Clock): Subject {
  const url = new URL(database);
  url.port = '';
  url.searchParams.set('host', party.database);
  const options = {
    redis: { kind: 'single', url: `redis://localhost?path=${encodeURIComponent(party.redis)}` } as const,
    reads: url.href,
    writes: url.href,
    name: 'schedules',
    maxStale: 0,
    timeout: '30s' as const,
    connections: 2,
    share: 0,
    clock,
    way,
    random: () => 0.99, // no load dawdles
    failed: (error: unknown) => {
      throw error;
    },
  };
  if (subject === 'unstale') return unstale(options);
  return isBare(subject) ? bare(subject, options.reads) : naive(subject, options);
}
