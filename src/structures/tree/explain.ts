import { absent, type Explanation, explain, seconds } from '../../core/explain.js';
import { Known } from '../../core/known.js';
import type { Version } from '../../core/store.js';
import { treeListTag, treeRowTag } from '../../core/tree-tags.js';
import type { AnyRow } from './definition.js';
import { Forest } from './forest.js';
import { isDistrusted, movedSince, shareTags, versionsFrom } from './growth.js';
import { type Item, keyOf } from './item.js';
import { bucketOf, Shelves } from './shelves.js';
import type { Site } from './site.js';
import { Need } from './walks.js';

/**
 * What a read of a row and of all that is below it would find, and what would have to be loaded. It looks as a read does,
 * and serves, counts and keeps nothing.
 */
export function explainRow(site: Site, id: unknown, past: string | undefined): Promise<Explanation> {
  return site.definition.options.rows === undefined ? explainParts(site, id, past) : explainAll(site, id, past);
}

/** All rows are one value: here, or in the store as a head that says which chunks hold. */
async function explainAll(site: Site, id: unknown, past: string | undefined): Promise<Explanation> {
  const { parts, ask, askOf } = site;
  const here = await explain(parts, ask, past);
  const isFar = here.source === undefined && parts.shared;
  const found = isFar ? await explain(parts, askOf('head'), past) : here;
  const text = found.text.replace(isFar ? askOf('head').identity.key : ask.identity.key, named(site));
  const row = forestHere(site)?.items.get(keyOf(id))?.row ? 'is' : 'is not';
  return { ...found, text: here.source === undefined ? text : `${text}\nrow ${String(id)} ${row} in it` };
}

async function explainParts(site: Site, id: unknown, past: string | undefined): Promise<Explanation> {
  const { parts, ask, marks } = site;
  const forest = forestHere(site);
  const guards = [...new Set([...(forest?.guards.keys() ?? []), ...marks.all])];
  const now = parts.clock.now();
  const known = new Known(parts, now);
  try {
    await known.ask(undefined, [...guards, ...shareTags(marks)]);
  } catch (error) {
    return absent(`the store could not be asked about ${named(site)}: ${(error as Error).message}`);
  }
  const versionOf = (tag: string) => known.versions.get(tag) as Version;
  const isAged = forest !== undefined && forest.expiresAt <= now;
  const isEnded = forest !== undefined && movedSince(site, known.epoch, versionOf, forest) === 'all';
  /** As a reader would have it who knew nothing: what is in the store goes in here. */
  const far = new Forest<AnyRow>(site.definition.shape, false);
  far.versions = versionsFrom(marks, versionOf);
  far.epoch = known.epoch ?? '';
  far.guards = new Map(guards.map((tag) => [tag, versionOf(tag)]));
  const { need, count } = look(isAged || isEnded ? undefined : forest, far, id);
  const isHere = need.isEmpty;
  if (!isHere && parts.shared && forest?.ignoresStore !== true) await new Shelves(site).take(far, need);
  for (const key of need.rows.keys()) if (far.items.get(key)?.isFresh) need.rows.delete(key);
  for (const key of need.lists.keys()) if (far.lists.get(key)?.isFresh) need.lists.delete(key);
  const isOnTheWay = isDistrusted(site);
  const served = need.isEmpty && past === undefined && !isOnTheWay;
  const entry = parts.near.peek(ask.identity.key);
  const freshFor = forest && forest.expiresAt - now;
  const lines = [
    `row ${String(id)} of ${named(site)}, and what is below it: ${served ? 'would be served' : 'would be loaded'}`,
    inMemory(forest?.items.get(keyOf(id)), count),
    ...(freshFor === undefined || isAged ? [] : [`fresh for another ${seconds(freshFor)}`]),
    ...(isAged ? ['the tree is too old: all of it is asked for again'] : []),
    ...(isEnded ? ['something else than its rows has changed: all of it is asked for again'] : []),
    ...(need.isEmpty ? [] : [`to be asked for: ${partsIn(need, forest)}`]),
    ...(isHere || !need.isEmpty ? [] : ['what is not in memory is in the store']),
    ...(past === undefined ? [] : [`reads go past the cache: ${past}`]),
    ...(isOnTheWay ? ['reads go past the cache: an invalidation of it is on its way'] : []),
  ];
  const source = served ? (isHere ? 'near' : 'store') : undefined;
  const tags = forest === undefined ? [] : tagsOf(site, forest, far, id);
  return {
    ...{ text: lines.join('\n'), served, source, freshFor, tags },
    age: entry && Math.max(0, now - entry.storedAt),
    origin: entry?.origin,
  };
}

function forestHere({ parts, ask }: Site): Forest<AnyRow> | undefined {
  return parts.near.peek(ask.identity.key)?.kept.value as Forest<AnyRow> | undefined;
}

/** What is missing of a row and all that is below it, as far as anybody here knows of it; and how many rows there are. */
function look(forest: Forest<AnyRow> | undefined, now: Forest<AnyRow>, id: unknown): { need: Need; count: number } {
  const need = new Need();
  const seen = new Map([[keyOf(id), id]]);
  for (const [key, one] of seen) {
    const item = forest?.items.get(key);
    const list = forest?.lists.get(key);
    const holds = (kind: 'rows' | 'lists') =>
      forest?.versions[kind][bucketOf(one)] === now.versions[kind][bucketOf(one)];
    if (!(item?.isFresh && holds('rows'))) need.rows.set(key, one);
    else if (item.row === null) continue;
    if (!(list?.isFresh && holds('lists'))) need.list(key, one, 0);
    for (const below of list?.keys ?? []) seen.set(below, forest?.items.get(below)?.id);
  }
  return { need, count: seen.size - 1 };
}

function inMemory(item: Item<AnyRow> | undefined, count: number): string {
  if (item === undefined) return 'not in memory';
  return item.row === null ? 'in memory it is known as missing' : `in memory, with ${count} below it`;
}

/** The first of them by name, with the reason. */
function partsIn({ rows, lists }: Need, forest: Forest<AnyRow> | undefined): string {
  const why = (isKnown: boolean | undefined) =>
    isKnown ? 'it has changed, or shares a version with what has' : 'nobody here has asked for it yet';
  const parts = [
    ...Array.from(rows, ([key, id]) => `row ${String(id)} (${why(forest?.items.has(key))})`),
    ...Array.from(lists, ([key, id]) => `the children of ${String(id)} (${why(forest?.lists.has(key))})`),
  ];
  const more = parts.length - mostNamed;
  return [...parts.slice(0, mostNamed), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

const mostNamed = 8;

/** What all of the tree depends on, and the shares of the row and of its children. */
function tagsOf({ marks }: Site, forest: Forest<AnyRow>, now: Forest<AnyRow>, id: unknown): Explanation['tags'] {
  const bucket = bucketOf(id);
  const share = (kind: 'rows' | 'lists') => forest.versions[kind][bucket] === now.versions[kind][bucket];
  return [
    ...Array.from(forest.guards, ([tag, version]) => ({ tag, holds: now.guards.get(tag) === version })),
    ...marks.own.map((mark) => ({ tag: treeRowTag(mark, bucket), holds: share('rows') })),
    ...marks.own.map((mark) => ({ tag: treeListTag(mark, bucket), holds: share('lists') })),
  ];
}

function named({ definition }: Site): string {
  return `the tree '${definition.name}'`;
}
