import { type AnyRule, encodeKey } from '../values/index.js';
import { agree } from './agreement.js';
import type { Query } from './ask.js';
import { currentScope, currentUnit, isInLoad, loadsUnderWay, runWithin } from './context.js';
import type { CacheEvents } from './events.js';
import { refuse, refuseAll } from './findings.js';
import { type Gathering, gather, gatheredSoFar, handUpAll } from './gather.js';
import { clearTags } from './identity.js';
import { observe, versionOf } from './observe.js';
import type { ReadSettings } from './options.js';
import type { Cached } from './outcome.js';
import type {
  Attached,
  Gathered,
  Observation,
  Observed,
  OpenUnit,
  Outcome,
  Port,
  PortRead,
  Safety,
  Unit,
} from './port.js';
import { cachedFrom, cachedOf } from './report.js';
import { resolveReadOptions } from './resolve.js';
import type { Version } from './store.js';
import { acknowledge } from './transaction.js';
import { createUnit } from './unit.js';
import type { View } from './view.js';

/** The port of a view: its keys are the view's, all else belongs to the cache as a whole. */
export class ViewPort implements Port {
  readonly #view: View;
  readonly everything: readonly string[];

  constructor(view: View) {
    this.#view = view;
    this.everything = clearTags(view.parts.shared);
  }

  attach(client: Attached): () => void {
    return this.#view.parts.clients.attach(client);
  }

  addTypes(rules: readonly AnyRule[]): void {
    this.#view.parts.types.add(rules);
  }

  inLoad(): boolean {
    return isInLoad();
  }

  observe(statement: Observed): Observation | Promise<Observation> | undefined {
    return observe(this.#view.parts, statement);
  }

  refuse(reason: string): void {
    refuse(this.#view.parts, reason);
  }

  anyLoad(): boolean {
    return loadsUnderWay().size > 0;
  }

  refuseAll(reason: string): void {
    refuseAll(reason);
  }

  version(tag: string): Promise<Version | undefined> {
    return versionOf(this.#view.parts, tag);
  }

  versionHere(tag: string): Version | undefined {
    const { shared, tags } = this.#view.parts;
    return shared ? undefined : tags.cell(tag).version;
  }

  agree(tag: string, rules: string): Promise<Version | undefined> {
    return agree(this.#view.parts, tag, rules);
  }

  gather<T>(name: string, fn: (into: Gathered) => T | Promise<T>): Promise<T> {
    return gather(this.#view.parts, name, fn);
  }

  gathered(): Gathered | undefined {
    return gatheredSoFar(this.#view.parts);
  }

  handUp(name: string, from: Iterable<Gathered>): void {
    handUpAll(this.#view.parts, name, from as Iterable<Gathering>);
  }

  unit(): Unit | undefined {
    return currentUnit(this.#view.parts);
  }

  createUnit(): OpenUnit {
    return createUnit();
  }

  within<T>(unit: Unit, fn: () => T | Promise<T>): Promise<T> {
    return runWithin({ owner: this.#view.parts, unit }, fn);
  }

  async acknowledge(tags: readonly string[], result: unknown, owner?: string): Promise<Outcome> {
    const { parts } = this.#view;
    if (tags.length === 0) return undefined;
    this.#join(tags);
    const send = async () => {
      const { receipt } = await parts.invalidations.raise(tags, owner);
      if (owner !== undefined) parts.fences.lifted(owner);
      return receipt;
    };
    return acknowledge(parts, tags, result, send);
  }

  async acknowledgeAtOnce(tags: readonly string[]): Promise<Outcome> {
    const { parts } = this.#view;
    if (tags.length === 0) return undefined;
    this.#join(tags);
    const send = async () => (await parts.invalidations.raiseAtOnce(tags)).receipt;
    // Whoever wrote has gone on, and cannot be thrown at.
    return acknowledge(parts, tags, undefined, send).catch((error) => error);
  }

  acknowledgeLater(tags: readonly string[], ms: number): void {
    this.#view.parts.invalidations.later(tags, ms);
  }

  get safety(): Safety {
    return this.#view.parts.settings;
  }

  fence(tags: readonly string[], owner: string, ms: number): Promise<void> {
    return this.#view.parts.fences.place(tags, owner, ms);
  }

  fenceEnded(owner: string, isOver: boolean): void {
    this.#view.parts.fences.ended(owner, isOver);
  }

  read<T>(read: PortRead<T>): Promise<Cached<T>> {
    const view = this.#view;
    const { parts } = view;
    const { name, settings, fresh = false, load, again } = read;
    if (read.statement !== undefined) currentScope(parts)?.begins(read.statement);
    let key: string;
    try {
      key = view.keyOf(encodeKey(read.key as never, parts.types));
    } catch (error) {
      return view.unkeyable(error, name, load).then((landing) => cachedOf<T>(landing));
    }
    const entry = fresh ? undefined : view.hit(key, settings);
    if (entry !== undefined) return Promise.resolve(cachedFrom<T>(parts, entry));
    const { version } = parts.settings;
    const query: Query = {
      ...{ name, settings, version, fresh, load, again },
      isStatement: true,
      // To find them takes as long as a hit, and in memory nobody asks.
      get likely() {
        return read.likely;
      },
    };
    const miss = () => view.miss(view.ask(key, query)).then((landing) => cachedOf<T>(landing));
    const joined = fresh || settings.tolerate > 0 ? undefined : view.join(key, settings);
    if (joined === undefined) return miss();
    return joined.then((landing) => (landing === undefined ? miss() : cachedOf<T>(landing)));
  }

  settings(options: object, base: ReadSettings = this.#view.parts.settings.read): ReadSettings {
    return resolveReadOptions(options, base);
  }

  whyPast(): string | undefined {
    return this.#view.whyPast();
  }

  emit<E extends keyof CacheEvents>(type: E, event: CacheEvents[E]): void {
    this.#view.parts.events.emit(type, event);
  }

  now(): number {
    return this.#view.parts.clock.now();
  }

  after(ms: number, fn: () => void): () => void {
    return this.#view.parts.clock.after(ms, fn);
  }

  atClose(fn: () => Promise<unknown>): () => void {
    const { closing, writes, clock } = this.#view.parts;
    const end = (timeout: number) => {
      let stop = () => {};
      const late = new Promise<void>((resolve) => {
        stop = clock.after(timeout, resolve);
      });
      writes.add(Promise.race([fn(), late]).finally(() => stop()));
    };
    closing.add(end);
    return () => closing.delete(end);
  }

  get outbox(): { readonly name: string; readonly interval: number } | undefined {
    const { name, outbox } = this.#view.parts.settings;
    return outbox === undefined ? undefined : { name, interval: outbox };
  }

  #join(tags: readonly string[]): void {
    const unit = currentUnit(this.#view.parts);
    if (unit !== undefined) for (const tag of tags) unit.tags.add(tag);
  }
}
