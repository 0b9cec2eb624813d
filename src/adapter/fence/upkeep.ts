import { notConnected } from '../../core/not-connected.js';
import type { Port } from '../../core/port.js';

/** What goes on beside the transactions of a client: their names are forgotten, and some questions are asked again. */
export class Upkeep {
  readonly #port: Port;
  readonly #forget: ((names: readonly string[]) => Promise<void>) | undefined;
  readonly #failed: (error: unknown) => void;
  readonly #names = new Set<string>();
  readonly #timers = new Set<() => void>();
  /** Of those who pause. */
  readonly #waiting = new Set<(reason: Error) => void>();
  #isForgetting = false;
  #isResting = false;
  #clearing: Promise<void> | undefined;
  #offClose: (() => void) | undefined;

  /** @param forget - of many names at once; undefined when none leaves anything behind */
  constructor(
    port: Port,
    forget: ((names: readonly string[]) => Promise<void>) | undefined,
    failed: (error: unknown) => void,
  ) {
    this.#port = port;
    this.#forget = forget;
    this.#failed = failed;
  }

  /** The transaction of that name is over. */
  forget(name: string): void {
    // One that is left out stays in the table until somebody empties it, and does no harm there.
    if (this.#forget === undefined || this.#isResting || this.#names.size >= maxNames) return;
    this.#names.add(name);
    this.#untilClose();
    if (this.#isForgetting) return;
    this.#isForgetting = true;
    this.#after(forgetEvery, () => void this.#clear());
  }

  /** A way to wait, a little longer each time; it rejects when the connections are about to be closed. */
  pauses(): () => Promise<void> {
    let ms = shortest / 2;
    return () =>
      new Promise((resolve, reject) => {
        if (this.#isResting) return reject(notConnected);
        this.#untilClose();
        ms = Math.min(2 * ms, longest);
        this.#waiting.add(reject);
        this.#after(ms, () => {
          this.#waiting.delete(reject);
          resolve();
        });
      });
  }

  /** It may use connections from now on, and again after {@link rest}. */
  open(): void {
    this.#isResting = false;
  }

  /** Whatever is over is forgotten now, and nothing is asked any more. Nobody waits for long who closes his connections. */
  rest(): Promise<void> | undefined {
    this.#isResting = true;
    for (const stop of this.#timers) stop();
    this.#timers.clear();
    for (const reject of this.#waiting) reject(notConnected);
    this.#waiting.clear();
    this.#offClose?.();
    this.#offClose = undefined;
    if (this.#names.size > 0) void this.#clear();
    if (this.#clearing === undefined) return undefined;
    let enough = () => {};
    const late = new Promise<void>((resolve) => {
      enough = this.#port.after(patience, resolve);
    });
    return Promise.race([this.#clearing, late]).finally(() => enough());
  }

  #clear(): Promise<void> {
    this.#clearing ??= this.#forgetAll().finally(() => {
      this.#clearing = undefined;
      this.#isForgetting = false;
    });
    return this.#clearing;
  }

  async #forgetAll(): Promise<void> {
    try {
      while (this.#names.size > 0) {
        const names = [...this.#names].slice(0, most);
        for (const name of names) this.#names.delete(name);
        await this.#forget?.(names);
      }
    } catch (error) {
      // Connections that are gone already take nothing away any more.
      if (!this.#isResting && error !== notConnected) this.#failed(error);
    }
  }

  #untilClose(): void {
    this.#offClose ??= this.#port.atClose(async () => this.rest());
  }

  #after(ms: number, fn: () => void): void {
    const stop = this.#port.after(ms, () => {
      this.#timers.delete(stop);
      fn();
    });
    this.#timers.add(stop);
  }
}

/** Milliseconds between two times of forgetting. */
const forgetEvery = 1000;
/** Names that wait for it, and that go at once. */
const maxNames = 10_000;
const most = 500;
/** Pauses, in milliseconds. */
const shortest = 5;
const longest = 250;
/** Of whoever closes his connections, in milliseconds. */
const patience = 1000;
