import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import Knex from 'knex';
import { withCache } from '../../adapters/knex/index.js';
import { redisStore } from '../../adapters/redis/index.js';
import { createCache, type Tree } from '../../src/index.js';
import { type Row, rowsBelow } from './trees-table.js';

/**
 * A process that changes a tree at random and reads it, by the wrapped client and by hand, told what to do over IPC.
 * Instead of the tree it can have one that is wrong in a way that is common: entries that a write deletes, or versions
 * that are read after the rows.
 */
export interface Setup {
  readonly redis: string;
  readonly postgres: string;
  readonly name: string;
  readonly me: number;
  readonly kind: 'ours' | 'delete on write' | 'late versions';
}
export type Order =
  | { readonly do: 'changes'; readonly count: number; readonly seed: number }
  | { readonly do: 'change'; readonly sql: string; readonly params: readonly (number | string | null)[] }
  | { readonly do: 'state' }
  | { readonly do: 'settle' }
  | { readonly do: 'close' };

const setup = JSON.parse(process.argv[2] as string) as Setup;
const cache = createCache({
  name: setup.name,
  store: redisStore(setup.redis, { timeout: '2s' }),
  ttl: '5m',
  ackTimeout: '5s',
});
const own = Knex({ client: 'pg', connection: setup.postgres, pool: { min: 0, max: 3 } });
const knex = withCache(own, { cache, tables: { nodes: { tree: 'parent_id' } } });
const plain = Knex({ client: 'pg', connection: setup.postgres, pool: { min: 0, max: 3 } });
const redis = new Redis(setup.redis);
const asked = { queries: 0, rows: 0 };
let random = chance(1);

/** Rows that arrive some time after they were read, as those of a busy machine do. */
async function late(query: PromiseLike<Row[]>): Promise<Row[]> {
  asked.queries++;
  const rows = await query;
  asked.rows += rows.length;
  await sleep(random() * 8);
  return rows;
}

const loads = {
  load: (ids: readonly number[]) => late(knex('nodes').whereIn('id', [...ids])),
  children: (parents: readonly (number | null)[]) => late(rowsBelow(knex, parents).orderBy('name').orderBy('id')),
};

/** What of a tree the test asks. */
interface Subject {
  roots(): Promise<readonly Row[]>;
  descendants(id: number): Promise<readonly Row[]>;
  changed(id: number, parents: readonly (number | null)[]): Promise<unknown>;
}

const tree = cache.tree('nodes', { id: 'id', parent: 'parent_id', table: 'nodes', ...loads }) as Tree<Row, number>;
const subject: Subject =
  setup.kind === 'ours'
    ? {
        roots: () => tree.roots(),
        descendants: (id) => tree.descendants(id),
        changed: (id, [to]) => (to === undefined || random() < 0.5 ? tree.invalidate(id) : tree.move(id, { to })),
      }
    : naive(setup.kind);

function naive(kind: Setup['kind']): Subject {
  const listKey = (id: number | null) => `${setup.name}:list:${id}`;
  const versionKey = (id: number | null) => `${setup.name}:version:${id}`;
  const children = async (id: number | null): Promise<Row[]> => {
    const [stored, version] = await redis.mget(listKey(id), versionKey(id));
    const entry = stored ? (JSON.parse(stored) as { version: string | null; rows: Row[] }) : undefined;
    if (entry && (kind === 'delete on write' || entry.version === version)) return entry.rows;
    const rows = await loads.children([id]);
    const after = kind === 'late versions' ? await redis.get(versionKey(id)) : null;
    await redis.set(listKey(id), JSON.stringify({ version: after, rows }));
    return rows;
  };
  const below = async (id: number): Promise<Row[]> => {
    const rows = await children(id);
    return (await Promise.all(rows.map(async (row) => [row, ...(await below(row.id))]))).flat();
  };
  return {
    roots: () => children(null),
    descendants: below,
    changed: (_, parents) =>
      Promise.all(
        parents.map((id) => (kind === 'delete on write' ? redis.del(listKey(id)) : redis.incr(versionKey(id)))),
      ),
  };
}

/** Parents have smaller ids, so that nobody makes a cycle however changes meet. */
async function change(step: number): Promise<void> {
  const client = setup.kind !== 'ours' || random() < 0.3 ? plain : knex;
  const byHand = client === plain;
  const ids: number[] = (await plain('nodes').select('id').orderBy('id')).map((row: Row) => row.id);
  const id = ids[Math.floor(random() * ids.length)] as number;
  const smaller = ids.filter((it) => it < id);
  const to = random() < 0.1 ? null : (smaller[Math.floor(random() * smaller.length)] ?? null);
  const before: Row | undefined = await plain('nodes').where({ id }).first();
  const from = before === undefined ? [] : [before.parent_id];
  switch (Math.floor(random() * 4)) {
    case 0: {
      const made = step * 10 + setup.me;
      await client('nodes').insert({ id: made, parent_id: id, name: nameOf(random) });
      if (byHand) await subject.changed(made, [id]);
      return;
    }
    case 1:
      await client('nodes')
        .where({ id })
        .update({ name: nameOf(random) });
      if (byHand) await subject.changed(id, from);
      return;
    case 2: {
      const isLeaf = (await plain('nodes').where({ parent_id: id }).first()) === undefined;
      if (!isLeaf || ids.length < 20) return;
      await client('nodes').where({ id }).delete();
      if (byHand) await (setup.kind === 'ours' ? tree.invalidate(id) : subject.changed(id, from));
      return;
    }
    default:
      await client('nodes').where({ id }).update({ parent_id: to });
      if (byHand) await subject.changed(id, [to, ...from]);
  }
}

async function state(): Promise<unknown> {
  const before = { ...asked };
  const roots = await subject.roots();
  const rows = (await Promise.all(roots.map(async (root) => [root, ...(await subject.descendants(root.id))]))).flat();
  return {
    rows: rows.map(({ id, parent_id, name }) => `${id}<${parent_id}:${name}`),
    queries: asked.queries - before.queries,
    loaded: asked.rows - before.rows,
  };
}

/** Shelves are written behind readers' backs: waits until no more keys come, for five seconds at most. */
async function settle(): Promise<void> {
  let [keys, quiet] = [-1, 0];
  for (let look = 0; look < 100 && quiet < 10; look++) {
    const now = await redis.dbsize();
    quiet = now === keys ? quiet + 1 : 0;
    keys = now;
    await sleep(50);
  }
}

async function perform(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'changes': {
      random = chance(order.seed);
      const reads: Promise<unknown>[] = [];
      for (let step = 0; step < order.count; step++) {
        reads.push(state());
        await change(order.seed * 100 + step);
        await sleep(random() * 5);
      }
      await Promise.all(reads);
      return cache.settled();
    }
    case 'change':
      return void (await knex.raw(order.sql, order.params as never));
    case 'state':
      return state();
    case 'settle':
      return settle();
    case 'close':
      await Promise.all([own.destroy(), plain.destroy(), redis.quit()]);
      return cache.close();
  }
}

function nameOf(random: () => number): string {
  return `n${Math.floor(random() * 30)}`;
}

function chance(seed: number): () => number {
  let state = seed * 2654435761 + setup.me * 97;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  perform(order).then(
    (result) => process.send?.({ id, result }),
    (error: Error) => process.send?.({ id, error: String(error?.stack ?? error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0 });
