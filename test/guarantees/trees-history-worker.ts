import { setTimeout as sleep } from 'node:timers/promises';
import Knex from 'knex';
import { withCache } from '../../adapters/knex/index.js';
import { redisStore } from '../../adapters/redis/index.js';
import { createCache, type Tree } from '../../src/index.js';
import type { Asked, Changed, Reading } from './trees-history.js';
import { type Naive, naive } from './trees-naive.js';
import { ask, type Chance, randomAsked, randomStep, type Step } from './trees-random.js';
import { type Row, rowsBelow } from './trees-table.js';

/**
 * A process that reads a tree in two forms while it changes it, and notes both, by a clock that all processes of the
 * machine share. Changes are numbered by the database: each of them takes a row that the next one must wait for.
 */
export interface Setup {
  readonly redis: string;
  readonly postgres: string;
  readonly name: string;
  readonly me: number;
  readonly naive?: Naive;
}
export type Order =
  | { readonly do: 'play'; readonly changes: number; readonly seed: number }
  | { readonly do: 'read' }
  | { readonly do: 'clear' }
  | { readonly do: 'close' };
export interface Played {
  readonly rows: readonly Reading[];
  readonly levels: readonly Reading[];
  readonly changes: readonly (Changed & { readonly number: number })[];
}

const setup = JSON.parse(process.argv[2] as string) as Setup;
const now = () => Number(process.hrtime.bigint()) / 1e6;
let chance: Chance = () => 0;

const redis = redisStore(setup.redis, { timeout: '2s' });
const store = setup.naive === undefined ? redis : naive(redis, setup.naive, () => sleep(40));
const cache = createCache({ name: setup.name, store, ttl: '5m', ackTimeout: '10s' });
let hurried = 0;
cache.on('miss', ({ reason }) => {
  if (reason === 'it changes faster than it can be read') hurried++;
});
const own = Knex({ client: 'pg', connection: setup.postgres, pool: { min: 0, max: 6 } });
const plain = Knex({ client: 'pg', connection: setup.postgres, pool: { min: 0, max: 2 } });
const knex = withCache(own, { cache, tables: { nodes: { tree: 'parent_id' } } });

/** Rows that arrive some time after they were read, now and then a long one. */
async function late(query: PromiseLike<Row[]>): Promise<Row[]> {
  if (chance(3) === 0) await sleep(chance(10));
  const rows = await query;
  await sleep(chance(8) === 0 ? 50 : chance(10));
  return rows;
}

const shape = { id: 'id', parent: 'parent_id', table: 'nodes' };
const trees = {
  rows: cache.tree<Row>()('all', {
    ...shape,
    rows: () => late(knex('nodes').orderBy('name').orderBy('id')),
  } as never) as Tree<Row, number>,
  levels: cache.tree<Row>()('parts', {
    ...shape,
    load: (ids: readonly number[]) => late(knex('nodes').whereIn('id', [...ids])),
    children: (parents: readonly (number | null)[]) => late(rowsBelow(knex, parents).orderBy('name').orderBy('id')),
  } as never) as Tree<Row, number>,
};

/** One change, from the moment at which no other can be between to its acknowledgement. */
async function change(): Promise<Played['changes'][number]> {
  const byHand = chance(3) === 0;
  const client = byHand ? plain : knex;
  const made = await client.transaction(async (trx) => {
    const [turn] = await trx('turns').where({ id: 1 }).increment('number', 1).returning('number');
    const { number } = turn as { number: number };
    const rows: Row[] = await trx('nodes').select('id', 'parent_id', 'name').orderBy('id');
    const step = randomStep(new Map(rows.map((row) => [row.id, row])), 1000 + number, chance);
    const began = now();
    if (step === undefined) return { number, began, step: undefined };
    await write(trx, step);
    return { number, began, step };
  });
  const { number, began, step } = made;
  if (byHand && step !== undefined) await tell(step);
  return { number, change: step?.rows ?? [], began, acknowledged: now() };
}

async function write(trx: Knex.Knex.Transaction, { kind, id, rows, to }: Step): Promise<void> {
  const [, row] = rows[0] as [number, Row];
  if (kind === 'insert') await trx('nodes').insert(row);
  else if (kind === 'rename') await trx('nodes').where({ id }).update({ name: row.name });
  else if (kind === 'move') await trx('nodes').where({ id }).update({ parent_id: to });
  else
    await trx('nodes')
      .whereIn(
        'id',
        rows.map(([one]) => one),
      )
      .delete();
}

/** By one tree: both are of one table. */
async function tell({ kind, id, rows, from, to }: Step): Promise<void> {
  const tree = trees.levels;
  if (kind === 'move' && chance(2) === 0) await tree.move(id, { to, ...(chance(2) === 0 ? { from } : {}) });
  else await cache.transaction(async () => void (await Promise.all(rows.map(([one]) => tree.invalidate(one)))));
}

async function read(form: 'rows' | 'levels', asked = randomAsked(24, chance)): Promise<Reading> {
  const began = now();
  const before = hurried;
  const answer = await ask(trees[form], asked);
  return { asked, answer, began, ended: now(), isHurried: hurried > before };
}

async function play({ changes: count, seed }: { changes: number; seed: number }): Promise<Played> {
  chance = chanceOf(seed);
  const played = { rows: [] as Reading[], levels: [] as Reading[], changes: [] as Played['changes'][number][] };
  let isOver = false;
  const readers = (['rows', 'levels', 'rows', 'levels', 'levels'] as const).map(async (form) => {
    while (!isOver) {
      played[form].push(await read(form));
      await sleep(chance(4));
    }
  });
  for (let at = 0; at < count; at++) {
    played.changes.push(await change());
    await sleep(chance(40));
  }
  isOver = true;
  await Promise.all(readers);
  await cache.settled();
  return played;
}

/** Everything, in both forms. */
async function readAll(): Promise<Played> {
  const roots: Asked = { what: 'children', id: null };
  const below = [0, 1, 2].map((id): Asked => ({ what: 'subtree', id }));
  const [rows, levels] = (['rows', 'levels'] as const).map((form) =>
    Promise.all([roots, ...below].map((asked) => read(form, asked))),
  );
  return { rows: (await rows) ?? [], levels: (await levels) ?? [], changes: [] };
}

function chanceOf(seed: number): Chance {
  let state = seed * 2654435761 + setup.me * 97;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, sides);
  };
}

async function perform(order: Order): Promise<unknown> {
  if (order.do === 'play') return play(order);
  if (order.do === 'read') return readAll();
  if (order.do === 'clear') return void (await cache.clear());
  await Promise.all([own.destroy(), plain.destroy()]);
  return cache.close();
}

process.on('message', async ({ id, order }: { id: number; order: Order }) => {
  try {
    process.send?.({ id, result: await perform(order) });
  } catch (error) {
    process.send?.({ id, error: String((error as Error)?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0 });
