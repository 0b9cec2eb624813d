import { Worker } from 'node:worker_threads';

/** What an isolate can be asked to do, by name. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>;

/** What a row's isolates are made with. */
export interface Made {
  readonly row: string;
  /** Which of them it is, from 0 on. */
  readonly me: number;
  readonly data: unknown;
}

/**
 * Several copies of a service: threads of one process, each with a heap, an event loop and connections of its own. Being
 * threads they can share a piece of memory, in which everybody sees at once what the database holds; so a stale read is
 * known as such without asking anybody's clock.
 */
export class Isolates {
  readonly #workers: readonly Worker[];

  private constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  static async start(row: string, count: number, data: unknown): Promise<Isolates> {
    const file = new URL('./isolate.mjs', import.meta.url);
    const made = (me: number): Made => ({ row, me, data });
    const isolates = new Isolates(
      Array.from({ length: count }, (_, me) => new Worker(file, { workerData: made(me), execArgv: [] })),
    );
    await isolates.all('ready');
    return isolates;
  }

  /** Asks all of them, at once. */
  all<T>(name: string, argument?: unknown): Promise<T[]> {
    return Promise.all(
      this.#workers.map(
        (worker) =>
          new Promise<T>((resolve, reject) => {
            const settle = ({ value, error }: { value?: T; error?: Error }) => {
              worker.off('error', reject);
              if (error === undefined) resolve(value as T);
              else reject(error);
            };
            worker.once('error', reject);
            worker.once('message', settle);
            worker.postMessage({ name, argument });
          }),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
