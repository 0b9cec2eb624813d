import { StoreUnavailableError } from '../../core/errors.js';
import type { Lease, Store, StoreContext, StoreListener, StoreRead, StoreSession, Version } from '../../core/store.js';
import type { Gate, Way } from './gate.js';
import type { Ledger, StoreCall, StoreOperation } from './ledger.js';

/** What all sessions of a faulty store share: the faults of the moment, and what is known of the calls. */
export interface Wire {
  readonly fault: {
    delay: number;
    skew: number;
    corrupt: ((bytes: Uint8Array) => Uint8Array) | undefined;
    down: boolean;
    readonly timeout: number;
  };
  readonly gates: Set<Gate>;
  readonly failures: Map<StoreOperation, unknown>;
  readonly sessions: Set<FaultySession>;
  readonly ledger: Ledger;
}

/** One cache's work with a store, over a wire that has faults. */
export class FaultySession implements StoreSession {
  readonly #wire: Wire;
  readonly #inner: StoreSession;
  readonly #context: StoreContext;
  readonly #ways = new Set<Way>();
  /** As far as the store behind has them. */
  readonly fence: StoreSession['fence'];
  readonly expired: StoreSession['expired'];
  #proven: number | undefined;

  constructor(store: Store, wire: Wire, context: StoreContext) {
    this.#wire = wire;
    this.#context = context;
    wire.sessions.add(this);
    this.#inner = store.open({ ...context, listener: this.#heard(context.listener) });
    const { fence, expired } = this.#inner;
    if (fence !== undefined)
      this.fence = (tags, owner, ms, timeout) =>
        this.#call({ operation: 'fence', key: undefined, tags, owner }, timeout, () =>
          fence.call(this.#inner, tags, owner, ms, timeout),
        );
    if (expired !== undefined)
      this.expired = (tags) =>
        this.#call({ operation: 'expired', key: undefined, tags }, this.#wire.fault.timeout, () =>
          expired.call(this.#inner, tags),
        );
  }

  get maxEntryBytes() {
    return this.#inner.maxEntryBytes;
  }

  get epoch() {
    return this.#wire.fault.down ? undefined : this.#inner.epoch;
  }

  now() {
    return this.#inner.now() + this.#wire.fault.skew;
  }

  async read(key: string | undefined, tags: readonly string[]): Promise<StoreRead> {
    // Noted before the call is held or delayed: the request leaves the cache's hands now.
    const sentAt = this.#context.clock.now();
    const read = await this.#call({ operation: 'read', key, tags }, this.#wire.fault.timeout, () =>
      this.#inner.read(key, tags),
    );
    const { entry } = read;
    return { ...read, sentAt, entry: entry && this.#wire.fault.corrupt ? this.#wire.fault.corrupt(entry) : entry };
  }

  write(key: string, bytes: Uint8Array, ms: number): Promise<void> {
    return this.#call({ operation: 'write', key, tags: [] }, this.#wire.fault.timeout, () =>
      this.#inner.write(key, bytes, ms),
    );
  }

  raise(tags: readonly string[], timeout: number, owner?: string): Promise<readonly Version[]> {
    return this.#call({ operation: 'raise', key: undefined, tags, owner }, timeout, () =>
      this.#inner.raise(tags, timeout, owner),
    );
  }

  async lease(key: string, ms: number): Promise<Lease | undefined> {
    const call = { operation: 'lease', key, tags: [] } as const;
    const lease = await this.#call(call, this.#wire.fault.timeout, () => this.#inner.lease(key, ms));
    // While the connection is cut nobody hears that it was given back: it lasts to its end.
    return (
      lease && {
        release: () => (this.#wire.fault.down ? undefined : lease.release()),
        renew: (again) => this.#call(call, this.#wire.fault.timeout, () => lease.renew(again)),
      }
    );
  }

  remove(key: string): void {
    this.#wire.ledger.note({ operation: 'remove', key, tags: [] });
    if (!this.#wire.fault.down) this.#inner.remove(key);
  }

  released(key: string, ms: number): Promise<void> {
    this.#wire.ledger.note({ operation: 'released', key, tags: [] });
    if (!this.#wire.fault.down) return this.#inner.released(key, ms);
    return new Promise((resolve) => this.#context.clock.after(ms, resolve));
  }

  async reach(): Promise<number> {
    this.#wire.ledger.note({ operation: 'reach', key: undefined, tags: [] });
    if (this.#wire.fault.down) throw unreachable();
    return this.#inner.reach();
  }

  async close(): Promise<void> {
    this.#wire.sessions.delete(this);
    this.#cut('this session was closed');
    await this.#inner.close();
  }

  down(): void {
    this.#cut('its connection was cut');
    this.#context.listener.lost();
  }

  up(): void {
    const { listener } = this.#context;
    listener.lost();
    if (this.#proven !== undefined) listener.proven(this.#proven);
    listener.up();
  }

  lose(): void {
    if (!this.#wire.fault.down) this.#context.listener.lost();
  }

  #cut(why: string): void {
    for (const way of [...this.#ways]) way.cutOff(why);
  }

  #call<T>(call: StoreCall & { operation: StoreOperation }, timeout: number, run: () => Promise<T>): Promise<T> {
    const { operation } = call;
    const answered = this.#wire.ledger.note(call);
    if (this.#wire.fault.down) return Promise.reject(unreachable()).finally(answered) as Promise<T>;
    if (this.#wire.failures.has(operation))
      return Promise.reject(this.#wire.failures.get(operation)).finally(answered) as Promise<T>;
    const { clock } = this.#context;
    return new Promise<T>((resolve, reject) => {
      const end = () => {
        stop();
        answered();
      };
      const way: Way = {
        clock,
        cut: false,
        cutOff(why) {
          way.cut = true;
          end();
          reject(new StoreUnavailableError(why));
        },
      };
      const late = () => {
        end();
        reject(new StoreUnavailableError(`no answer to a ${operation} within ${timeout} ms`));
      };
      // Only what can be late gets a timer, so that a fake clock's count of them says something.
      const stop = Number.isFinite(timeout) ? clock.after(timeout, late) : () => {};
      this.#ways.add(way);
      carry(this.#wire, way, operation, run)
        // Not before, though nobody may wait any more: a call that timed out is still on its way, and can be cut off.
        .finally(() => {
          this.#ways.delete(way);
          end();
        })
        .then(resolve, reject);
    });
  }

  #heard(listener: StoreListener): StoreListener {
    return {
      changed: (tag) => (this.#wire.fault.down ? undefined : listener.changed(tag)),
      lost: () => (this.#wire.fault.down ? undefined : listener.lost()),
      up: () => (this.#wire.fault.down ? undefined : listener.up()),
      report: (event) => listener.report(event),
      proven: (at) => {
        this.#proven = at;
        if (!this.#wire.fault.down) listener.proven(at);
      },
    };
  }
}

/** The way of one call: there, through the store behind, and back. */
async function carry<T>(
  { gates, fault }: Wire,
  way: Way,
  operation: StoreOperation,
  run: () => Promise<T>,
): Promise<T> {
  for (const gate of [...gates]) if (gate.holds(operation, 'request')) await gate.pass(way);
  if (fault.delay > 0) await new Promise<void>((resolve) => way.clock.after(fault.delay, resolve));
  // Cut before the request was sent: nobody will ever carry it out.
  if (way.cut) throw unreachable();
  const result = await run();
  for (const gate of [...gates]) if (gate.holds(operation, 'reply')) await gate.pass(way);
  return result;
}

function unreachable(): StoreUnavailableError {
  return new StoreUnavailableError('its connection was cut');
}
