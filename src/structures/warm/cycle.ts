import { LoadTimeoutError } from '../../core/errors.js';
import type { Parts } from '../../core/parts.js';
import type { WarmContext } from './options.js';

/** What came of a cycle. */
export interface Warmed {
  /** Calls or items that were worked on, those that failed among them. */
  readonly done: number;
  readonly failed: number;
  /** Calls that were left alone, since nobody has read their entry since its last refresh. */
  readonly skipped: number;
  /** Milliseconds. */
  readonly duration: number;
  /** The first thing that went wrong. */
  readonly error?: unknown;
}

interface CycleOptions {
  readonly name: string;
  readonly concurrency: number;
  readonly timeout: number;
  /** Whether this process still leads. */
  mayWork(): boolean;
  onProgress(): void;
}

/** One cycle under way: what it has done, and the way to end it. */
export class CycleRun {
  readonly #parts: Parts;
  readonly #options: CycleOptions;
  readonly #stopTimer: () => void;
  readonly #abort = new AbortController();
  readonly began: number;
  done = 0;
  of = 0;
  failed = 0;
  skipped = 0;
  #error: { readonly error: unknown } | undefined;

  constructor(parts: Parts, options: CycleOptions) {
    const { name, timeout } = options;
    this.#parts = parts;
    this.#stopTimer = parts.clock.after(timeout, () => this.end(new LoadTimeoutError(`the warmer '${name}'`, timeout)));
    this.#options = options;
    this.began = parts.clock.now();
  }

  get context(): WarmContext {
    const cycle = this;
    return {
      get signal() {
        cycle.#look();
        return cycle.#abort.signal;
      },
      each: (items, work) => this.each(items, work),
    };
  }

  get hasFailed(): boolean {
    return this.#error !== undefined;
  }

  /** Ends it: nothing more begins, and its signal says why. */
  end(why: Error): void {
    this.#stopTimer();
    this.#abort.abort(why);
  }

  fail(error: unknown): void {
    this.#error ??= { error };
  }

  async each<T>(items: Iterable<T>, work: (item: T) => unknown): Promise<void> {
    const all = [...items];
    this.of += all.length;
    let next = 0;
    const worker = async () => {
      while (next < all.length && !this.#look()) {
        const item = all[next++] as T;
        try {
          await work(item);
        } catch (error) {
          this.failed++;
          this.fail(error);
        }
        this.done++;
        this.#options.onProgress();
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.concurrency, all.length) }, worker));
    this.#abort.signal.throwIfAborted();
  }

  /** What runs has come to its end; if it paid no heed to its signal, it has failed all the same. */
  close(): void {
    this.#stopTimer();
    if (this.#abort.signal.aborted) this.fail(this.#abort.signal.reason);
  }

  outcome(): Warmed {
    const { done, failed, skipped } = this;
    const duration = this.#parts.clock.now() - this.began;
    return { done, failed, skipped, duration, ...this.#error };
  }

  /** Whether it must end. A process that was stopped wakes up in the middle of its work, before any timer tells it. */
  #look(): boolean {
    if (!this.#abort.signal.aborted && !this.#options.mayWork()) this.end(new Error(lost));
    return this.#abort.signal.aborted;
  }
}

/** Why a cycle ended that was not at its end. */
export const lost = 'The lease of this warmer was lost, and another process may run it.';
