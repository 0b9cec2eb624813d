import type { Clients } from './clients.js';
import type { Clock } from './clock.js';
import { StoreUnavailableError } from './errors.js';
import type { Events } from './events.js';
import { notConnected } from './not-connected.js';
import type { StoreSession } from './store.js';

/**
 * Fences of this process, and the end of those that nobody lifts.
 *
 * A fence shuts tags for every reader from before a COMMIT until its invalidation, in the name of an owner: the
 * transaction. Its writer lifts it. Where the writer cannot (it has died, it did not hear what became of its COMMIT, the
 * store did not answer), time alone must not, since a COMMIT can be under way for any length of time. So when the owner's
 * time is over, whoever meets the fence asks the database whether the transaction is over, and lifts it then. Lifting
 * gives the tags new versions, and what was loaded while the transaction was open dies of that, whatever became of it.
 */
export class Fences {
  readonly #clock: Clock;
  readonly #session: StoreSession;
  readonly #clients: Clients;
  readonly #events: Events;
  readonly #timeout: number;
  /** Placed here, and not known to be lifted. */
  readonly #own = new Map<string, Own>();
  /** Fenced tags that were met since the last round. */
  #met = new Set<string>();
  #isAsking = false;
  #isSweeping = false;
  /** Owners that the database is being asked about. */
  readonly #asked = new Set<string>();
  #nextRound: (() => void) | undefined;
  #nextSweep: (() => void) | undefined;
  #isClosed = false;

  /** @param parts - `timeout`: of a command, in milliseconds */
  constructor(parts: { clock: Clock; session: StoreSession; clients: Clients; events: Events; timeout: number }) {
    this.#clock = parts.clock;
    this.#session = parts.session;
    this.#clients = parts.clients;
    this.#events = parts.events;
    this.#timeout = parts.timeout;
  }

  /**
   * Fences `tags`; for `ms` nobody asks whether the owner is still at work.
   *
   * @throws StoreUnavailableError when that could not be confirmed for all of them; they are let go then
   */
  async place(tags: readonly string[], owner: string, ms: number): Promise<void> {
    const { fence } = this.#session;
    if (fence === undefined || this.#isClosed) throw new StoreUnavailableError('it has no fences');
    // While the store is down they come to no end. Whatever of the oldest has arrived there, its readers will find out.
    if (this.#own.size >= maxOwn) this.#own.delete(this.#own.keys().next().value as string);
    this.#own.set(owner, { tags, until: this.#clock.now() + ms, isOver: false });
    this.#sweepLater();
    try {
      // A fence that comes when the owner's time is over would be no use.
      await fence.call(this.#session, tags, owner, ms, Math.min(this.#timeout, ms / 2));
    } catch (error) {
      this.ended(owner, true);
      throw error;
    }
  }

  /** The store has confirmed a raise in the name of `owner`. */
  lifted(owner: string): void {
    this.#own.delete(owner);
  }

  /**
   * What there was to do in the name of `owner` has been done. If its fence is not lifted by now, that is seen to.
   *
   * @param isOver - whether its transaction has surely ended; else the database is asked when its time is over
   */
  ended(owner: string, isOver: boolean): void {
    const own = this.#own.get(owner);
    if (own === undefined || !isOver) return;
    own.isOver = true;
    void this.#lift(own.tags, owner).catch((error) => this.#tell(error));
  }

  /** A read has met fences: soon somebody looks whether their owners are still at work. */
  met(tags: Iterable<string>): void {
    if (this.#isClosed) return;
    for (const tag of tags) if (this.#met.size < maxMet) this.#met.add(tag);
    if (!this.#isAsking && this.#nextRound === undefined) void this.#resolve();
  }

  /** Tries once more to lift what is over. The rest is for others. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#nextRound?.();
    this.#nextSweep?.();
    const over = [...this.#own].filter(([, { isOver }]) => isOver);
    await Promise.allSettled(over.map(([owner, { tags }]) => this.#lift(tags, owner)));
  }

  /** One round for all that were met: a tag is asked about at most once in a while. */
  async #resolve(): Promise<void> {
    const tags = [...this.#met];
    this.#met = new Set();
    this.#isAsking = true;
    try {
      const owners = (await this.#session.expired?.(tags)) ?? [];
      const fenced = new Map<string, string[]>();
      for (const [at, names] of owners.entries())
        for (const owner of names) fenced.set(owner, [...(fenced.get(owner) ?? []), tags[at] as string]);
      for (const [owner, all] of fenced) this.#liftWhenOver(all, owner);
    } catch (error) {
      this.#tell(error);
    } finally {
      this.#isAsking = false;
      if (!this.#isClosed)
        this.#nextRound = this.#clock.after(askEvery, () => {
          this.#nextRound = undefined;
          if (this.#met.size > 0) void this.#resolve();
        });
    }
  }

  /** Own fences that nobody has lifted: of a transaction that is over, or that should be. */
  async #sweep(): Promise<void> {
    if (this.#isClosed) return;
    for (const [owner, { tags, until, isOver }] of this.#own)
      if (!isOver && this.#clock.now() >= until) this.#liftWhenOver(tags, owner);
    try {
      for (const [owner, { tags, isOver }] of [...this.#own]) if (isOver) await this.#lift(tags, owner);
    } catch (error) {
      this.#tell(error);
    }
    this.#isSweeping = false;
    this.#sweepLater();
  }

  #sweepLater(): void {
    if (this.#isClosed || this.#own.size === 0 || this.#isSweeping || this.#nextSweep !== undefined) return;
    this.#nextSweep = this.#clock.after(sweepEvery, () => {
      this.#nextSweep = undefined;
      this.#isSweeping = true;
      void this.#sweep();
    });
  }

  /** Asks the database, once at a time for each owner: one of whom it says nothing keeps no other waiting. */
  #liftWhenOver(tags: readonly string[], owner: string): void {
    if (this.#asked.has(owner) || this.#asked.size >= maxAsked) return;
    this.#asked.add(owner);
    this.#isOver(owner)
      .then((isOver) => {
        const own = this.#own.get(owner);
        if (own !== undefined) own.isOver = isOver;
        return isOver ? this.#lift(tags, owner) : undefined;
      })
      .catch((error) => this.#tell(error))
      .finally(() => this.#asked.delete(owner));
  }

  /** Whether no transaction of that name can commit any more. */
  async #isOver(owner: string): Promise<boolean> {
    if (owner !== '') return (await this.#clients.isOver(owner)) === true;
    // Fenced, and nobody knows by whom: whoever it was, when all that is open now has ended, he has.
    await this.#clients.quiet();
    return true;
  }

  async #lift(tags: readonly string[], owner: string): Promise<void> {
    await this.#session.raise(tags, this.#timeout, owner === '' ? undefined : owner);
    this.#own.delete(owner);
  }

  /** That the store or a database does not answer, others say. */
  #tell(error: unknown): void {
    if (!(error instanceof StoreUnavailableError) && error !== notConnected) this.#events.emit('error', { error });
  }
}

interface Own {
  readonly tags: readonly string[];
  /** From then on it is worth asking. */
  readonly until: number;
  isOver: boolean;
}

/** Milliseconds between two rounds. */
const askEvery = 250;
const sweepEvery = 1000;
/** Fences of this process that are remembered. */
const maxOwn = 10_000;
/** Owners that are asked about at a time: each takes a connection. */
const maxAsked = 64;
/** Of one round. Who meets more meets them again. */
const maxMet = 1000;
