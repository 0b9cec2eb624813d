import { encodeKey, type Key } from '../values/index.js';
import { namesOf, refuseUnknown } from './check.js';
import { currentAudit, currentTrace, runForGood, runWithin } from './context.js';
import { tagsOfWhat, type What } from './dependency.js';
import { type Duration, parseDuration } from './duration.js';
import { answerOf } from './entry.js';
import { describe, expected } from './errors.js';
import { type CacheEvents, eventNames } from './events.js';
import type { Explanation } from './explain.js';
import type { CacheStats, CoreCache, Read, ReadMany } from './face.js';
import { find } from './find.js';
import { valueOf } from './flight.js';
import { clearTags, type Place, snapshotTags, starOf } from './identity.js';
import { fillMany } from './many.js';
import type { Timing } from './options.js';
import type { Cached, Traced } from './outcome.js';
import { closeParts, type Parts } from './parts.js';
import { type Port, portOf } from './port.js';
import { put } from './put.js';
import type { Receipt } from './receipt.js';
import { cachedFrom, cachedOf } from './report.js';
import { resolveReadOptions, timing } from './resolve.js';
import { askOf, isOrdinary, readUnkeyable } from './single.js';
import { isSnapshot, makeSnapshot, type Snapshot } from './snapshot.js';
import { checkTenant } from './tenancy.js';
import { invalidate, transaction } from './transaction.js';
import { View } from './view.js';
import { ViewPort } from './view-port.js';
import { boundInvalidates, boundWithCache } from './wrap.js';

const brand = Symbol.for('unstale.cache');

/** Options of `set`. Tags are not among them: they are its snapshot's. */
const setNames = namesOf<Timing & { since?: Snapshot }>({ ...timing, since: true });

/** The cache as its users hold it: checks what they say, and hands it to the view that it stands for. */
export class CacheView implements CoreCache {
  readonly parts: Parts;
  readonly #view: View;
  #port: Port | undefined;
  readonly withCache: CoreCache['withCache'];
  readonly invalidates: CoreCache['invalidates'];

  constructor(parts: Parts, place: Place = { namespaces: [], tenant: undefined }) {
    this.parts = parts;
    this.#view = new View(parts, place);
    Object.defineProperty(this, brand, { value: true });
    // Bound, so that `export const { withCache, invalidates } = cache` works.
    this.withCache = boundWithCache.bind(undefined, this.#view) as CoreCache['withCache'];
    this.invalidates = boundInvalidates.bind(undefined, this.#view) as CoreCache['invalidates'];
  }

  /** For the structures that are made of it. */
  get view(): View {
    return this.#view;
  }

  /** For adapters. */
  get [portOf](): Port {
    this.#port ??= new ViewPort(this.#view);
    return this.#port;
  }

  getOrSet<T>(read: Read<T, string>): Promise<T> {
    const view = this.#view;
    try {
      const key = view.keyOf(encodeKey(read.key, this.parts.types));
      const entry = isOrdinary(read) ? view.hit(key, this.parts.settings.read) : undefined;
      if (entry !== undefined) return answerOf(entry) as Promise<T>;
      const joined = isOrdinary(read) ? view.join(key, this.parts.settings.read) : undefined;
      if (joined === undefined) return view.miss(askOf(view, key, read)).then((landing) => valueOf(landing) as T);
      return joined.then(
        (landing) => (landing === undefined ? view.miss(askOf(view, key, read)).then(valueOf) : valueOf(landing)) as T,
      );
    } catch (error) {
      return readUnkeyable(view, read, error).then((landing) => valueOf(landing) as T);
    }
  }

  read<T>(read: Read<T, string>): Promise<Cached<T>> {
    const view = this.#view;
    try {
      const key = view.keyOf(encodeKey(read.key, this.parts.types));
      const entry = isOrdinary(read) ? view.hit(key, this.parts.settings.read) : undefined;
      if (entry !== undefined) return Promise.resolve(cachedFrom<T>(this.parts, entry));
      return view.miss(askOf(view, key, read)).then((landing) => cachedOf<T>(landing));
    } catch (error) {
      return readUnkeyable(view, read, error).then((landing) => cachedOf<T>(landing));
    }
  }

  async getOrSetMany<In, T>(read: ReadMany<In, T, string>): Promise<T[]> {
    this.#view.refuseWhenClosed('read');
    if (typeof read !== 'object' || read === null)
      throw expected('read', 'an object with `inputs`, `key` and `load`', read);
    return fillMany(this.#view, read);
  }

  async get<T = unknown>(key: Key): Promise<T | undefined> {
    const landing = await find(this.#view, key);
    return landing && (valueOf(landing) as T);
  }

  async has(key: Key): Promise<boolean> {
    return (await find(this.#view, key)) !== undefined;
  }

  async set(key: Key, value: unknown, { since, ...options }: Timing & { since?: Snapshot } = {}): Promise<void> {
    this.#view.refuseWhenClosed('set');
    if (since !== undefined && !isSnapshot(since)) throw expected('since', 'a snapshot of this cache', since);
    refuseUnknown(options, setNames, 'set');
    const settings = resolveReadOptions(options, this.parts.settings.read);
    // An audit leaves no mark.
    if (currentAudit(this.parts) !== undefined) return;
    // Past the cache nothing is stored; the old value ends all the same.
    if (this.#view.whyPast() !== undefined) return void (await this.delete(key));
    await put(this.parts, this.#view.askFor(key, settings), value, since);
  }

  async delete(key: Key): Promise<Receipt> {
    return this.#view.delete(key);
  }

  async snapshot(...what: readonly What<string>[]): Promise<Snapshot> {
    this.#view.refuseWhenClosed('snapshot');
    const tags = [
      ...tagsOfWhat(this.parts, what, 'reads'),
      ...snapshotTags(this.parts.shared),
      ...this.#view.identityOf('').stars,
    ];
    return makeSnapshot(this.parts, tags);
  }

  async invalidate(...what: readonly What<string>[]): Promise<Receipt> {
    this.#view.refuseWhenClosed('invalidate');
    return invalidate(this.parts, tagsOfWhat(this.parts, what, 'writes'));
  }

  async clear(): Promise<Receipt> {
    this.#view.refuseWhenClosed('clear');
    return invalidate(
      this.parts,
      this.#view.stars.length > 0 ? [starOf(this.#view.place)] : clearTags(this.parts.shared),
    );
  }

  async transaction<T>(fn: () => T | Promise<T>): Promise<T> {
    this.#view.refuseWhenClosed('transaction');
    if (typeof fn !== 'function') throw expected('fn', 'a function', fn);
    return transaction(this.parts, fn);
  }

  async within<T>(handle: object, fn: () => Promise<T>): Promise<T> {
    this.#view.refuseWhenClosed('within');
    if (typeof fn !== 'function') throw expected('fn', 'a function', fn);
    const isHandle = (typeof handle === 'object' && handle !== null) || typeof handle === 'function';
    const unit = isHandle ? this.parts.clients.unitOf(handle) : undefined;
    if (unit === undefined)
      throw new TypeError(
        `Expected \`transaction\` to belong to a client wrapped by an adapter of unstale, got ${describe(handle)}; without one put cache.transaction(() => …) around the whole transaction`,
      );
    if (unit.ended) throw new TypeError('Expected `transaction` to be running, got one that has ended');
    return runWithin({ owner: this.parts, unit }, fn);
  }

  namespace(name: string): this {
    if (typeof name !== 'string' || name === '') throw expected('name', 'a non-empty text', name);
    const { place } = this.#view;
    return this.#at({ ...place, namespaces: [...place.namespaces, name] });
  }

  tenant(id: string | number): this {
    return this.#at({ ...this.#view.place, tenant: checkTenant(id) });
  }

  runAsTenant<T>(id: string | number, fn: () => T): T {
    if (typeof fn !== 'function') throw expected('fn', 'a function', fn);
    return this.parts.tenancy.run(checkTenant(id), fn);
  }

  /** The same face at another place. */
  #at(place: Place): this {
    return new (this.constructor as new (parts: Parts, place: Place) => this)(this.parts, place);
  }

  async explain(key: Key): Promise<Explanation> {
    return this.#view.explain(key);
  }

  stats(): CacheStats {
    const { stats, near } = this.parts;
    return {
      hitRate: (by) => stats.hitRate(by),
      counts: stats.counts.bind(stats) as CacheStats['counts'],
      entries: near.size,
      bytes: near.bytes,
      audits: { ...this.parts.audits.counts },
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
}
