import { type Clock, StoreUnavailableError } from '../../src/adapter/index.js';

/**
 * The first moments of a session. A script that makes a cache and uses it in the same breath would find every call
 * refused, only because the connection is not there yet; so calls wait for it, each as long as it would wait for an
 * answer. That ends with the first trusted node, with the first sign that there will be none, and with the first call
 * that has waited in vain: an outage is an outage from the beginning.
 */
export class Start {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #over = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  /** Makes `call` once the session has started; `ms` at most. @throws StoreUnavailableError */
  async before<T>(ms: number, isTrusted: () => boolean, why: () => string, call: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      const stop = this.#clock.after(ms, () => this.end());
      this.#waiting.add(() => {
        stop();
        resolve();
      });
    });
    if (!isTrusted()) throw new StoreUnavailableError(why());
    return call();
  }
}
