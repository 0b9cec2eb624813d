import type { Version } from '../../core/store.js';
import { treeBucket, treeBuckets } from '../../core/tree-tags.js';
import { decodeEntry, type KeyPart } from '../../values/index.js';
import type { AnyRow } from './definition.js';
import { deposit } from './deposit.js';
import type { Forest } from './forest.js';
import { keyOf } from './item.js';
import type { Site } from './site.js';
import type { Need } from './walks.js';

/**
 * Parts of a by-level tree in the store: shelves of some shares each, with their rows, or with their lists as ids. On a
 * shelf each share holds under its own version, and the shelf under whatever the whole tree depends on. The reader knows
 * all of these already, so shelves are read without asking for a single version; several processes fill them as they
 * come to know more.
 */
export class Shelves {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Takes what is needed out of the store, as far as it is there: lists come with their rows. */
  async take(forest: Forest<AnyRow>, need: Need): Promise<void> {
    const { era } = forest;
    const wanted = [...need.lists].map(([key, id]) => ({ key, id, bucket: bucketOf(id) }));
    await this.#open(forest, 'lists', new Set(wanted.map(({ bucket }) => bucket)));
    const lists = wanted.flatMap(({ key, id, bucket }) => {
      const [, ids, versions] = shareOf(forest, 'lists', bucket)?.lists.get(key) ?? [];
      const isSame = ids?.every((one, at) => versionOf(forest, one) === versions?.[at]) === true;
      return ids !== undefined && isSame && forest.isSince('lists', bucket, era) ? [{ id, ids }] : [];
    });
    const rows = [...need.rows.values(), ...lists.flatMap(({ ids }) => ids)].filter((id) => !isFresh(forest, id));
    await this.#open(forest, 'rows', new Set(rows.map(bucketOf)));
    for (const { id, ids } of lists) {
      const found = ids.map((one) => forest.items.get(keyOf(one)));
      const isWhole = found.every((item) => item?.isFresh && item.row !== null && item.parent === keyOf(id));
      if (!isWhole || !forest.isSince('lists', bucketOf(id), era)) continue;
      forest.begin();
      const content = found.map((item) => item?.row as AnyRow);
      forest.putList(id, content);
    }
  }

  /** Writes the shelves of these shares anew, with what else is on them. Never rejects. */
  async put(forest: Forest<AnyRow>, changed: Record<Kind, ReadonlySet<number>>): Promise<void> {
    await Promise.all([this.#open(forest, 'rows', changed.rows), this.#open(forest, 'lists', changed.lists)]);
    const rows = sharesOn(changed.rows);
    const lists = sharesOn(changed.lists);
    for (const item of forest.items.values()) if (item.isFresh) rows.get(item.bucket)?.push([item.id, item.row]);
    for (const [key, list] of forest.lists) {
      const share = list.isFresh ? lists.get(list.bucket) : undefined;
      if (share === undefined) continue;
      const items = list.keys.map((one) => forest.items.get(one));
      // The order of a list may come from any column of its rows: it holds with these, and no others.
      if (items.every((item) => item?.isFresh))
        share.push([list.id, items.map((item) => item?.id), items.map((item) => versionOf(forest, item?.id))]);
      forest.shelved.get(`lists/${list.bucket}`)?.lists.delete(key);
    }
    // What others have put there, and nobody has wanted here yet.
    for (const [bucket, share] of lists) share.push(...(shareOf(forest, 'lists', bucket)?.lists.values() ?? []));
    const guards = [...forest.guards].filter(([tag]) => !this.#moves(tag));
    const terms = { pairs: guards, epoch: forest.epoch, ttl: forest.expiresAt - this.#site.parts.clock.now() };
    const write = (kind: Kind, shares: ReadonlyMap<number, unknown[]>) => {
      const shelves = new Map<number, Share[]>();
      for (const [bucket, content] of shares) {
        const shelf = shelves.get(shelfOf(bucket)) ?? [];
        shelf.push([bucket, forest.versions[kind][bucket] as Version, content]);
        shelves.set(shelfOf(bucket), shelf);
      }
      return [...shelves].map(([at, shelf]) =>
        deposit(this.#site.parts, this.#site.askOf(`${kind}/${at}`), terms, shelf),
      );
    };
    await Promise.all([...write('rows', rows), ...write('lists', lists)]);
  }

  /** Tags that every change raises: the shares stand for them. */
  #moves(tag: string): boolean {
    const { own, tables, isPrecise } = this.#site.marks;
    return own.includes(tag) || (isPrecise && tables.includes(tag));
  }

  /** Each share is looked for once, until it moves. */
  async #open(forest: Forest<AnyRow>, kind: Kind, buckets: ReadonlySet<number>): Promise<void> {
    const { era } = forest;
    const closed = [...buckets].filter((bucket) => shareOf(forest, kind, bucket) === undefined);
    const opened = await Promise.all([...new Set(closed.map(shelfOf))].map((at) => this.#shelf(forest, kind, at)));
    await this.#learn(forest, opened);
    for (const { at, tags, versions, freshUntil, content } of opened) {
      const holds = tags.every((tag, place) => forest.guards.get(tag) === versions[place]);
      const shares = new Map((holds ? content() : []).map((share) => [share[0], share]));
      if (shares.size > 0) forest.expiresAt = Math.min(forest.expiresAt, freshUntil);
      for (const bucket of bucketsOn(at)) {
        if (!forest.isSince(kind, bucket, era) || shareOf(forest, kind, bucket) !== undefined) continue;
        const share = shares.get(bucket);
        const parts = share !== undefined && share[1] === forest.versions[kind][bucket] ? share[2] : [];
        const lists = kind === 'lists' ? (parts as List[]).map((list): [string, List] => [keyOf(list[0]), list]) : [];
        forest.shelved.set(`${kind}/${bucket}`, { era, lists: new Map(lists) });
        if (kind === 'rows') putAll(forest, parts as [unknown, AnyRow | null][]);
      }
    }
    this.#site.amend(forest);
  }

  /** What is on a shelf: nothing, if there is none that could be used. */
  async #shelf(forest: Forest<AnyRow>, kind: Kind, at: number): Promise<Opened> {
    const { session, types, clock } = this.#site.parts;
    const empty = { at, tags: [], versions: [], freshUntil: 0, content: () => [] };
    const answer = await session.read(this.#site.askOf(`${kind}/${at}`).hash, []).catch(() => undefined);
    const found = answer?.entry && decodeEntry(answer.entry, { maxBytes: session.maxEntryBytes }, types);
    if (found?.head.epoch !== forest.epoch) return empty;
    const freshUntil = found.head.freshUntil + clock.now() - session.now();
    if (freshUntil <= clock.now()) return empty;
    const content = () => {
      const value = found.value();
      return Array.isArray(value) ? value : [];
    };
    return { at, tags: found.head.tags, versions: found.head.versions, freshUntil, content };
  }

  /** What loads of other processes depended on, so does this forest from now on. */
  async #learn(forest: Forest<AnyRow>, opened: readonly Opened[]): Promise<void> {
    const unknown = [...new Set(opened.flatMap(({ tags }) => tags))].filter((tag) => !forest.guards.has(tag));
    if (unknown.length === 0) return;
    const answer = await this.#site.parts.session.read(undefined, unknown).catch(() => undefined);
    if (answer?.epoch !== forest.epoch) return;
    for (const [at, tag] of unknown.entries()) forest.guards.set(tag, answer.versions[at] as Version);
  }
}

type Kind = 'rows' | 'lists';
type Share = readonly [bucket: number, version: Version, content: readonly unknown[]];
/** A list by its ids, and the versions that the shares of its rows had. */
type List = readonly [id: unknown, ids: readonly unknown[], versions: readonly Version[]];

interface Opened {
  readonly at: number;
  readonly tags: readonly string[];
  readonly versions: readonly Version[];
  readonly freshUntil: number;
  content(): Share[];
}

/** So many shares are on a shelf: few entries for a whole tree, and little to read for a single row. */
const perShelf = 16;

function shelfOf(bucket: number): number {
  return Math.floor(bucket / perShelf);
}

function bucketsOn(shelf: number): number[] {
  return Array.from({ length: Math.min(perShelf, treeBuckets) }, (_, at) => shelf * perShelf + at);
}

/** All shares on the shelves of these, empty. */
function sharesOn(buckets: ReadonlySet<number>): Map<number, unknown[]> {
  const shelves = new Set(Array.from(buckets, shelfOf));
  return new Map([...shelves].flatMap(bucketsOn).map((bucket) => [bucket, []]));
}

/** What was found of a share, if it has not moved since. */
function shareOf(forest: Forest<AnyRow>, kind: Kind, bucket: number) {
  const share = forest.shelved.get(`${kind}/${bucket}`);
  return share !== undefined && forest.isSince(kind, bucket, share.era) ? share : undefined;
}

/** The share of a row, or of the list below it. */
export function bucketOf(id: unknown): number {
  return treeBucket((id ?? null) as KeyPart);
}

function versionOf(forest: Forest<AnyRow>, id: unknown): Version {
  return forest.versions.rows[bucketOf(id)] as Version;
}

function isFresh(forest: Forest<AnyRow>, id: unknown): boolean {
  return forest.items.get(keyOf(id))?.isFresh === true;
}

function putAll(forest: Forest<AnyRow>, rows: readonly [unknown, AnyRow | null][]): void {
  forest.begin();
  for (const [id, row] of rows) if (!isFresh(forest, id)) forest.put(id, row).seenAt = Number.NaN;
}
