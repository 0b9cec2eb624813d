import { encodeKey, handOut, type Key, UnkeyableError } from '../values/index.js';
import { Ask, type Query } from './ask.js';
import { currentContext, currentTrace, currentUnit, handUp, note, runForGood } from './context.js';
import { tagsOfOption, tagsOfWhat, type What } from './dependency.js';
import { type Duration, parseDuration } from './duration.js';
import { answerOf, type Entry, holdsHere } from './entry.js';
import { ClosedError, describe, expected, TenantMissingError } from './errors.js';
import { type CacheEvents, eventNames } from './events.js';
import { type Explanation, explain } from './explain.js';
import type { Cache, CacheStats, Read, ReadMany } from './face.js';
import { fill, gather, landed } from './fill.js';
import { type Landing, protectedAs, valueOf } from './flight.js';
import { clearTags, deleteTag, type Identity, keyTag, type Place, snapshotTags, starOf, starsOf } from './identity.js';
import type { Receipt } from './invalidate.js';
import { look } from './look.js';
import { fillMany } from './many.js';
import type { LoadContext, Mode, ReadSettings, Timing } from './options.js';
import type { Cached, Traced } from './outcome.js';
import { closeParts, type Parts } from './parts.js';
import { loadPast } from './past.js';
import { put } from './put.js';
import { refuseUnknown, resolveReadOptions, setNames, withTags } from './resolve.js';
import { shadow } from './shadow.js';
import { isSnapshot, makeSnapshot, type Snapshot } from './snapshot.js';
import { nameOf } from './stats.js';
import { invalidate, transaction } from './transaction.js';
import type { View } from './view.js';
import { warnOnce } from './warn.js';
import { boundInvalidates, boundWithCache } from './wrap.js';

const brand = Symbol.for('unstale.cache');

/**
 * The cache as its users hold it, and the path of a hit.
 *
 * A hit is: the full key, an entry in memory, its age, its versions. Nothing on that path is asynchronous, merges
 * options or looks anything up twice; whatever does not pass is `fill`'s. A view (a namespace, a tenant) differs from
 * its cache in the key's beginning and in what `clear` raises; all else is shared.
 */
export class CacheView implements Cache, View {
  readonly parts: Parts;
  readonly #view: Place;
  /** Of the whole view, unless the tenant is the request's. */
  readonly #stars: readonly string[];
  /** No tenant, namespace, variation or mode to think of: the key is the key, and hits need nothing else. */
  readonly #plain: boolean;
  readonly #mode: Mode | (() => Mode);

  constructor(parts: Parts, view: Place = { namespaces: [], tenant: undefined }) {
    this.parts = parts;
    this.#view = view;
    this.#stars = starsOf(view);
    const { settings } = parts;
    this.#mode = settings.mode;
    this.#plain =
      view.namespaces.length === 0 &&
      view.tenant === undefined &&
      settings.tenant === undefined &&
      settings.tenancy === 'optional' &&
      settings.vary === undefined;
    Object.defineProperty(this, brand, { value: true });
    // Bound, so that `export const { withCache, invalidates } = cache` works.
    this.withCache = boundWithCache.bind(undefined, this) as Cache['withCache'];
    this.invalidates = boundInvalidates.bind(undefined, this) as Cache['invalidates'];
  }

  readonly withCache: Cache['withCache'];
  readonly invalidates: Cache['invalidates'];

  getOrSet<T>(read: Read<T, string>): Promise<T> {
    try {
      const key = this.keyOf(encodeKey(read.key, this.parts.types));
      const entry = isOrdinary(read) ? this.hit(key, this.parts.settings.read) : undefined;
      if (entry !== undefined) return answerOf(entry) as Promise<T>;
      const joined = isOrdinary(read) ? this.join(key, this.parts.settings.read) : undefined;
      if (joined === undefined) return this.miss(this.#asking(key, read)).then((landing) => valueOf(landing) as T);
      return joined.then(
        (landing) => (landing === undefined ? this.miss(this.#asking(key, read)).then(valueOf) : valueOf(landing)) as T,
      );
    } catch (error) {
      return this.unkeyable(asRead(read, error), nameOf(read?.key), taggedLoad(read)).then(
        (landing) => valueOf(landing) as T,
      );
    }
  }

  read<T>(read: Read<T, string>): Promise<Cached<T>> {
    try {
      const key = this.keyOf(encodeKey(read.key, this.parts.types));
      const entry = isOrdinary(read) ? this.hit(key, this.parts.settings.read) : undefined;
      if (entry !== undefined) return Promise.resolve(this.cachedFrom<T>(entry));
      return this.miss(this.#asking(key, read)).then((landing) => cachedOf<T>(landing));
    } catch (error) {
      return this.unkeyable(asRead(read, error), nameOf(read?.key), taggedLoad(read)).then((landing) =>
        cachedOf<T>(landing),
      );
    }
  }

  async getOrSetMany<In, T>(read: ReadMany<In, T, string>): Promise<T[]> {
    this.#refuseWhenClosed('read');
    if (typeof read !== 'object' || read === null)
      throw expected('read', 'an object with `inputs`, `key` and `load`', read);
    return fillMany(this, read);
  }

  async get<T = unknown>(key: Key): Promise<T | undefined> {
    const landing = await this.#find(key);
    return landing && (valueOf(landing) as T);
  }

  async has(key: Key): Promise<boolean> {
    return (await this.#find(key)) !== undefined;
  }

  async set(key: Key, value: unknown, { since, ...timing }: Timing & { since?: Snapshot } = {}): Promise<void> {
    this.#refuseWhenClosed('set');
    if (since !== undefined && !isSnapshot(since)) throw expected('since', 'a snapshot of this cache', since);
    refuseUnknown(timing, setNames, 'set');
    const settings = resolveReadOptions(timing, this.parts.settings.read);
    // Past the cache nothing is stored; the old value ends all the same.
    if (this.whyPast() !== undefined) return void (await this.delete(key));
    await put(this.parts, this.#askFor(key, settings, notLoading), value, since);
  }

  async delete(key: Key): Promise<Receipt> {
    this.#refuseWhenClosed('delete');
    const ask = this.#askFor(key, this.parts.settings.read, notLoading);
    const receipt = await invalidate(this.parts, [deleteTag(ask.keyHash), keyTag(ask.keyHash)]);
    if (currentUnit(this.parts) === undefined) {
      this.parts.near.delete(ask.identity.key);
      this.parts.session.remove(ask.hash);
    }
    return receipt;
  }

  async snapshot(...what: readonly What<string>[]): Promise<Snapshot> {
    this.#refuseWhenClosed('snapshot');
    const tags = [...tagsOfWhat(what, 'reads'), ...snapshotTags(this.parts.shared), ...this.#identity('').stars];
    return makeSnapshot(this.parts, tags);
  }

  async invalidate(...what: readonly What<string>[]): Promise<Receipt> {
    this.#refuseWhenClosed('invalidate');
    return invalidate(this.parts, tagsOfWhat(what, 'writes'));
  }

  async clear(): Promise<Receipt> {
    this.#refuseWhenClosed('clear');
    return invalidate(this.parts, this.#stars.length > 0 ? [starOf(this.#view)] : clearTags(this.parts.shared));
  }

  async transaction<T>(fn: () => T | Promise<T>): Promise<T> {
    this.#refuseWhenClosed('transaction');
    if (typeof fn !== 'function') throw expected('fn', 'a function', fn);
    return transaction(this.parts, fn);
  }

  async within<T>(handle: object, _fn: () => Promise<T>): Promise<T> {
    throw new TypeError(
      `Expected \`transaction\` to belong to a client wrapped by an adapter of unstale, got ${describe(handle)}; without one put cache.transaction(() => …) around the whole transaction`,
    );
  }

  namespace(name: string): Cache {
    if (typeof name !== 'string' || name === '') throw expected('name', 'a non-empty text', name);
    return new CacheView(this.parts, { ...this.#view, namespaces: [...this.#view.namespaces, name] });
  }

  tenant(id: string | number): Cache {
    return new CacheView(this.parts, { ...this.#view, tenant: checkTenant(id) });
  }

  async explain(key: Key, version = this.parts.settings.version): Promise<Explanation> {
    const ask = this.#askFor(key, this.parts.settings.read, notLoading, version);
    return explain(this.parts, ask, this.whyPast());
  }

  stats(): CacheStats {
    const { stats, near } = this.parts;
    return {
      hitRate: (prefix) => stats.hitRate(prefix),
      counts: (prefix) => stats.counts(prefix),
      entries: near.size,
      bytes: near.bytes,
    };
  }

  trace(): readonly Traced[];
  trace<T>(fn: () => T): T;
  trace<T>(fn?: () => T): T | readonly Traced[] {
    if (fn === undefined) return [...(currentTrace(this.parts) ?? [])];
    if (typeof fn !== 'function') throw expected('fn', 'a function', fn);
    return runForGood({ owner: this.parts, trace: [] }, fn);
  }

  on<E extends keyof CacheEvents>(event: E, listener: (event: CacheEvents[E]) => void): () => void {
    if (!eventNames.has(event)) throw expected('event', [...eventNames].join(', '), event);
    if (typeof listener !== 'function') throw expected('listener', 'a function', listener);
    return this.parts.events.on(event, listener);
  }

  async settled({ timeout }: { timeout?: Duration } = {}): Promise<void> {
    await this.parts.invalidations.settled(
      timeout === undefined ? Number.POSITIVE_INFINITY : parseDuration('timeout', timeout),
    );
  }

  async close({ timeout = 5000 }: { timeout?: Duration } = {}): Promise<void> {
    await closeParts(this.parts, parseDuration('timeout', timeout));
  }

  // What follows is for wrapped functions, `getOrSetMany` and the companions.

  /** The full key: what the caller said, and whatever else tells its answer from another's. @throws TenantMissingError */
  keyOf(text: string): string {
    if (this.#plain) return text;
    const { settings, types } = this.parts;
    // No text of a key starts with a quote and a bar, and the list has three parts: nothing can be read in two ways.
    return `"|${encodeKey([this.#view.namespaces, this.#tenant(text), settings.vary?.()], types)}|${text}`;
  }

  /** The entry that may be handed out at once, if there is one. */
  hit(key: string, { maxStale, copy }: ReadSettings): Entry | undefined {
    const { parts } = this;
    if (parts.shared && maxStale === 0) return undefined;
    const entry = parts.near.get(key);
    if (entry === undefined || entry.kept.copy !== copy || this.mode() !== 'on') return undefined;
    const now = parts.shared ? parts.clock.now() : parts.clock.coarse();
    // Without a store nothing can be missing, so there is nothing to subtract.
    const floor = parts.shared ? now - maxStale : 0;
    if (now >= entry.settledUntil || !holdsHere(parts.tags, parts.session.epoch, entry, floor)) return undefined;
    if (currentContext() !== undefined && !this.#hitInContext(entry)) return undefined;
    entry.counter.hits++;
    entry.used = true;
    if (parts.events.hears('hit'))
      parts.events.emit('hit', {
        key,
        name: entry.counter.name,
        source: 'near',
        age: this.#ageOf(entry),
        stale: false,
      });
    return entry;
  }

  /** A flight that this read can join in passing, without a thought of its own. */
  join(key: string, { maxStale, copy, hard, soft }: ReadSettings): Promise<Landing | undefined> | undefined {
    const { parts } = this;
    const flight = parts.flights.get(key);
    if (flight === undefined || soft !== undefined || currentContext() !== undefined) return undefined;
    // What is in memory may be good enough to be served meanwhile.
    if (this.mode() !== 'on' || parts.near.peek(key) !== undefined) return undefined;
    const { ask } = flight;
    // What its reader tolerates, those who join may not; nor may its time be longer or shorter than theirs.
    const alike = ask.settings.tolerate === 0 && ask.settings.maxStale === maxStale && ask.settings.hard === hard;
    if (!alike) return undefined;
    return gather(parts, flight).then((landing) => {
      if (landing === undefined) return undefined;
      this.report(ask, landing);
      return protectedAs(landing, copy, parts.types);
    });
  }

  /** Whatever is no plain hit: one report at the single exit. */
  async miss(ask: Ask): Promise<Landing> {
    const { parts } = this;
    this.#refuseWhenClosed('read');
    const why = this.whyPast();
    if (why !== undefined) return this.past(ask, why);
    const landing = await (this.mode() === 'shadow' ? shadow(parts, ask) : fill(parts, ask));
    this.report(ask, landing);
    return protectedAs(landing, ask.settings.copy, parts.types);
  }

  /** A read that goes past the cache. */
  async past(ask: Ask, why: string): Promise<Landing> {
    const landing = await loadPast(this.parts, ask, why);
    this.report(ask, landing);
    return landing;
  }

  /** Why reads go past the cache at the moment. */
  whyPast(): string | undefined {
    const mode = this.mode();
    if (mode === 'bypass') return "the cache's mode is 'bypass'";
    if (mode !== 'on' && mode !== 'shadow') throw expected('mode', "'on' or 'bypass' or 'shadow'", mode);
    return currentUnit(this.parts) === undefined ? undefined : 'inside a transaction';
  }

  mode(): Mode {
    return typeof this.#mode === 'function' ? this.#mode() : this.#mode;
  }

  ask(key: string, query: Query): Ask {
    return new Ask(this.#identity(key), this.parts.stats.counter(query.name), query);
  }

  /** Makes sure that two functions of a view do not share a name. @throws TypeError */
  claim(name: string, owner: object): void {
    const full = `${encodeKey([this.#view.namespaces, this.#view.tenant])}${name}`;
    const known = this.parts.names.get(full);
    if (known !== undefined && known !== owner)
      throw new TypeError(
        `Expected \`name\` to be new in this cache, got '${name}' a second time: two functions of one name would share entries`,
      );
    this.parts.names.set(full, owner);
  }

  cachedOf<T>(landing: Landing): Cached<T> {
    return cachedOf(landing);
  }

  cachedFrom<T>(entry: Entry): Cached<T> {
    return { value: handOut(entry.kept) as T, source: 'near', age: this.#ageOf(entry), stored: true };
  }

  /** A call whose arguments cannot become a key is not cached: somebody would get another's value. */
  async unkeyable(
    error: unknown,
    name: string,
    load: ((context: LoadContext) => unknown) | undefined,
  ): Promise<Landing> {
    if (!(error instanceof UnkeyableError) || this.parts.settings.onUnkeyable === 'throw' || load === undefined)
      throw error;
    warnOnce(`unkeyable:${name}`, `'${name}' is not cached: ${error.message}. Give a \`key\`.`);
    const ask = this.ask('', { name, settings: this.parts.settings.read, version: '', load });
    return this.past(ask, error.message);
  }

  /** Counts and tells how a read ended, and hands its dependencies to the load around it. */
  report(ask: Ask, landing: Landing): void {
    const { counter, identity } = ask;
    const { events } = this.parts;
    const { source, age, stale, reason = 'nothing stored' } = landing;
    if (source === 'near' || source === 'store') {
      counter.hits++;
      if (events.hears('hit')) events.emit('hit', { key: identity.key, name: counter.name, source, age, stale });
    } else if (source === 'load') {
      counter.misses++;
      if (events.hears('miss')) events.emit('miss', { key: identity.key, name: counter.name, reason });
    }
    if (currentContext() === undefined) return;
    if (landing.source !== 'database') handUp(this.parts, landing);
    note(this.parts, () => ({ ...cachedOf(landing), name: counter.name }));
  }

  /** A hit inside a load, a traced request or a transaction. Inside a transaction it is none. */
  #hitInContext(entry: Entry): boolean {
    if (currentUnit(this.parts) !== undefined) return false;
    handUp(this.parts, {
      pairs: entry,
      ttl: entry.freshUntil - this.parts.clock.now(),
      stale: false,
      torn: undefined,
    });
    note(this.parts, () => ({ ...this.cachedFrom(entry), name: entry.counter.name }));
    return true;
  }

  #asking(key: string, read: Read<unknown, string>): Ask {
    if (typeof read.load !== 'function') throw expected('load', 'a function', read.load);
    const { key: own, load, fresh = false } = read;
    const settings = this.#settingsOf(read);
    return this.ask(key, {
      name: nameOf(own),
      settings,
      version: this.parts.settings.version,
      fresh,
      load: load as Query['load'],
    });
  }

  #settingsOf(read: Read<unknown, string>): ReadSettings {
    const base = this.parts.settings.read;
    // The common read names tags at most; there is nothing to check and complete in it.
    let says = 'nothing';
    for (const name in read)
      if (name !== 'key' && name !== 'load') says = name === 'tags' && says === 'nothing' ? 'tags' : 'more';
    if (says === 'nothing') return base;
    if (says === 'tags') return withTags(base, tagsOfOption(read.tags, 'reads'));
    const { key: _, load: __, ...options } = read;
    return resolveReadOptions(options, base);
  }

  #askFor(key: Key, settings: ReadSettings, load: Query['load'], version = this.parts.settings.version): Ask {
    const full = this.keyOf(encodeKey(key, this.parts.types));
    return this.ask(full, { name: nameOf(key), settings, version, load });
  }

  /** What is stored and may be served, without loading. */
  async #find(key: Key): Promise<Landing | undefined> {
    this.#refuseWhenClosed('get');
    const ask = this.#askFor(key, this.parts.settings.read, notLoading);
    if (this.mode() !== 'on' || currentUnit(this.parts) !== undefined) return undefined;
    const { entry, tolerated, source } = await look(this.parts, ask);
    if (entry === undefined || tolerated || this.parts.clock.now() >= entry.freshUntil) {
      ask.counter.misses++;
      this.parts.events.emit('miss', { key: ask.identity.key, name: ask.counter.name, reason: 'nothing stored' });
      return undefined;
    }
    const landing = landed(this.parts, entry, source, false, undefined);
    this.report(ask, landing);
    return protectedAs(landing, ask.settings.copy, this.parts.types);
  }

  #identity(key: string): Identity {
    const tenant = this.#plain ? undefined : this.#tenant(key);
    return { key, stars: tenant === this.#view.tenant ? this.#stars : starsOf({ ...this.#view, tenant }) };
  }

  #tenant(what: string): string | number | undefined {
    const { settings } = this.parts;
    const tenant = this.#view.tenant ?? settings.tenant?.();
    if (tenant !== undefined) return checkTenant(tenant);
    if (settings.tenancy === 'required') throw new TenantMissingError(what);
    return undefined;
  }

  #ageOf(entry: Entry): number {
    return Math.max(0, this.parts.clock.now() - entry.storedAt);
  }

  #refuseWhenClosed(what: string): void {
    if (this.parts.closed) throw new ClosedError(what);
  }
}

/** The error of a read, or of what is none. */
function asRead(read: unknown, error: unknown): unknown {
  if (typeof read === 'object' && read !== null) return error;
  return expected('read', 'an object with `key` and `load`', read);
}

/** For a read that goes past the cache: its tags belong to the load around it, which may be stored. */
function taggedLoad(read: Read<unknown, string> | undefined): Query['load'] | undefined {
  if (typeof read?.load !== 'function') return undefined;
  return (context) => {
    context.tag(...(read.tags ?? []));
    return read.load(context);
  };
}

/** Reads that say something about staleness or freshness are for `fill` to think about. */
function isOrdinary(read: Read<unknown, string>): boolean {
  return (
    !read.fresh &&
    read.maxStale === undefined &&
    read.copy === undefined &&
    read.timeout === undefined &&
    read.tolerate === undefined
  );
}

function checkTenant(id: unknown): string | number {
  if ((typeof id === 'string' && id !== '') || (typeof id === 'number' && !Number.isNaN(id))) return id;
  throw expected('tenant', 'a non-empty text or a number', id);
}

function cachedOf<T>(landing: Landing): Cached<T> {
  const { source, age, stored, reason } = landing;
  return { value: valueOf(landing) as T, source, age, stored, ...(reason === undefined ? {} : { reason }) };
}

const notLoading = () => undefined;
