import { encodeKey, type Key, UnkeyableError } from '../values/index.js';
import { Ask, type Query } from './ask.js';
import { audit } from './audit.js';
import type { Audits } from './audits.js';
import { currentAudit, currentContext, currentUnit, handUp, note, orTorn } from './context.js';
import { type Entry, holdsHere } from './entry.js';
import { ClosedError, expected, TenantMissingError } from './errors.js';
import { marksOf } from './events.js';
import { type Explanation, explain } from './explain.js';
import { fill } from './fill.js';
import { type Landing, protectedAs } from './flight.js';
import { deleteTag, type Identity, keyTag, type Place, starsOf } from './identity.js';
import { joinCrowd } from './join.js';
import type { LoadContext, Mode, ReadSettings } from './options.js';
import type { Parts } from './parts.js';
import { loadPast } from './past.js';
import type { Receipt } from './receipt.js';
import { ageOf, cachedFrom, report } from './report.js';
import { shadow } from './shadow.js';
import { nameOf } from './stats.js';
import { checkTenant } from './tenancy.js';
import { invalidate } from './transaction.js';
import { warnOnce } from './warn.js';

/**
 * A place in a cache, as wrapped functions, batches and adapters see it: the cache itself, a namespace or a tenant. And
 * the path of a hit.
 *
 * A hit is: the full key, an entry in memory, its age, its versions. Nothing on that path is asynchronous, merges
 * options or looks anything up twice; whatever does not pass is `fill`'s. Views differ in the key's beginning and in
 * what `clear` raises; all else is shared. Place and path are one class, since a hit must find in a field of its own
 * what the place has to say, which most of the time is nothing.
 */
export class View {
  readonly parts: Parts;
  readonly place: Place;
  /** Of the whole view, unless the tenant is the request's. */
  readonly stars: readonly string[];
  /** No tenant, namespace, variation or mode to think of: the key is the key, and hits need nothing else. */
  #plain: boolean;
  /** The same, but for `runAsTenant`: a key outside of it is what it is in a process that never called it. */
  readonly #bare: boolean;
  readonly #mode: Mode | (() => Mode);
  /** Undefined when no hit is audited: that is all that a hit has to look at then. */
  readonly #audits: Audits | undefined;

  constructor(parts: Parts, place: Place) {
    this.parts = parts;
    this.place = place;
    this.stars = starsOf(place);
    const { settings } = parts;
    this.#mode = settings.mode;
    this.#audits = settings.audit > 0 ? parts.audits : undefined;
    this.#plain =
      place.namespaces.length === 0 &&
      place.tenant === undefined &&
      settings.tenant === undefined &&
      settings.tenancy === 'optional' &&
      settings.vary === undefined;
    this.#bare = this.#plain;
    if (this.#bare)
      parts.tenancy.onFirst(() => {
        this.#plain = false;
      });
  }

  /** The full key: what the caller said, and whatever else tells its answer from another's. @throws TenantMissingError */
  keyOf(text: string): string {
    if (this.#plain) return text;
    const { settings, types } = this.parts;
    const tenant = this.#tenant(text);
    if (this.#bare && tenant === undefined) return text;
    // No text of a key starts with a quote and a bar, and the list has three parts: nothing can be read in two ways.
    return `"|${encodeKey([this.place.namespaces, tenant, settings.vary?.()], types)}|${text}`;
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
    if (this.#audits?.isDue()) return undefined;
    if (currentContext() !== undefined && !this.#hitInContext(entry)) return undefined;
    entry.counter.hit();
    entry.used = true;
    if (parts.events.hears('hit'))
      parts.events.emit('hit', {
        key,
        name: entry.counter.name,
        source: 'near',
        age: ageOf(parts, entry),
        stale: false,
        ...marksOf(parts.stats, entry.tenant, entry),
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
    return joinCrowd(parts, flight).then((landing) => {
      if (landing === undefined) return undefined;
      report(parts, ask, landing);
      return protectedAs(landing, copy, parts.types);
    });
  }

  /** Whatever is no plain hit: one report at the single exit. */
  async miss(ask: Ask): Promise<Landing> {
    const { parts } = this;
    this.refuseWhenClosed('read');
    const why = this.whyPast();
    if (why !== undefined) return this.past(ask, why);
    const landing = await orTorn(parts, this.mode() === 'shadow' ? shadow(parts, ask) : fill(parts, ask));
    report(parts, ask, landing);
    audit(parts, ask, landing);
    return protectedAs(landing, ask.settings.copy, parts.types);
  }

  /** A read that goes past the cache. */
  async past(ask: Ask, why: string): Promise<Landing> {
    const landing = await loadPast(this.parts, ask, why);
    report(this.parts, ask, landing);
    return landing;
  }

  /** Why reads go past the cache at the moment. */
  whyPast(): string | undefined {
    const mode = this.mode();
    if (mode === 'bypass') return "the cache's mode is 'bypass'";
    if (mode !== 'on' && mode !== 'shadow') throw expected('mode', "'on' or 'bypass' or 'shadow'", mode);
    if (currentUnit(this.parts) !== undefined) return 'inside a transaction';
    return currentAudit(this.parts) === undefined ? undefined : 'inside an audit';
  }

  mode(): Mode {
    return typeof this.#mode === 'function' ? this.#mode() : this.#mode;
  }

  ask(key: string, query: Query): Ask {
    return new Ask(this.identityOf(key), this.parts.stats.counter(query.name), query);
  }

  /** Makes sure that two functions of a view do not share a name. @throws TypeError */
  claim(name: string, owner: object): void {
    const full = `${encodeKey([this.place.namespaces, this.place.tenant])}${name}`;
    const known = this.parts.names.get(full);
    if (known !== undefined && known !== owner)
      throw new TypeError(
        `Expected \`name\` to be new in this cache, got '${name}' a second time: two functions of one name would share entries`,
      );
    this.parts.names.set(full, owner);
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

  async delete(key: Key): Promise<Receipt> {
    this.refuseWhenClosed('delete');
    const ask = this.askFor(key);
    const receipt = await invalidate(this.parts, [deleteTag(ask.keyHash), keyTag(ask.keyHash)]);
    if (currentUnit(this.parts) === undefined) {
      this.parts.near.delete(ask.identity.key);
      this.parts.session.remove(ask.hash);
    }
    return receipt;
  }

  async explain(key: Key, version = this.parts.settings.version): Promise<Explanation> {
    const ask = this.askFor(key, this.parts.settings.read, version);
    return explain(this.parts, ask, this.whyPast());
  }

  /** What is asked for by a key alone, without a load. */
  askFor(key: Key, settings = this.parts.settings.read, version = this.parts.settings.version): Ask {
    const full = this.keyOf(encodeKey(key, this.parts.types));
    return this.ask(full, { name: nameOf(key), settings, version, load: notLoading });
  }

  identityOf(key: string): Identity {
    const tenant = this.#plain ? undefined : this.#tenant(key);
    return { key, stars: tenant === this.place.tenant ? this.stars : starsOf({ ...this.place, tenant }), tenant };
  }

  /** @throws ClosedError */
  refuseWhenClosed(what: string): void {
    if (this.parts.closed) throw new ClosedError(what);
  }

  /** A hit inside a load, a traced request, a transaction or an audit. Inside the last two it is none. */
  #hitInContext(entry: Entry): boolean {
    if (currentUnit(this.parts) !== undefined || currentAudit(this.parts) !== undefined) return false;
    handUp(this.parts, {
      pairs: entry,
      ttl: entry.freshUntil - this.parts.clock.now(),
      stale: false,
      torn: undefined,
    });
    note(this.parts, () => ({ ...cachedFrom(this.parts, entry), name: entry.counter.name }));
    return true;
  }

  #tenant(what: string): string | number | undefined {
    const { settings, tenancy } = this.parts;
    const tenant = this.place.tenant ?? tenancy.current() ?? settings.tenant?.();
    if (tenant !== undefined) return checkTenant(tenant);
    if (settings.tenancy === 'required') throw new TenantMissingError(what);
    return undefined;
  }
}

const notLoading = () => undefined;
