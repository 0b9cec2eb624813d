import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import pg from 'pg';
import { redisStore } from '../../adapters/redis/index.js';
import { treeQuery } from '../../src/adapter/index.js';
import { createCache, type Node, type Tree } from '../../src/index.js';
import { startServices } from '../services/index.js';
import { startProxy } from '../services/proxy.js';

// The ways to a subtree, side by side: `npx tsx test/bench/trees.ts`. On PostgreSQL and Redis of its own, with and
// without a delay on the way to both. Milliseconds of the clock, the median of some rounds; microseconds of CPU for hits.
interface Row {
  id: number;
  parent_id: number | null;
  name: string;
  kind: string;
}
interface Shape {
  readonly title: string;
  readonly table: string;
  readonly rows: readonly Row[];
  /** The row whose subtree is shown. */
  readonly shown: number;
}

/** `roots` trees of nearly the same size, each row with up to `wide` below it. */
function grow(title: string, table: string, count: number, roots: number, wide: number): Shape {
  const rows = Array.from({ length: count }, (_, at): Row => {
    const above = Math.floor((at - roots) / roots / wide) * roots + (at % roots);
    return { id: at, parent_id: at < roots ? null : above, name: `${title} ${at}`, kind: at % 2 ? 'a' : 'b' };
  });
  return { title, table, rows, shown: 0 };
}

/** The same, with rows that are not shown. */
function with592More(shape: Shape): Shape {
  const more = Array.from({ length: 592 }, (_, at) => ({
    id: shape.rows.length + at,
    parent_id: 1,
    name: 'more',
    kind: 'a',
  }));
  return { ...shape, rows: [...shape.rows, ...more] };
}

// 6,000 rows of which 1,352 are shown; and 60,000.
const shapes = [
  with592More(grow('capability', 'capabilities', 5408, 4, 6)),
  grow('business unit', 'units', 60_000, 50, 5),
];

const { services, missing, stop } = await startServices(['postgres', 'redis']);
for (const reason of missing) console.log(reason);
if (services.postgres === undefined || services.redis === undefined) process.exit(1);
const [postgresAt, redisAt] = [new URL(services.postgres.url), new URL(services.redis.url)];
const wires = { postgres: await startProxy(Number(postgresAt.port)), redis: await startProxy(Number(redisAt.port)) };
postgresAt.port = String(wires.postgres.port);
redisAt.port = String(wires.redis.port);
const asked = { queries: 0, rows: 0 };
const pool = new pg.Pool({ connectionString: postgresAt.href, max: 4 });
async function ask(sql: string, params: readonly unknown[] = []): Promise<Row[]> {
  asked.queries++;
  const { rows } = await pool.query(sql, [...params]);
  asked.rows += rows.length;
  return rows;
}

async function median(rounds: number, run: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number;
}

/** Microseconds of CPU for one call. */
async function cpu(times: number, run: () => Promise<unknown>): Promise<number> {
  for (let at = 0; at < times / 10; at++) await run();
  const began = process.cpuUsage();
  for (let at = 0; at < times; at++) await run();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / times;
}

function nest(rows: readonly Row[], id: number): Node<Row> {
  const below = new Map<number | null, Row[]>();
  for (const row of rows) below.set(row.parent_id, [...(below.get(row.parent_id) ?? []), row]);
  const node = (row: Row): Node<Row> => ({ row, children: (below.get(row.id) ?? []).map(node) });
  return node(rows.find((row) => row.id === id) as Row);
}

function sizeOf(node: Node<Row> | null): number {
  return node === null ? 0 : 1 + node.children.reduce((sum, child) => sum + sizeOf(child), 0);
}

async function show({ title, table, rows, shown }: Shape): Promise<void> {
  await ask(`drop table if exists ${table}`);
  await ask(`create table ${table} (id int primary key, parent_id int, name text, kind text)`);
  await ask(
    `insert into ${table} select * from json_to_recordset($1) as t(id int, parent_id int, name text, kind text)`,
    [JSON.stringify(rows)],
  );
  await ask(`create index on ${table} (parent_id)`);
  const byId = `select * from ${table} where id = any($1) order by id`;
  const byParent = `select * from ${table} where parent_id = any($1) or (parent_id is null and $2) order by id`;
  const levels = {
    load: (ids: readonly number[]) => ask(byId, [ids]),
    children: (parents: readonly (number | null)[]) =>
      ask(byParent, [parents.filter((id) => id !== null), parents.includes(null)]),
  };
  const whole = { rows: () => ask(`select * from ${table} order by id`) };
  const { sql, params } = treeQuery('postgres', { table, id: 'id', parent: 'parent_id', from: [shown] });
  const oneByOne = async (id: number): Promise<Node<Row>> => {
    const [row] = await ask(`select * from ${table} where id = $1`, [id]);
    const children: Node<Row>[] = [];
    for (const child of await ask(`select id from ${table} where parent_id = $1 order by id`, [id]))
      children.push(await oneByOne(child.id));
    return { row: row as Row, children };
  };
  const open = (form: object, store: boolean) => {
    const cache = createCache({
      name: table,
      jitter: 0,
      ttl: '1h',
      memory: { maxBytes: '1gb' },
      ...(store ? { store: redisStore(redisAt.href, { timeout: '5s' }) } : {}),
    });
    const tree = cache.tree<Row>()(Object.keys(form).join(), { id: 'id', parent: 'parent_id', ...form } as never);
    return { cache, tree: tree as Tree<Row, number> };
  };

  console.log(`\n${title}: ${rows.length} rows, ${sizeOf(nest(rows, shown))} shown`);
  for (const ms of [0, 1]) {
    for (const wire of Object.values(wires)) wire.delay(ms / 2);
    const times: Record<string, number> = { 'one trip': await median(9, () => ask('select 1')) };
    times['a query for each row'] = await median(1, () => oneByOne(shown));
    times['one recursive query'] = await median(5, async () => nest(await ask(sql, params), shown));
    for (const [name, form] of Object.entries({ levels, whole })) {
      const first = open(form, true);
      times[`${name}: cold`] = await median(1, () => first.tree.subtree(shown));
      await new Promise((resolve) => setTimeout(resolve, 300));
      times[`${name}: from Redis`] = await median(3, async () => {
        const other = open(form, true);
        await other.tree.subtree(shown);
        await other.cache.close();
      });
      times[`${name}: memory, checked at Redis`] = await median(9, () => first.tree.subtree(shown));
      await first.cache.clear();
      await first.cache.close();
    }
    for (const [name, time] of Object.entries(times))
      console.log(`  +${ms} ms  ${name.padEnd(34)} ${time.toFixed(2)} ms`);
  }
  for (const wire of Object.values(wires)) wire.delay(0);

  const ours = open(levels, false);
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000, maxSize: '2gb' as never })) },
    ttl: '1h',
  });
  const factory = async () => nest(await ask(sql, params), shown);
  await bento.getOrSet({ key: 'tree', factory });
  await ours.tree.subtree(shown);
  const hit = await cpu(20_000, () => ours.tree.subtree(shown));
  const theirs = await cpu(100, () => bento.getOrSet({ key: 'tree', factory }));
  console.log(
    `  hit in memory: ours ${hit.toFixed(2)} µs, bentocache ${theirs.toFixed(0)} µs: ${(theirs / hit).toFixed(0)} ×`,
  );

  const leaf = rows.findLast(({ id, parent_id }) => parent_id !== null && isUnder(rows, id, shown)) as Row;
  const before = await ours.tree.subtree(shown);
  for (const [name, { cache, tree }] of Object.entries({ levels: ours, whole: open(whole, false) })) {
    await tree.subtree(shown);
    await ask(`update ${table} set name = name || '!' where id = $1`, [leaf.id]);
    Object.assign(asked, { queries: 0, rows: 0 });
    await tree.invalidate(leaf.id);
    const after = await tree.subtree(shown);
    const kept =
      name === 'levels' ? before?.children.filter((child) => after?.children.includes(child)).length : undefined;
    console.log(
      `  a leaf changed, ${name}: ${asked.queries} queries, ${asked.rows} rows${kept === undefined ? '' : `; ${kept} of ${before?.children.length} subtrees the same object`}`,
    );
    await cache.close();
  }
  await bento.disconnectAll();
}

function isUnder(rows: readonly Row[], id: number, top: number): boolean {
  for (let at: number | null = id; at !== null; at = rows[at]?.parent_id ?? null) if (at === top) return true;
  return false;
}

try {
  for (const shape of shapes) await show(shape);
} finally {
  await pool.end();
  await Promise.all(Object.values(wires).map((wire) => wire.stop()));
  await stop();
}
