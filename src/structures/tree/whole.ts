import { randomUUID } from 'node:crypto';
import type { Ask } from '../../core/ask.js';
import { currentScope, handUp } from '../../core/context.js';
import { look } from '../../core/look.js';
import type { Parts } from '../../core/parts.js';
import type { Scope } from '../../core/scope.js';
import { decodeEntry } from '../../values/index.js';
import { type AnyRow, type Definition, ownRows } from './definition.js';
import { deposit } from './deposit.js';
import { Forest } from './forest.js';
import { isSame, keyOf, top } from './item.js';
import type { TreeContext } from './types.js';

/**
 * Trees whose rows come by one function. A forest is made of all of them at once; of the one before it, what is the same
 * is taken over, so that subtrees without a change stay the same objects.
 *
 * In the store the rows are chunks that name their moment, and a head that says which moment holds. Only the head
 * depends on anything: who has read a head finds the chunks of that moment or none. They take the place of older ones,
 * so that a tree which changes often does not fill the store; there are several places, so that who is just reading
 * the chunks of a moment mostly finds them whole.
 */
export async function loadWhole(
  parts: Parts,
  definition: Definition,
  askOf: (part: string) => Ask,
  context: TreeContext,
  prior: Forest<AnyRow> | undefined,
): Promise<Forest<AnyRow>> {
  const scope = currentScope(parts) as Scope;
  const stored = parts.shared && scope.torn === undefined ? await takeChunks(parts, askOf) : undefined;
  if (stored !== undefined) return plant(definition, stored, prior);
  const { options } = definition;
  const rows = ownRows(definition, context.tenant, (await options.rows?.(context)) ?? []);
  const forest = plant(definition, rows, prior);
  if (parts.shared && scope.unstorable === undefined) await putChunks(parts, definition, askOf, scope, forest);
  return forest;
}

/** @throws TypeError when an id comes twice */
export function plant(
  { name, shape }: Definition,
  rows: readonly AnyRow[],
  prior: Forest<AnyRow> | undefined,
): Forest<AnyRow> {
  const forest = new Forest<AnyRow>(shape, true);
  if (prior !== undefined) forest.version = prior.version + 1;
  const below = new Map<string, { id: unknown; keys: string[] }>([[top, { id: null, keys: [] }]]);
  for (const row of rows) {
    const id = shape.idOf(row);
    const key = keyOf(id);
    if (forest.items.has(key))
      throw new TypeError(`Expected each id of the tree '${name}' once, got ${String(id)} a second time`);
    const old = prior?.items.get(key);
    const isOld = old?.isFresh === true && isSame(old.row, row);
    const item = isOld ? forest.adopt(old) : forest.add(key, id, row);
    const list = below.get(item.parent);
    if (list === undefined) below.set(item.parent, { id: forest.parentIdOf(item), keys: [key] });
    else list.keys.push(key);
  }
  for (const [key, { id, keys }] of below) forest.addList(id, keys).rows = prior?.lists.get(key)?.rows;
  // Copied: two loads may take over from one forest, and what is built in one of them is nothing to the other.
  for (const [left, cut] of prior?.cuts ?? [])
    forest.cuts.set(left, new Map([...cut].filter(([key]) => forest.items.has(key))));
  return forest;
}

interface Head {
  readonly moment: string;
  readonly place: number;
  readonly chunks: number;
}

async function takeChunks(parts: Parts, askOf: (part: string) => Ask): Promise<AnyRow[] | undefined> {
  const { entry } = await look(parts, askOf('head'));
  const now = parts.clock.now();
  if (entry === undefined || now >= entry.freshUntil) return undefined;
  const { moment, place, chunks } = entry.kept.value as Head;
  const answers = await Promise.all(
    Array.from({ length: chunks }, (_, at) => parts.session.read(askOf(`${place}/${at}`).hash, [])),
  ).catch(() => undefined);
  const rows: AnyRow[] = [];
  for (const answer of answers ?? [undefined]) {
    const bytes = answer?.entry;
    const found = bytes && decodeEntry(bytes, { maxBytes: parts.session.maxEntryBytes }, parts.types);
    const chunk = found?.value();
    if (!Array.isArray(chunk) || chunk[0] !== moment || found?.head.epoch !== entry.epoch) return undefined;
    for (const row of chunk[1]) rows.push(row);
  }
  handUp(parts, { pairs: entry, ttl: entry.freshUntil - now, stale: false, torn: undefined });
  return rows;
}

/** Waited for: the lease is held as long, and whoever waits for it finds what was loaded. */
async function putChunks(
  parts: Parts,
  { settings }: Definition,
  askOf: (part: string) => Ask,
  scope: Scope,
  forest: Forest<AnyRow>,
): Promise<void> {
  const moment = randomUUID();
  const place = Math.floor(Math.random() * places);
  const most = parts.session.maxEntryBytes / 2;
  const chunks: AnyRow[][] = [];
  let bytes = most;
  for (const { row, bytes: weight } of forest.items.values()) {
    // In the store a row takes less than on the heap.
    bytes += weight;
    if (bytes > most) {
      chunks.push([]);
      bytes = weight;
    }
    chunks.at(-1)?.push(row as AnyRow);
  }
  const { ttl } = settings;
  const written = chunks.map((chunk, at) =>
    deposit(parts, askOf(`${place}/${at}`), { pairs: [], epoch: scope.epoch, ttl }, [moment, chunk]),
  );
  if (!(await Promise.all(written)).every(Boolean)) return;
  const head: Head = { moment, place, chunks: chunks.length };
  await deposit(
    parts,
    askOf('head'),
    { pairs: scope.pairs, epoch: scope.epoch, ttl: ttl * (1 - settings.jitter * Math.random()) },
    head,
  );
}

/** So many sets of chunks a tree has in the store at most. */
const places = 4;
