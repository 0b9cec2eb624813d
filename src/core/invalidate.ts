import type { Clock } from './clock.js';
import { InvalidationPendingError } from './errors.js';
import type { Events } from './events.js';
import { clearTags, isEarlyTag } from './identity.js';
import type { CacheSettings } from './options.js';
import { type Receipt, receiptOf } from './receipt.js';
import type { StoreSession, Version } from './store.js';
import type { Tags } from './tags.js';
import { type Sent, Undelivered } from './undelivered.js';

/**
 * Invalidation: giving tags new versions in the store, and the truth about whether that has happened.
 *
 * The acknowledgement is the store's confirmation, nothing less: from then on every read that begins anywhere sees the
 * new versions. What the store does not confirm in time is refused with an error, kept, and delivered as soon as it
 * answers; until then this process trusts nothing that depends on it. A raise may arrive twice or late: it always
 * sets versions that nobody has seen, so that costs a load and breaks nothing.
 */
export class Invalidations {
  readonly #settings: CacheSettings;
  readonly #clock: Clock;
  readonly #tags: Tags;
  readonly #session: StoreSession;
  readonly #events: Events;
  readonly #undelivered: Undelivered;
  /** Calls that are waiting for the store, and what for. */
  readonly #underWay = new Map<Promise<unknown>, readonly string[]>();
  /** What is to be raised later. */
  readonly #later = new Set<() => void>();
  readonly #settledWaiters = new Set<() => void>();
  #delivering = false;
  #retry: (() => void) | undefined;
  #closed = false;

  constructor(parts: { settings: CacheSettings; clock: Clock; tags: Tags; session: StoreSession; events: Events }) {
    this.#settings = parts.settings;
    this.#clock = parts.clock;
    this.#tags = parts.tags;
    this.#session = parts.session;
    this.#events = parts.events;
    this.#undelivered = new Undelivered(parts.tags, clearTags(!this.#isAlone));
  }

  /** Without a store, this process is all there is. */
  get #isAlone(): boolean {
    return this.#settings.store === undefined;
  }

  /** Tags that the store has not confirmed. */
  get pending(): readonly string[] {
    return this.#undelivered.tags;
  }

  /**
   * Raises `tags`; resolves when that is acknowledged, with the new versions of those that are no delete tags.
   *
   * @param owner - who fences them, and lets go of them. It is not kept with what is undelivered
   * @throws InvalidationPendingError when the store did not confirm it within `ackTimeout`
   */
  async raise(tags: readonly string[], owner?: string): Promise<{ versions: readonly Version[]; receipt: Receipt }> {
    const unique = [...new Set(tags)];
    const started = this.#clock.now();
    const versions = await this.#track(this.#send(unique, started, owner), unique);
    const acknowledged = this.#clock.now();
    this.#events.emit('invalidate', { tags: unique, duration: acknowledged - started });
    return { versions, receipt: receiptOf(this.#session, this.#clock, unique, acknowledged) };
  }

  /**
   * The same for a caller that cannot wait: in this process nothing that depends on `tags` is served any more once this
   * has returned. With a store, the others hear of it when the promise resolves.
   */
  raiseAtOnce(tags: readonly string[]): Promise<{ receipt: Receipt }> {
    // Without a store this takes effect at once, and is all that there is.
    if (this.#isAlone) return this.raise(tags);
    this.#keep(tags, this.#clock.now());
    const kept = this.#undelivered.now(tags);
    return this.raise(tags).finally(() => this.#forget(kept));
  }

  /** Raises `tags` after `ms`, or when the cache is closed, whichever comes first. Nobody waits for it. */
  later(tags: readonly string[], ms: number): void {
    if (this.#closed) return;
    const raise = () => {
      stop();
      this.#later.delete(raise);
      const started = this.#clock.now();
      this.raise(tags).catch((error: unknown) => {
        if (!(error instanceof InvalidationPendingError)) return this.#events.emit('error', { error });
        this.#events.emit('unacknowledged', { tags, age: this.#clock.now() - started });
      });
    };
    const stop = this.#clock.after(ms, raise);
    this.#later.add(raise);
  }

  /** What was to be raised later is raised now. */
  hurry(): void {
    for (const raise of [...this.#later]) raise();
  }

  /** Tries what is undelivered, once; called when the store is back and now and then. */
  async deliver(): Promise<void> {
    this.#retry?.();
    this.#retry = undefined;
    if (this.#undelivered.isEmpty || this.#delivering || this.#closed) return;
    this.#delivering = true;
    const { tags, since } = this.#undelivered;
    const sent = this.#undelivered.now(tags);
    try {
      await this.#inOrder(tags);
      this.#confirm(tags);
      this.#forget(sent);
      this.#events.emit('invalidate', { tags, duration: this.#clock.now() - since });
    } catch {
      // Still down. The next try comes with `up`, or with the timer.
    } finally {
      this.#delivering = false;
      if (this.#undelivered.isEmpty) this.#wakeSettled();
      else this.#tryLater();
    }
  }

  /** Resolves when nothing is under way or undelivered. @throws InvalidationPendingError after `timeout` milliseconds */
  async settled(timeout: number, closing = false): Promise<void> {
    const end = this.#clock.now() + timeout;
    while (this.#underWay.size > 0 || !this.#undelivered.isEmpty) {
      const left = end - this.#clock.now();
      if (left <= 0 || this.#closed)
        throw new InvalidationPendingError([...new Set([...this.pending, ...[...this.#underWay.values()].flat()])], {
          closed: closing || this.#closed,
        });
      let wake = () => {};
      const change = new Promise<void>((resolve) => {
        wake = resolve;
      });
      this.#settledWaiters.add(wake);
      const stop = this.#clock.after(left, wake);
      await change;
      stop();
      this.#settledWaiters.delete(wake);
    }
  }

  close(): void {
    this.#closed = true;
    this.#retry?.();
    this.#retry = undefined;
    this.#wakeSettled();
  }

  async #send(tags: readonly string[], started: number, owner?: string): Promise<readonly Version[]> {
    try {
      // Without a store nobody is asked, so it takes effect before anybody goes on.
      const versions = this.#isAlone ? [] : await this.#inOrder(tags, owner);
      this.#confirm(tags);
      if (versions.length > 0) return versions;
      return tags.filter((tag) => !isEarlyTag(tag)).map((tag) => this.#tags.cell(tag).version as Version);
    } catch (cause) {
      this.#keep(tags, started);
      throw new InvalidationPendingError(tags, { cause });
    }
  }

  /** A `set` that comes between the two must find the first when it misses the second. */
  async #inOrder(tags: readonly string[], owner?: string): Promise<readonly Version[]> {
    const end = this.#clock.now() + this.#settings.ackTimeout;
    const first = tags.filter(isEarlyTag);
    if (first.length > 0) await this.#session.raise(first, this.#settings.ackTimeout, owner);
    // At once: a `set` of this process, too, must find it before the rest is confirmed.
    this.#confirm(first);
    const rest = tags.filter((tag) => !isEarlyTag(tag));
    return this.#session.raise(rest, Math.max(1, end - this.#clock.now()), owner);
  }

  /** Own memory forgets before the caller is told, so that the next read here goes to the store. */
  #confirm(tags: readonly string[]): void {
    for (const tag of tags) this.#tags.touch(tag);
  }

  #forget(sent: Sent): void {
    this.#undelivered.forget(sent);
    if (this.#undelivered.isEmpty) this.#wakeSettled();
  }

  #keep(tags: readonly string[], since: number): void {
    this.#undelivered.keep(tags, since);
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#closed || this.#retry !== undefined) return;
    this.#retry = this.#clock.after(retryEvery, () => {
      this.#retry = undefined;
      void this.deliver();
    });
  }

  async #track<T>(call: Promise<T>, tags: readonly string[]): Promise<T> {
    this.#underWay.set(call, tags);
    try {
      return await call;
    } finally {
      this.#underWay.delete(call);
      this.#wakeSettled();
    }
  }

  #wakeSettled(): void {
    for (const wake of this.#settledWaiters) wake();
  }
}

const retryEvery = 1000;
