import type { Clock } from '../../core/clock.js';
import type { Lease, StoreSession } from '../../core/store.js';

/**
 * One leader among all processes, by a lease in the store that lives as long as its owner renews it.
 *
 * What counts is not that the leader believes to have the lease, but that nobody else can: so it trusts the lease only
 * until a moment before the end that the last renewal has confirmed, counted from before that renewal was sent. A process
 * that was stopped, whose loop was blocked or whose store is out of reach finds that moment in the past, whatever it
 * was doing; what is left of the lease then is time for its cycle to come to an end.
 */
export class Leader {
  readonly #options: LeaderOptions;
  readonly #term: number;
  #lease: Lease | undefined;
  /** Until then nobody else can have it. */
  #until = Number.NEGATIVE_INFINITY;
  readonly #timers = new Set<() => void>();
  #isSeeking = false;
  #stopped = false;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#term = options.within * termShare;
  }

  /** Whether this process may work now. */
  get leads(): boolean {
    return this.#lease !== undefined && this.#options.clock.now() < this.#until;
  }

  /** Begins to strive for the lease, and keeps trying until it has it. */
  seek(): void {
    if (this.#stopped || this.#isSeeking) return;
    this.#isSeeking = true;
    this.#lease = undefined;
    this.#try();
  }

  #try(): void {
    void this.#ask().then((lease) => {
      if (this.#stopped) return lease?.release();
      if (lease === undefined) return this.#later(this.#options.within * tryShare, () => this.#try());
      this.#isSeeking = false;
      this.#lease = lease;
      this.#renewLater(lease);
      this.#expireLater(lease);
      this.#options.onWon();
    });
  }

  /** Gives the lease back, if it is still there. */
  stop(): void {
    this.leave();
    this.#lease?.release();
    this.#lease = undefined;
  }

  /** Neither renews nor strives any more; what is left of the lease ends by itself. */
  leave(): void {
    this.#stopped = true;
    for (const stop of [...this.#timers]) stop();
  }

  async #ask(): Promise<Lease | undefined> {
    const { session, clock, key } = this.#options;
    let lease: Lease | undefined;
    try {
      lease = await session.lease(key, this.#term);
      if (lease === undefined) return undefined;
      const sent = clock.now();
      if (await lease.renew(this.#term)) {
        this.#until = sent + this.#term * (1 - guardShare);
        return lease;
      }
    } catch {
      // The store does not answer: then nobody leads, or somebody whom it answers.
      lease?.release();
    }
    return undefined;
  }

  #renewLater(lease: Lease): void {
    this.#later(this.#term * renewShare, async () => {
      if (this.#lease !== lease) return;
      const sent = this.#options.clock.now();
      const held = await lease.renew(this.#term).catch(() => undefined);
      if (this.#lease !== lease || this.#stopped) return;
      if (held === false) return this.#lose();
      // Too late to count: in between somebody else may have had it.
      if (held && this.leads) this.#until = sent + this.#term * (1 - guardShare);
      this.#renewLater(lease);
    });
  }

  #expireLater(lease: Lease): void {
    this.#later(Math.max(0, this.#until - this.#options.clock.now()), () => {
      if (this.#lease !== lease) return;
      if (this.leads) return this.#expireLater(lease);
      // Not given back: until it has run out, what was running here has time to end.
      this.#lose();
    });
  }

  #lose(): void {
    this.#lease = undefined;
    this.#until = Number.NEGATIVE_INFINITY;
    this.#options.onLost();
  }

  #later(ms: number, fn: () => unknown): void {
    const stop = this.#options.clock.after(ms, () => {
      this.#timers.delete(call);
      fn();
    });
    const call = () => {
      this.#timers.delete(call);
      stop();
    };
    this.#timers.add(call);
  }
}

export interface LeaderOptions {
  readonly session: StoreSession;
  readonly clock: Clock;
  /** Of the lease, in the store. */
  readonly key: string;
  /** Milliseconds after which a killed leader has a successor. */
  readonly within: number;
  onWon(): void;
  /** Whatever runs must end. Strives again only when told to. */
  onLost(): void;
}

/** Shares of `within`: how long the lease lives without its owner, and between two tries to get it. */
const termShare = 0.75;
const tryShare = 0.2;
/** Shares of the lease: between two renewals, and what its owner does not use of its end. */
const renewShare = 0.25;
const guardShare = 0.25;
