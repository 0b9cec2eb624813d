import {
  type Lease,
  type StoreContext,
  type StoreRead,
  type StoreSession,
  StoreUnavailableError,
  type Version,
} from '../../src/adapter/index.js';
import { Batch } from './batch.js';
import type { Source } from './connection.js';
import type { UnfitError } from './errors.js';
import { keysOf } from './keys.js';
import { Leases } from './leases.js';
import { Mandate } from './mandate.js';
import type { Node, NodeHost } from './node.js';
import { clusterNodes, type Nodes, singleNode } from './nodes.js';
import { Raises } from './raises.js';
import { Reads } from './reads.js';
import { Start } from './start.js';
import { Trust } from './trust.js';
import { Wakes } from './wakes.js';
import { Watch } from './watch.js';
import { Writes } from './writes.js';

/**
 * One cache's work with Redis: where the parts meet.
 *
 * Nodes connect and are looked at (`node`, `trust`); from then on reads of a tick go out together (`reads`), entries wait
 * for their turn (`writes`), versions are replaced and tags fenced (`raises`), and loads are leased (`leases`, `batch`). When memory may answer by itself, a second pair of
 * connections reports what changes (`watch`). Once a second everything is looked at again.
 *
 * The first calls wait for the first node (`start`); from then on, whenever none is trusted, calls reject at once: the cache turns to the database, and nobody
 * waits for Redis.
 */
export class RedisSession implements StoreSession {
  readonly maxEntryBytes: number;
  readonly #context: StoreContext;
  readonly #nodes: Nodes;
  readonly #trust: Trust;
  readonly #mandate: Mandate | undefined;
  readonly #reads: Reads;
  readonly #raises: Raises;
  readonly #writes: Writes;
  readonly #leases: Leases;
  readonly #wakes: Wakes;
  readonly #watch: Watch | undefined;
  readonly #epochKey: string;
  readonly #start: Start;
  readonly #timeout: number;
  #trusted = 0;
  #callOffBeat = () => {};
  #closed = false;
  /** Why nodes were refused last, as it was reported. */
  #unfit: string | undefined;

  constructor(source: Source, options: SessionOptions, context: StoreContext) {
    const { clock, listener, maxStale, strict, name } = context;
    const { timeout, maxInFlight, maxEntryBytes, maxQueuedBytes } = options;
    const keys = keysOf(name);
    // Whoever wants answers within 5 ms still has a server that may need 20 for a look at itself.
    const patience = Math.min(1000, Math.max(100, timeout));
    const host: NodeHost = {
      clock,
      maxInFlight,
      look: (node, before, again) => {
        const record = this.#nodes.of(this.#epochKey);
        if (!record?.link.ready) this.#nodes.refresh();
        return this.#trust.look(node.link, record?.link, before, again);
      },
      onTrusted: (node) => this.#onTrusted(node),
      onDistrusted: (node) => this.#onDistrusted(node),
      onBreaker: (node, state) => {
        if (state === 'open') this.#start.end();
        if (!this.#closed) listener.report({ type: 'breaker', node: node.name, state, why: node.why });
      },
      onError: (error) => this.#onError(error),
    };
    this.maxEntryBytes = maxEntryBytes;
    this.#start = new Start(clock);
    this.#timeout = timeout;
    this.#context = context;
    this.#epochKey = keys.epoch;
    this.#mandate = source.sentinels && new Mandate(source, clock);
    this.#trust = new Trust({
      name,
      keys,
      clock,
      timeout: patience,
      maxStale,
      strict,
      cluster: source.cluster,
      mandate: this.#mandate,
      masters: () => this.#nodes.all().length,
      onEpoch: (before) => {
        if (before === undefined || this.#closed) return;
        listener.lost();
        // They were compared with a record that is gone.
        for (const node of this.#nodes.all()) if (node.trusted) node.check();
      },
    });
    this.#nodes = source.cluster ? clusterNodes(source, host, () => this.#watch?.onMoved()) : singleNode(source, host);
    const common = { nodes: this.#nodes, keys, clock, timeout, strict };
    this.#watch =
      maxStale > 0 ? new Watch({ ...common, patience, source, maxStale, maxInFlight, listener }) : undefined;
    this.#reads = new Reads({ ...common, watch: this.#watch, epoch: () => this.epoch, why: () => this.#why() });
    this.#raises = new Raises(common);
    const batch = new Batch(common);
    this.#writes = new Writes({
      ...common,
      batch,
      maxEntryBytes,
      maxQueuedBytes,
      handBack: (key) => this.#leases.handBack(key),
    });
    this.#wakes = new Wakes({ ...common, source, onWake: (key) => this.#leases.woken(key) });
    this.#leases = new Leases({ ...common, batch, listen: () => this.#wakes.listen() });
    this.#beat();
  }

  get epoch(): string | undefined {
    return this.#trusted > 0 ? this.#trust.epoch : undefined;
  }

  now(): number {
    return this.#trust.now();
  }

  read(key: string | undefined, tags: readonly string[]): Promise<StoreRead> {
    if (this.#trusted > 0) return this.#reads.read(key, tags);
    return this.#refused(this.#timeout, () => this.read(key, tags));
  }

  write(key: string, bytes: Uint8Array, ms: number): Promise<void> {
    if (this.#trusted > 0) return this.#writes.write(key, bytes, ms);
    return this.#refused(0);
  }

  remove(key: string): void {
    if (this.#trusted > 0) this.#writes.remove(key);
  }

  raise(tags: readonly string[], timeout: number, owner?: string): Promise<readonly Version[]> {
    if (this.#trusted > 0) return this.#raises.raise(tags, timeout, owner);
    return this.#refused(timeout, () => this.raise(tags, timeout, owner));
  }

  fence(tags: readonly string[], owner: string, ms: number, timeout: number): Promise<void> {
    if (this.#trusted > 0) return this.#raises.fence(tags, owner, ms, timeout);
    return this.#refused(timeout, () => this.fence(tags, owner, ms, timeout));
  }

  expired(tags: readonly string[]): Promise<readonly (readonly string[])[]> {
    if (this.#trusted > 0) return this.#raises.expired(tags);
    return this.#refused(this.#timeout, () => this.expired(tags));
  }

  lease(key: string, ms: number): Promise<Lease | undefined> {
    if (this.#trusted > 0) return this.#leases.lease(key, ms);
    return this.#refused(0);
  }

  released(key: string, ms: number): Promise<void> {
    return this.#leases.released(key, ms);
  }

  reach(): Promise<number> {
    const record = this.#nodes.of(this.#epochKey);
    if (!record?.trusted) return Promise.reject(new StoreUnavailableError(this.#why()));
    return this.#trust.reach(record.link);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#start.end();
    this.#callOffBeat();
    await this.#leases.close();
    this.#wakes.close();
    this.#watch?.close();
    this.#nodes.close();
    this.#mandate?.close();
  }

  /** A call that need not be tried, unless the session is only just starting. */
  #refused<T>(ms: number, again?: () => Promise<T>): Promise<T> {
    if (again !== undefined && !this.#start.over)
      return this.#start.before(
        ms,
        () => this.#trusted > 0,
        () => this.#why(),
        again,
      );
    return Promise.reject(new StoreUnavailableError(this.#why()));
  }

  #why(): string {
    if (this.#closed) return 'this session was closed';
    const some = this.#nodes.all().find((node) => !node.trusted);
    return some?.why ?? 'no node of the cluster answers';
  }

  #onTrusted(node: Node): void {
    this.#trusted++;
    this.#unfit = undefined;
    this.#start.end();
    this.#leases.meet(node);
    this.#watch?.onTrusted(node);
    // The others could not be compared with a record that was out of reach.
    if (node === this.#nodes.of(this.#epochKey))
      for (const other of this.#nodes.all()) if (!other.trusted && other.link.ready) other.check();
    if (!this.#closed) this.#context.listener.up();
  }

  /** Nodes of a Cluster that are all refused for one reason say so once. */
  #onError(error: Error): void {
    const { isUnfit } = error as Partial<UnfitError>;
    if (this.#closed || (isUnfit && this.#unfit === error.message)) return;
    if (isUnfit) this.#unfit = error.message;
    this.#context.listener.report({ type: 'error', error });
  }

  #onDistrusted(node: Node): void {
    this.#trusted--;
    this.#watch?.onDistrusted(node);
    this.#nodes.refresh();
  }

  #beat(): void {
    if (this.#closed) return;
    this.#callOffBeat = this.#context.clock.after(heartbeat, () => {
      let all = true;
      for (const node of this.#nodes.all()) {
        if (node.isHeld) node.check();
        else all = false;
      }
      // A master that is gone for good is replaced by one that nobody has told us of.
      if (!all) this.#nodes.refresh();
      this.#beat();
    });
  }
}

export interface SessionOptions {
  readonly timeout: number;
  readonly maxInFlight: number;
  readonly maxEntryBytes: number;
  readonly maxQueuedBytes: number;
}

const heartbeat = 1000;
