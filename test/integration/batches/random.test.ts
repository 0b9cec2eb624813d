import DataLoader from 'dataloader';
import Knex, { type Knex as Instance } from 'knex';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { batchBy, withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { Random } from '../../transparency/random.js';
import { aBlog } from './a-blog.js';

// Random programs of batch reads and writes, by two processes, on a real database; every read is compared with the same
// one of a client that knows no cache.

const posts = 8;
const programs = 24;
const steps = 30;

type Read = (post: number) => Promise<unknown>;
interface Process {
  readonly knex: Instance;
  readonly isWrapped?: boolean;
  /** By some way of a process to get the responses of a post. */
  readonly reads: readonly Read[];
}

const ordered = (knex: Instance) => knex('responses').orderBy('id');

describe.skipIf(!inject('services').postgres)('random programs of batch reads and writes', () => {
  let blog: Awaited<ReturnType<typeof aBlog>>;
  let bare: Instance;
  beforeAll(async () => {
    blog = await aBlog(posts);
    bare = Knex(blog.config);
  });
  afterAll(async () => {
    await bare?.destroy();
    await blog?.drop();
  });

  async function write(random: Random, { knex, isWrapped = true }: Process): Promise<void> {
    const [one, two] = [random.below(posts) + 1, random.below(posts) + 1];
    const responses = knex('responses');
    switch (random.below(7)) {
      case 0:
        return void (await responses.insert({ post_id: one, text: `${random.below(1000)}` }));
      case 1:
        return void (await responses.where({ post_id: one }).update({ text: `${random.below(1000)}` }));
      case 2:
        return void (await responses.where({ post_id: one }).update({ post_id: two }));
      case 3:
        return void (await knex.raw('update responses set post_id = ? where id % 5 = ?', [one, random.below(5)]));
      case 4:
        return void (await responses.whereIn('post_id', [one, two]).where('id', '>', 3).del());
      case 5: {
        const ends = random.below(2) === 0;
        const trial = knex.transaction(async (trx) => {
          await trx('responses').insert({ post_id: one, text: 'in a transaction' });
          if (isWrapped) {
            const inside = batchBy(ordered(trx), 'post_id');
            expect(await inside(one)).toEqual(await ordered(trx).where({ post_id: one }));
          }
          if (ends) throw new Error('rolled back');
        });
        return trial.catch((error) => {
          if (error.message !== 'rolled back') throw error;
        });
      }
      default:
        await knex('posts').where({ id: one }).del(); // and its responses
        return void (await knex('posts').insert({ id: one, title: 'again' }));
    }
  }

  /** @returns how many reads differed */
  async function play(seed: number, processes: readonly Process[]): Promise<number> {
    const random = new Random(seed);
    let differences = 0;
    for (let step = 0; step < steps; step++) {
      const who = processes[random.below(processes.length)] as Process;
      const other = processes[random.below(processes.length)] as Process;
      const wanted = Array.from({ length: posts }, (_, i) => i + 1).filter(() => random.below(3) > 0);
      const read = who.reads[random.below(who.reads.length)] as Read;
      // Reads that are under way while somebody writes may have either; those that begin afterwards must have it.
      const during = random.below(2) === 0 ? Promise.all(wanted.map(read)) : undefined;
      if (random.below(3) > 0) await write(random, other);
      await during;
      const got = await Promise.all(wanted.map(read));
      const all = await ordered(bare).whereIn('post_id', wanted);
      wanted.forEach((post, i) => {
        const expected = all.filter(({ post_id }) => post_id === post);
        if (JSON.stringify(got[i]) !== JSON.stringify(expected)) differences++;
      });
    }
    return differences;
  }

  test(`${programs} of them read what a client without a cache reads`, { timeout: 120_000 }, async () => {
    const tables = { responses: { grain: 'post_id' } };
    let hits = 0;
    for (let seed = 1; seed <= programs; seed++) {
      const store = memoryStore();
      const caches = [0, 1].map(() => createCache({ ...(seed % 3 > 0 && { store }), ttl: '1h' }));
      const used = seed % 3 > 0 ? caches : caches.slice(0, 1);
      const processes = used.map((cache): Process => {
        const knex = withCache(Knex(blog.config), { cache, ...(seed % 2 === 0 && { tables }) });
        const byKit = batchBy(ordered(knex), 'post_id');
        const byHand = cache.batch({
          name: 'by hand',
          load: (ids: readonly number[]) => ordered(knex).whereIn('post_id', ids),
          by: 'post_id',
          many: true,
          apart: seed % 4 === 0,
        });
        const page = (id: number) => cache.getOrSet({ key: ['page', id], load: () => byKit(id) });
        return { knex, reads: [byKit, (id) => byHand.load(id), page] };
      });
      expect(await play(seed, processes), `differences of program ${seed}`).toBe(0);
      hits += used.reduce((sum, cache) => sum + cache.stats().counts().hits, 0);
      for (const { knex } of processes) await knex.destroy();
      for (const cache of caches) await cache.close();
    }
    // It would prove nothing if everything was asked of the database.
    expect(hits).toBeGreaterThan(programs * steps);
  });

  test('differ where a DataLoader stands in front of a cache, and writes delete what they have touched', async () => {
    const stored = new Map<number, unknown>();
    const knex = Knex(blog.config);
    knex.on('query-response', (_, { sql, bindings }) => {
      if (/^(insert into|update|delete from) "responses"/.test(sql))
        for (const value of bindings) stored.delete(Number(value));
    });
    const loader = new DataLoader<number, unknown>(
      async (ids) => {
        const missing = ids.filter((id) => !stored.has(id));
        const rows = missing.length > 0 ? await ordered(knex).whereIn('post_id', missing) : [];
        for (const id of missing) stored.set(id, rows.filter(({ post_id }) => post_id === id)); // biome-ignore format: a line
        return ids.map((id) => stored.get(id));
      },
      { cache: false },
    );
    let differences = 0;
    for (let seed = 1; seed <= 5; seed++) {
      stored.clear();
      differences += await play(seed, [{ knex, isWrapped: false, reads: [(id) => loader.load(id)] }]);
    }
    await knex.destroy();
    expect(differences).toBeGreaterThan(0);
  });
});
