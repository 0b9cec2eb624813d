import { currentScope } from '../../core/context.js';
import { Entry } from '../../core/entry.js';
import { StoreUnavailableError } from '../../core/errors.js';
import type { LoadContext } from '../../core/options.js';
import type { Parts } from '../../core/parts.js';
import type { Scope } from '../../core/scope.js';
import type { Version } from '../../core/store.js';
import { treeBuckets, treeListTag, treeRowTag } from '../../core/tree-tags.js';
import { warnOnce } from '../../core/warn.js';
import type { AnyRow, Marks } from './definition.js';
import { Forest } from './forest.js';
import type { Versions } from './item.js';
import { Levels } from './levels.js';
import type { Site } from './site.js';
import { Need } from './walks.js';

/**
 * The load of a by-level tree: not rows, but what of the rows that are here may still be believed.
 *
 * The core has looked before, and has the versions of the tree's marks from then. If only marks have moved, the versions
 * of all shares are asked for in one round trip, and what belongs to those that moved is not fresh any more. If anything
 * else has, or the tree is too old, nothing is. Marks are raised after the shares that they stand for, and were read
 * before these, so a mark that still is what it was proves all shares.
 */
export async function grow(
  site: Site,
  context: LoadContext,
  prior: Forest<AnyRow> | undefined,
): Promise<Forest<AnyRow>> {
  const { parts, definition } = site;
  const scope = currentScope(parts) as Scope;
  const { shape, settings } = definition;
  // Without versions, or while an invalidation is on its way, nothing can be kept: each reader loads what he needs.
  if (scope.torn !== undefined || isDistrusted(site)) {
    scope.tear('the versions of the tree are not known');
    return new Forest(shape, false, true);
  }
  const now = parts.clock.now();
  const versionOf = (tag: string) => versionBefore(parts, scope, tag);
  const moved = prior === undefined ? undefined : movedSince(site, scope.epoch, versionOf, prior);
  let forest: Forest<AnyRow>;
  if (prior === undefined || prior.expiresAt <= now) {
    forest = prior?.copy() ?? new Forest(shape, false);
    forest.expiresAt = now + settings.ttl * (1 - settings.jitter * Math.random());
  } else forest = prior;
  const isNew = forest !== prior;
  if (isNew || moved !== 'nothing') {
    const versions = await versionsOf(site, scope);
    const isAll = isNew || moved === 'all';
    if (moved === 'all' && isUnmarked(site, scope, forest)) forest.ignoresStore = true;
    forest.advance(versions, isAll);
    forest.epoch = scope.epoch;
    forest.guards = new Map(isAll ? scope.pairs : [...forest.guards, ...scope.pairs]);
  }
  // Who may be served the old tree meanwhile shall find the new one whole.
  if (isNew && prior !== undefined && settings.swr + settings.staleOnError > 0) await reload(site, forest, prior);
  context.ttl(Math.max(1, Math.ceil(forest.expiresAt - parts.clock.now())));
  return forest;
}

/** What the cache is told at the moment in which it keeps a forest. */
export function weigh(site: Site, forest: Forest<AnyRow>, scope: Scope): number {
  for (const [tag, version] of forest.guards) {
    const known = scope.pairs.get(tag);
    if (known === undefined) scope.pairs.set(tag, version);
    else if (known !== version) scope.refuse(`'${tag}' was invalidated while the load ran`);
  }
  tellOfSize(site, forest);
  return forest.bytes;
}

/** Brings what is in memory up to what its forest has come to know. */
export function amend(site: Site, forest: Forest<AnyRow>): void {
  const { parts, ask } = site;
  const { key } = ask.identity;
  const entry = parts.near.peek(key);
  if (entry?.kept.value !== forest) return;
  const pairs = new Map(entry);
  for (const [tag, version] of forest.guards) if (!pairs.has(tag)) pairs.set(tag, version);
  const { kept, epoch, begun, storedAt, cost, origin, counter, tenant } = entry;
  const freshUntil = Math.min(entry.freshUntil, forest.expiresAt);
  const amended = new Entry(parts.tags, {
    ...{ pairs, epoch, begun, storedAt, freshUntil, cost, origin, counter, tenant },
    kept: { ...kept, bytes: forest.bytes },
    keepUntil: entry.keepUntil - (entry.freshUntil - freshUntil),
  });
  amended.used = entry.used;
  tellOfSize(site, forest);
  parts.near.write(key, amended);
}

/** What is larger than all of the memory is not kept, and then it is loaded at each read. */
function tellOfSize({ parts, definition }: Site, { bytes }: Forest<AnyRow>): void {
  const most = parts.settings.memory?.maxBytes;
  if (most === undefined || bytes <= most) return;
  const { name } = definition;
  warnOnce(
    `tree:${name}`,
    `The tree '${name}' is not kept in memory: it takes about ${bytes} bytes, and \`memory.maxBytes\` is ${most}.`,
  );
}

/** Which of the tree's dependencies have moved since its forest was looked after. */
export function movedSince(
  site: Site,
  epoch: string | undefined,
  versionOf: (tag: string) => Version | undefined,
  forest: Forest<AnyRow>,
): 'nothing' | 'marks' | 'all' {
  if (forest.epoch !== epoch) return 'all';
  const { own, tables, isPrecise } = site.marks;
  let marks = false;
  let table = false;
  for (const [tag, version] of forest.guards) {
    if (versionOf(tag) === version) continue;
    if (own.includes(tag)) marks = true;
    else if (isPrecise && tables.includes(tag)) table = true;
    else return 'all';
  }
  if (table && !marks) return 'all';
  return marks ? 'marks' : 'nothing';
}

/** The table was written by somebody who does not know of its tree: nor do the shelves in the store. */
function isUnmarked({ parts, marks }: Site, scope: Scope, { guards, epoch }: Forest<AnyRow>): boolean {
  const moved = (tag: string) => guards.has(tag) && versionBefore(parts, scope, tag) !== guards.get(tag);
  return epoch === scope.epoch && marks.isPrecise && marks.tables.some(moved) && !marks.own.some(moved);
}

/** The version that a tag had before this load. */
function versionBefore({ shared, tags }: Parts, scope: Scope, tag: string): Version | undefined {
  return scope.known(tag) ?? (shared ? undefined : tags.cell(tag).version);
}

/** Whether an invalidation of it has not been delivered, or was a moment ago. */
export function isDistrusted({ parts, marks, trustedAgain }: Site): boolean {
  if (parts.tags.trustedAgain !== trustedAgain) return true;
  return parts.tags.distrusted > 0 && marks.all.some((tag) => parts.tags.isDistrusted(tag));
}

/** Of all shares, from now: what is remembered of them may be older than the marks that have been read. */
async function versionsOf({ parts, marks }: Site, scope: Scope): Promise<Versions> {
  if (!parts.shared) return versionsFrom(marks, (tag) => parts.tags.cell(tag).version as Version);
  const names = shareTags(marks);
  const answer = await parts.session.read(undefined, names);
  if (answer.epoch !== scope.epoch) throw new StoreUnavailableError('its epoch changed during a look');
  const versions = new Map(names.map((tag, at) => [tag, answer.versions[at] as Version]));
  return versionsFrom(marks, (tag) => versions.get(tag) as Version);
}

/** The names of all shares. */
export function shareTags({ own }: Marks): string[] {
  return own.flatMap((mark) => [...all.map((at) => treeRowTag(mark, at)), ...all.map((at) => treeListTag(mark, at))]);
}

/** Several names of one table count as one. */
export function versionsFrom({ own }: Marks, versionOf: (tag: string) => Version): Versions {
  const joined = (nameOf: (mark: string, at: number) => string) =>
    all.map((at) => {
      const versions = own.map((mark) => versionOf(nameOf(mark, at)));
      return versions.length === 1 ? (versions[0] as Version) : versions.join('|');
    });
  return { rows: joined(treeRowTag), lists: joined(treeListTag) };
}

const all = Array.from({ length: treeBuckets }, (_, at) => at);

/** Loads what another forest believed. */
async function reload(site: Site, forest: Forest<AnyRow>, prior: Forest<AnyRow>): Promise<void> {
  const need = new Need();
  for (const [key, { id, isFresh }] of prior.lists) if (isFresh) need.lists.set(key, id);
  for (const [key, { id, isFresh, row }] of prior.items) if (isFresh && row !== null) need.rows.set(key, id);
  const levels = new Levels(site);
  await levels.fetch(forest, need);
  levels.flush(forest);
}
