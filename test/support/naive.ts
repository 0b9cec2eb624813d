import { AsyncLocalStorage } from 'node:async_hooks';
import type { Snapshot } from '../../src/index.js';
import type { EarlyQuery as Query, Subject } from './world.js';

/**
 * A small cache that is right, and that can be told to be wrong in one way: the negative control of the tests of races.
 * A test that its flawed form passes would be blind; that its right form passes shows that the flaw is what was found.
 */
export type Flaw =
  | 'deletes entries instead of raising versions'
  | 'takes versions after the load'
  | 'lets joiners have whatever lands'
  | 'deletes an entry and raises nothing for its key'
  | 'clears entries and raises nothing'
  | 'clears a namespace by its entries'
  | 'sets without ending what is being loaded'
  | 'takes versions when a value is set'
  | 'asks for the version of a learned tag after the load'
  | 'lets the last version of a tag win'
  | 'has no epoch'
  | 'counts the versions of each tag from 1'
  | 'stamps tags and entries by the clocks of their hosts'
  | 'serves aged values without looking at versions'
  | 'serves invalidated values when a load fails'
  | 'answers with an invalidated value when a load takes long'
  | 'has no flights'
  | 'keeps failures'
  | 'hands out what it holds'
  | 'holds what the load returned'
  | 'leaves the tenant out of the key'
  | 'lets the dependencies of inner loads stay inside'
  | 'serves inside of a transaction'
  | 'stores inside of a transaction'
  | 'invalidates before a transaction has ended'
  | 'acknowledges without the store'
  | 'forgets what it could not deliver'
  | 'serves what an undelivered tag should have ended'
  | 'takes a delivery for every refusal of its tag';

interface Entry {
  readonly value: unknown;
  readonly epoch: number;
  readonly pairs: ReadonlyMap<string, number>;
  /** By the clock of the host that loaded it. */
  readonly stamp: number;
  readonly freshUntil: number;
}

/** What all processes share. */
export class NaiveServer {
  epoch = 1;
  up = true;
  /** Deliveries wait for it. */
  gate: Promise<void> = Promise.resolve();
  /** The way there and back. */
  trip: () => Promise<unknown> = () => Promise.resolve();
  readonly entries = new Map<string, Entry>();
  readonly tagsOfKey = new Map<string, Set<string>>();
  readonly #versions = new Map<string, number>();
  #last = 0;

  constructor(readonly flaws: ReadonlySet<Flaw>) {}

  version(tag: string): number {
    const counts = this.flaws.has('counts the versions of each tag from 1');
    return this.#versions.get(tag) ?? (counts ? 0 : this.write(tag));
  }

  write(tag: string, stamp?: number): number {
    const counts = this.flaws.has('counts the versions of each tag from 1');
    const version = stamp ?? (counts ? this.version(tag) + 1 : ++this.#last);
    this.#versions.set(tag, version);
    return version;
  }

  stamp(tag: string): number | undefined {
    return this.#versions.get(tag);
  }

  lose(): void {
    this.#goBack([], []);
  }

  remember(): () => void {
    const versions = [...this.#versions];
    const entries = [...this.entries];
    return () => this.#goBack(versions, entries);
  }

  #goBack(versions: [string, number][], entries: [string, Entry][]): void {
    this.#versions.clear();
    this.entries.clear();
    for (const [tag, version] of versions) this.#versions.set(tag, version);
    for (const [key, entry] of entries) this.entries.set(key, entry);
    this.epoch++;
  }
}

interface Load {
  readonly pairs: Map<string, number>;
  torn: boolean;
}
interface Unit {
  readonly tags: Set<string>;
  ended: boolean;
}
interface Flight {
  readonly begun: number;
  readonly landed: Promise<Landing>;
}
interface Landing {
  readonly value: unknown;
  readonly pairs: ReadonlyMap<string, number>;
  readonly torn: boolean;
}

const loads = new AsyncLocalStorage<Load>();
const units = new AsyncLocalStorage<Unit>();

export class NaiveCache implements Subject {
  readonly #server: NaiveServer;
  readonly #flaws: ReadonlySet<Flaw>;
  readonly #now: () => number;
  readonly #prefix: string;
  readonly #tenant: (() => string | undefined) | undefined;
  readonly #home: { flights: Map<string, Flight>; pending: Map<string, object>; begun: number };

  constructor(
    server: NaiveServer,
    o: { now?: () => number; prefix?: string; tenant?: (() => string | undefined) | undefined } = {},
    home?: NaiveCache,
  ) {
    this.#server = server;
    this.#flaws = server.flaws;
    this.#now = o.now ?? (() => 0);
    this.#prefix = o.prefix ?? '';
    this.#tenant = o.tenant;
    this.#home = home === undefined ? { flights: new Map(), pending: new Map(), begun: 0 } : home.#home;
  }

  async getOrSet<T>(query: Query<T>): Promise<T> {
    if (this.#unit() !== undefined && !this.#flaws.has('serves inside of a transaction')) {
      if (!this.#flaws.has('stores inside of a transaction')) return query.load({ tag: () => {} });
      const landing = await this.#load(query, this.#key(query.key), this.#known(this.#key(query.key), query));
      return landing.value as T;
    }
    const { value, pairs, torn } = await this.#landing(query);
    const around = loads.getStore();
    if (around !== undefined && !this.#flaws.has('lets the dependencies of inner loads stay inside')) {
      for (const [tag, version] of pairs) this.#depend(around, tag, version);
      if (torn) around.torn = true;
    }
    return this.#out(value) as T;
  }

  async get(key: string): Promise<unknown> {
    await this.#trip();
    const entry = this.#server.entries.get(this.#key(key));
    return entry !== undefined && this.#holds(entry) ? this.#out(entry.value) : undefined;
  }

  async invalidate(...tags: string[]): Promise<void> {
    const unit = this.#unit();
    if (unit !== undefined && !this.#flaws.has('invalidates before a transaction has ended'))
      for (const tag of tags) unit.tags.add(tag);
    else await this.#raise(tags);
  }

  async delete(key: string): Promise<void> {
    const full = this.#key(key);
    if (!this.#flaws.has('deletes an entry and raises nothing for its key')) await this.#raise([`~k${full}`]);
    await this.#trip();
    this.#server.entries.delete(full);
  }

  async clear(): Promise<void> {
    const star = this.#prefix === '' ? '~*' : `~n${this.#prefix}`;
    const flaw = this.#prefix === '' ? 'clears entries and raises nothing' : 'clears a namespace by its entries';
    if (!this.#flaws.has(flaw)) await this.#raise([star]);
    await this.#trip();
    for (const key of [...this.#server.entries.keys()])
      if (key.startsWith(this.#prefix)) this.#server.entries.delete(key);
  }

  async snapshot(...tags: string[]): Promise<Snapshot> {
    await this.#trip();
    const held = { epoch: this.#server.epoch, pairs: new Map<string, number>(), stamp: this.#now() };
    for (const tag of [...this.#stars(), ...tags]) held.pairs.set(tag, this.#server.version(tag));
    // Taken without a key, so it holds what says whether any was deleted.
    return Object.assign(held, { deletes: this.#server.version('~d') }) as unknown as Snapshot;
  }

  async set(key: string, value: unknown, { since }: { since?: Snapshot } = {}): Promise<void> {
    if (this.#unit() !== undefined && !this.#flaws.has('stores inside of a transaction')) return;
    const full = this.#key(key);
    const taken = since as unknown as { epoch: number; pairs: Map<string, number>; stamp: number; deletes: number };
    const late = this.#flaws.has('takes versions when a value is set');
    if (!this.#flaws.has('sets without ending what is being loaded')) await this.#raise([`~k${full}`], false);
    const own = this.#server.version(`~k${full}`);
    if (!late && taken !== undefined && this.#server.version('~d') !== taken.deletes) return;
    const tags = [...(taken?.pairs.keys() ?? this.#stars())];
    const pairs = late || taken === undefined ? this.#versions(tags) : new Map(taken.pairs);
    pairs.set(`~k${full}`, own);
    await this.#trip();
    const { epoch, stamp } = taken ?? { epoch: this.#server.epoch, stamp: this.#now() };
    this.#server.entries.set(full, {
      value: this.#in(value),
      epoch,
      stamp,
      pairs,
      freshUntil: Number.POSITIVE_INFINITY,
    });
  }

  namespace(name: string): NaiveCache {
    const o = { now: this.#now, prefix: `${this.#prefix}${name}/`, tenant: this.#tenant };
    return new NaiveCache(this.#server, o, this);
  }

  tenant(id: string): NaiveCache {
    return this.#flaws.has('leaves the tenant out of the key') ? this : this.namespace(id);
  }

  async transaction<T>(fn: () => Promise<T>): Promise<T> {
    const outer = this.#unit();
    const unit: Unit = { tags: new Set(), ended: false };
    const result = await units.run(unit, fn).finally(() => {
      unit.ended = true;
    });
    if (outer?.ended === false) for (const tag of unit.tags) outer.tags.add(tag);
    else if (unit.tags.size > 0) await this.#raise([...unit.tags]);
    return result;
  }

  /** The store is back. */
  async deliver(): Promise<void> {
    const sent = [...this.#home.pending];
    await this.#server.gate;
    for (const [tag, refusal] of sent) {
      this.#server.write(tag);
      if (this.#home.pending.get(tag) === refusal || this.#flaws.has('takes a delivery for every refusal of its tag'))
        this.#home.pending.delete(tag);
    }
  }

  async #landing<T>(query: Query<T>): Promise<Landing> {
    const key = this.#key(query.key);
    const { flights } = this.#home;
    const began = ++this.#home.begun;
    for (;;) {
      const flight = this.#flaws.has('has no flights') ? undefined : flights.get(key);
      if (flight !== undefined) {
        const landing = await flight.landed;
        if (this.#flaws.has('lets joiners have whatever lands') || flight.begun > began) return landing;
        await this.#trip();
        if (!landing.torn && this.#same(landing.pairs)) return landing;
        continue;
      }
      const begun = ++this.#home.begun;
      await this.#trip();
      const entry = this.#server.entries.get(key);
      if (entry !== undefined && this.#mayServe(entry, query)) {
        const aged = this.#now() >= entry.freshUntil - (query.early ?? 0);
        if (aged && !flights.has(key)) void this.#takeOff(query, key, begun, entry).catch(() => {});
        return { ...entry, torn: false };
      }
      if (!this.#flaws.has('has no flights') && flights.has(key)) continue;
      return this.#takeOff(query, key, begun, entry);
    }
  }

  #takeOff<T>(query: Query<T>, key: string, begun: number, entry: Entry | undefined): Promise<Landing> {
    const { flights } = this.#home;
    const landed = this.#load(query, key, this.#known(key, query), entry);
    const own = { begun, landed };
    flights.set(key, own);
    const land = () => void (flights.get(key) === own && flights.delete(key));
    landed.then(land, this.#flaws.has('keeps failures') ? () => {} : land);
    return landed;
  }

  async #load<T>(query: Query<T>, key: string, before: ReadonlyMap<string, number>, entry?: Entry): Promise<Landing> {
    const { epoch } = this.#server;
    const own: Load = { pairs: new Map(before), torn: false };
    const stamp = this.#now();
    const learned = new Set<string>();
    const remembered = this.#versions(this.#server.tagsOfKey.get(key) ?? []);
    const tag = (...tags: string[]) => {
      for (const one of tags) {
        learned.add(one);
        const version = this.#flaws.has('asks for the version of a learned tag after the load')
          ? this.#server.version(one)
          : remembered.get(one);
        if (version === undefined) own.torn = true;
        else this.#depend(own, one, version);
      }
    };
    let value: unknown;
    try {
      const loading = loads.run(own, async () => query.load({ tag }));
      const slow = entry !== undefined && this.#flaws.has('answers with an invalidated value when a load takes long');
      value = await (slow ? Promise.race([loading, this.#patience(entry)]) : loading);
    } catch (error) {
      if (entry !== undefined && this.#flaws.has('serves invalidated values when a load fails'))
        return { ...entry, torn: false };
      throw error;
    }
    if (learned.size > 0) this.#server.tagsOfKey.set(key, learned);
    const late = this.#flaws.has('takes versions after the load');
    const pairs = late ? this.#versions(own.pairs.keys()) : own.pairs;
    const held = this.#in(value);
    if (!own.torn) {
      const freshUntil = this.#now() + (query.ttl ?? Number.POSITIVE_INFINITY);
      await this.#trip();
      this.#server.entries.set(key, { value: held, epoch, pairs, stamp, freshUntil });
    }
    return { value: held, pairs, torn: own.torn };
  }

  async #patience(entry: Entry): Promise<unknown> {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    return entry.value;
  }

  /** The versions of what is known to matter, from before the load. */
  #known(key: string, { tags = [] }: Query<unknown>): Map<string, number> {
    return this.#versions([...this.#stars(), `~k${key}`, ...tags]);
  }

  #depend(load: Load, tag: string, version: number): void {
    const first = load.pairs.get(tag);
    if (this.#flaws.has('lets the last version of a tag win')) load.pairs.set(tag, version);
    else if (first === undefined) load.pairs.set(tag, version);
    else if (first !== version) load.torn = true;
  }

  #mayServe(entry: Entry, { swr = 0 }: Query<unknown>): boolean {
    const aged = this.#now() >= entry.freshUntil;
    if (swr > 0 && this.#flaws.has('serves aged values without looking at versions')) return true;
    return this.#holds(entry) && (!aged || this.#now() < entry.freshUntil + swr);
  }

  #holds(entry: Entry): boolean {
    if (this.#flaws.has('deletes entries instead of raising versions')) return true;
    if (this.#flaws.has('stamps tags and entries by the clocks of their hosts'))
      return [...entry.pairs.keys()].every((tag) => (this.#server.stamp(tag) ?? 0) < entry.stamp);
    if (!this.#server.up) return false;
    return (entry.epoch === this.#server.epoch || this.#flaws.has('has no epoch')) && this.#same(entry.pairs);
  }

  #same(pairs: ReadonlyMap<string, number>): boolean {
    const trusts = this.#flaws.has('serves what an undelivered tag should have ended');
    return [...pairs].every(
      ([tag, version]) => this.#server.version(tag) === version && (trusts || !this.#home.pending.has(tag)),
    );
  }

  async #raise(tags: readonly string[], deletes = true): Promise<void> {
    await this.#trip();
    if (!this.#server.up) {
      if (!this.#flaws.has('forgets what it could not deliver'))
        for (const tag of tags) this.#home.pending.set(tag, {});
      if (this.#flaws.has('acknowledges without the store')) return;
      throw new Error('the store did not confirm');
    }
    await this.#server.gate;
    if (deletes && tags.some((tag) => tag.startsWith('~k'))) this.#server.write('~d');
    for (const tag of tags) {
      if (this.#flaws.has('stamps tags and entries by the clocks of their hosts')) this.#server.write(tag, this.#now());
      else if (!this.#flaws.has('deletes entries instead of raising versions')) this.#server.write(tag);
      else
        for (const [key, { pairs }] of [...this.#server.entries]) if (pairs.has(tag)) this.#server.entries.delete(key);
    }
  }

  #versions(tags: Iterable<string>): Map<string, number> {
    return new Map([...tags].map((tag) => [tag, this.#server.version(tag)]));
  }

  #stars(): string[] {
    return this.#prefix === '' ? ['~*'] : ['~*', `~n${this.#prefix}`];
  }

  #key(key: string): string {
    const tenant = this.#flaws.has('leaves the tenant out of the key') ? undefined : this.#tenant?.();
    return `${this.#prefix}${tenant === undefined ? '' : `${tenant}|`}${key}`;
  }

  #unit(): Unit | undefined {
    const unit = units.getStore();
    return unit?.ended === false ? unit : undefined;
  }

  #in(value: unknown): unknown {
    return this.#flaws.has('holds what the load returned') ? value : structuredClone(value);
  }

  #out(value: unknown): unknown {
    return this.#flaws.has('hands out what it holds') ? value : structuredClone(value);
  }

  /** To the server and back. */
  async #trip(): Promise<void> {
    await this.#server.trip();
  }
}
