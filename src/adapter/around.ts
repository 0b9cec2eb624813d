import { AsyncLocalStorage } from 'node:async_hooks';

/** What surrounds the running code. While nothing runs in it, it is out of use, and asking for it costs nothing. */
export class Around<T> {
  readonly #storage = new AsyncLocalStorage<T>();
  #running = 0;

  get current(): T | undefined {
    return this.#running === 0 ? undefined : this.#storage.getStore();
  }

  async run<R>(value: T, fn: () => R | PromiseLike<R>): Promise<R> {
    this.#running++;
    try {
      return await this.#storage.run(value, fn);
    } finally {
      // While any storage is in use, Node watches every promise of the process, which doubles the cost of each.
      if (--this.#running === 0) this.#storage.disable();
    }
  }
}
