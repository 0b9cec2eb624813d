import type { Gathered, Port } from '../core/port.js';

type Member = (into: Gathered) => Promise<void>;

/**
 * For a library that collects what is asked in one tick and sends it at once, in the async context of whoever asked
 * first: that one's load would hear of the statements of all, and the others of none. Here all who ask in one tick ask
 * in one scope, and each load depends on whatever it has seen by the time when its own answer came.
 */
export class Together {
  readonly #port: Port;
  readonly #name: string;
  #members: Member[] | undefined;

  constructor(port: Port, name: string) {
    this.#port = port;
    this.#name = name;
  }

  /** While no load is under way, it asks at once: nobody wants to hear of it. */
  async run<T>(ask: () => PromiseLike<T>): Promise<T> {
    if (!this.#port.anyLoad()) return ask();
    const from: Gathered[] = [];
    try {
      return await new Promise<T>((resolve, reject) =>
        this.#join((into) => {
          from.push(into);
          return Promise.resolve(ask()).then(resolve, reject);
        }),
      );
    } finally {
      this.#port.handUp(this.#name, from);
    }
  }

  #join(member: Member): void {
    if (this.#members === undefined) process.nextTick(() => this.#ask());
    this.#members ??= [];
    this.#members.push(member);
  }

  #ask(): void {
    const members = this.#members ?? [];
    this.#members = undefined;
    void this.#port.gather(this.#name, (into) => Promise.all(members.map((member) => member(into))));
  }
}
