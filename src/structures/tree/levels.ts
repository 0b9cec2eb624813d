import { runLoad, tellOfLoad } from '../../core/load.js';
import type { LoadContext } from '../../core/options.js';
import { Scope } from '../../core/scope.js';
import { treeBucket } from '../../core/tree-tags.js';
import type { KeyPart } from '../../values/index.js';
import { type AnyRow, ownRows } from './definition.js';
import type { Forest } from './forest.js';
import { keyOf, mostIds } from './item.js';
import { Shelves } from './shelves.js';
import type { Site } from './site.js';
import type { TreeContext } from './types.js';
import { Need } from './walks.js';

/**
 * Trees that are loaded part by part. What a walk needs is looked for in the store, then asked of the caller's functions,
 * all of a level at once; what somebody else is loading already is waited for. A part goes into the forest only if its
 * share still has the version that it had when the load began.
 */
export class Levels {
  readonly #site: Site;
  readonly #shelves: Shelves;
  /** Shares of which something was loaded, whose shelves are to be written when the read is over. */
  readonly #changed = { rows: new Set<number>(), lists: new Set<number>() };
  /** Why what was loaded cannot be kept. */
  torn: string | undefined;

  constructor(site: Site) {
    this.#site = site;
    this.#shelves = new Shelves(site);
  }

  /** @throws what the caller's functions throw; LoadTimeoutError; TypeError for rows that are none of this tree */
  async fetch(forest: Forest<AnyRow>, need: Need): Promise<void> {
    const own = new Need();
    const waits: Promise<unknown>[] = [];
    const share = (kind: 'rows' | 'lists') => {
      for (const [key, id] of need[kind]) {
        const loading = forest.loading.get(`${kind}/${key}`);
        const bucket = treeBucket((id ?? null) as KeyPart);
        if (loading !== undefined && forest.isSince(kind, bucket, loading.era)) waits.push(loading.done);
        else own[kind].set(key, id);
      }
    };
    share('rows');
    share('lists');
    if (!own.isEmpty) {
      const done = this.#load(forest, own);
      const names = [
        ...[...own.rows.keys()].map((it) => `rows/${it}`),
        ...[...own.lists.keys()].map((it) => `lists/${it}`),
      ];
      const { era } = forest;
      const loading = { era, done };
      for (const name of names) forest.loading.set(name, loading);
      const end = () => {
        for (const name of names) if (forest.loading.get(name) === loading) forest.loading.delete(name);
      };
      waits.push(done.finally(end));
    }
    await Promise.all(waits);
  }

  /** The same, level by level down to where it ends. */
  async fetchAll(forest: Forest<AnyRow>, need: Need): Promise<void> {
    for (let next = need; !next.isEmpty && this.torn === undefined; next = next.below(forest))
      await this.fetch(forest, next);
  }

  /** The read is over: others may have what it loaded. */
  flush(forest: Forest<AnyRow>): void {
    const { rows, lists } = this.#changed;
    if (rows.size + lists.size === 0 || forest.isDetached || !this.#site.parts.shared) return;
    void this.#shelves.put(forest, { rows: new Set(rows), lists: new Set(lists) });
    rows.clear();
    lists.clear();
  }

  async #load(forest: Forest<AnyRow>, need: Need): Promise<void> {
    const { parts, definition, tenant } = this.#site;
    const { era } = forest;
    if (parts.shared && !forest.isDetached && !forest.ignoresStore) await this.#shelves.take(forest, need);
    const { load, children } = definition.options;
    const context = (c: LoadContext): TreeContext => ({ signal: c.signal, tenant });
    const lists = [...need.lists].filter(([key]) => !forest.lists.get(key)?.isFresh).map(([, id]) => id);
    for (const parents of chunks(lists)) {
      const rows = await this.#run(forest, (c) => children?.(parents, context(c)));
      if (this.torn !== undefined) return;
      this.#putLists(forest, parents, rows, era);
      this.#site.amend(forest);
    }
    const ids = [...need.rows].filter(([key]) => !forest.items.get(key)?.isFresh).map(([, id]) => id);
    for (const some of chunks(ids)) {
      const rows = await this.#run(forest, (c) => load?.(some, context(c)));
      if (this.torn !== undefined) return;
      this.#putRows(forest, some, rows, era);
      this.#site.amend(forest);
    }
  }

  #putLists(forest: Forest<AnyRow>, parents: readonly unknown[], rows: readonly AnyRow[], era: number): void {
    const { shape } = this.#site.definition;
    const below = new Map(parents.map((id): [string, AnyRow[]] => [keyOf(id), []]));
    for (const row of rows) {
      const parent = shape.parentOf(row);
      const list = below.get(keyOf(parent));
      if (list === undefined)
        throw new TypeError(
          `Expected \`children\` of the tree '${this.#site.definition.name}' to answer with rows below the parents that it was asked for, got one below ${String(parent)}`,
        );
      list.push(row);
    }
    forest.begin();
    for (const parent of parents) {
      const bucket = treeBucket((parent ?? null) as KeyPart);
      const list = below.get(keyOf(parent)) as AnyRow[];
      const isSince =
        forest.isSince('lists', bucket, era) &&
        list.every((row) => forest.isSince('rows', bucketOf(shape.idOf(row)), era));
      if (!isSince) continue;
      forest.putList(parent, list);
      this.#changed.lists.add(bucket);
      for (const row of list) this.#changed.rows.add(bucketOf(shape.idOf(row)));
    }
  }

  #putRows(forest: Forest<AnyRow>, ids: readonly unknown[], rows: readonly AnyRow[], era: number): void {
    const { shape, name } = this.#site.definition;
    const found = new Map(rows.map((row) => [keyOf(shape.idOf(row)), row]));
    if (found.size < rows.length)
      throw new TypeError(`Expected \`load\` of the tree '${name}' to answer with each row once`);
    forest.begin();
    for (const id of ids) {
      const bucket = bucketOf(id);
      if (!forest.isSince('rows', bucket, era)) continue;
      forest.put(id, found.get(keyOf(id)) ?? null);
      this.#changed.rows.add(bucket);
    }
  }

  /** Runs one of the caller's functions, and learns what it depends on. */
  async #run(forest: Forest<AnyRow>, fn: (c: LoadContext) => Promise<readonly AnyRow[]> | undefined) {
    const { parts, definition, ask, tenant } = this.#site;
    // Detached, it belongs to the load around the running code, which sees its statements by itself.
    if (forest.isDetached) return ownRows(definition, tenant, (await fn({ signal: never, ...silent })) ?? []);
    const { key } = ask.identity;
    const { name } = ask.counter;
    const scope = new Scope(parts.tags, { key, name }, forest.guards, forest.epoch);
    const query = { ...ask.query, load: (c: LoadContext) => fn(c) };
    const { identity, settings, counter } = ask;
    const started = parts.clock.now();
    const rows = await runLoad(parts, { identity, settings, counter, query }, scope, { ttl: undefined }, [key]).catch(
      (error: unknown) => {
        const duration = parts.clock.now() - started;
        tellOfLoad(parts, ask, scope.pairs, { duration, stored: false, reason: 'it failed', error });
        throw error;
      },
    );
    scope.close();
    this.torn ??= scope.torn ?? scope.unstorable;
    for (const [tag, version] of scope.pairs) {
      if (this.#isOwn(tag)) continue;
      // Of two loads with a write between them either may end first: what the older one brought nobody would end.
      if ((forest.guards.get(tag) ?? version) !== version) this.torn ??= `'${tag}' was invalidated while the load ran`;
      else forest.guards.set(tag, version);
    }
    forest.expiresAt = Math.min(forest.expiresAt, parts.clock.now() + scope.ttl);
    const duration = parts.clock.now() - started;
    const outcome = this.torn === undefined ? { stored: true } : { stored: false, reason: this.torn };
    tellOfLoad(parts, ask, scope.pairs, { duration, ...outcome });
    return ownRows(definition, tenant, rows as readonly AnyRow[]);
  }

  /** Whether a tag belongs to the tree's own table, whose marks say more. */
  #isOwn(tag: string): boolean {
    return this.#site.marks.tables.some(
      (table) => tag === table || (tag.startsWith(table) && '#@!'.includes(tag.charAt(table.length))),
    );
  }
}

function bucketOf(id: unknown): number {
  return treeBucket(id as KeyPart);
}

function chunks(ids: readonly unknown[]): unknown[][] {
  const some: unknown[][] = [];
  for (let at = 0; at < ids.length; at += mostIds) some.push(ids.slice(at, at + mostIds));
  return some;
}

const never = new AbortController().signal;
const silent = { tag: () => {}, ttl: () => {}, skip: () => {} };
