import { type StoreListener, warnOnce } from '../../src/adapter/index.js';
import { TagNames } from './keys.js';
import type { Node } from './node.js';
import { Pair, type PairEnd, type PairOptions } from './pair.js';
import type { Tracker, Watcher } from './reads.js';

/**
 * Keeps a pair of connections (`pair.ts`) for each master, and tells the cache what they report.
 *
 * Something is proven only when it is proven for every master, since the cache does not know which tag lies where. A
 * pair that is lost, a master that is not trusted any more, slots that change hands: each of them means that changes
 * may have gone unheard, and the cache hears `lost`.
 *
 * Where Redis or what stands before it refuses the tracking, nothing is watched, and everything else works: memory then
 * asks for the versions at each read, as at `maxStale` 0.
 */
export class Watch implements Watcher {
  readonly #options: WatchOptions;
  readonly #pairs = new Map<Node, Pair>();
  readonly #names = new TagNames();
  /** How many pairs in a row have failed. */
  readonly #failures = new Map<Node, number>();
  readonly #retries = new Map<Node, () => void>();
  #proven = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  note(key: string, tag: string): void {
    this.#names.note(key, tag);
  }

  trackerOf(key: string): Tracker | undefined {
    const node = this.#options.nodes.of(key);
    const pair = node && this.#pairs.get(node);
    return pair?.ready && node?.trusted ? pair : undefined;
  }

  onTrusted(node: Node): void {
    if (this.#closed || this.#pairs.has(node)) return;
    const { listener } = this.#options;
    const pair = new Pair({
      ...this.#options,
      node,
      onReady: () => this.#failures.delete(node),
      onProven: () => this.#onProven(),
      onChanged: (key) => {
        const tag = key === undefined ? undefined : this.#names.of(key);
        if (tag === undefined) listener.lost();
        else listener.changed(tag);
      },
      onEnd: (end) => this.#onEnd(node, end),
    });
    this.#pairs.set(node, pair);
  }

  onDistrusted(node: Node): void {
    this.#retries.get(node)?.();
    this.#retries.delete(node);
    this.#failures.delete(node);
    const pair = this.#pairs.get(node);
    if (pair === undefined) return;
    // The server may be another one by now. The pair could go on listening to the one that was replaced.
    this.#pairs.delete(node);
    const wasReady = pair.ready;
    pair.close();
    if (wasReady && !this.#closed) this.#options.listener.lost();
  }

  /** Slots have changed hands: their tags were read on connections to another node. */
  onMoved(): void {
    if (!this.#closed) this.#options.listener.lost();
  }

  close(): void {
    this.#closed = true;
    for (const callOff of this.#retries.values()) callOff();
    for (const pair of this.#pairs.values()) pair.close();
    this.#pairs.clear();
  }

  #onProven(): void {
    const { nodes, listener } = this.#options;
    let floor = Number.POSITIVE_INFINITY;
    for (const node of nodes.all()) {
      const pair = this.#pairs.get(node);
      if (!pair?.ready || !node.trusted) return;
      floor = Math.min(floor, pair.provenAt);
    }
    if (floor <= this.#proven || floor === Number.POSITIVE_INFINITY) return;
    this.#proven = floor;
    listener.proven(floor);
  }

  #onEnd(node: Node, { why, refused, wasReady }: PairEnd): void {
    this.#pairs.delete(node);
    if (wasReady) this.#options.listener.lost();
    if (refused) {
      warnOnce(
        'redis:tracking',
        `Redis, or a proxy before it, refuses ${why}, so changes cannot be reported to this process and \`maxStale\` saves nothing: every read asks for the versions, as with \`maxStale: 0\`. It needs CLIENT TRACKING with REDIRECT, CLIENT ID and SUBSCRIBE to __redis__:invalidate.`,
      );
      return;
    }
    if (!node.trusted || this.#closed) return;
    const failures = this.#failures.get(node) ?? 0;
    this.#failures.set(node, failures + 1);
    const wait = Math.min(longestRetry, firstRetry * 2 ** failures) * (0.5 + 0.5 * Math.random());
    this.#retries.set(
      node,
      this.#options.clock.after(wait, () => this.onTrusted(node)),
    );
  }
}

export interface WatchOptions
  extends Pick<PairOptions, 'source' | 'nodes' | 'keys' | 'clock' | 'patience' | 'maxStale' | 'maxInFlight'> {
  readonly listener: StoreListener;
}

const firstRetry = 100;
const longestRetry = 5000;
