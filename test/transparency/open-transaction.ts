import type { AdapterStatements, AdapterTransaction } from '../../src/testing/adapter-contract.js';
import type { Lane } from './values.js';

type Command =
  | { readonly does: 'run'; readonly fn: (at: AdapterTransaction) => Promise<void> }
  | { readonly does: 'nest' | 'leave' | 'fail' };

/** A transaction that is driven from outside, a step at a time; what it runs, runs inside of its callback. */
export class OpenTransaction {
  wrote = false;
  lane: Lane | undefined;
  #levels: Level[] = [];

  static async begin(client: Pick<AdapterStatements, 'transaction'>): Promise<OpenTransaction> {
    const opened = new OpenTransaction();
    opened.#levels.push(await Level.open(client));
    return opened;
  }

  /** Savepoints that are open. */
  get depth(): number {
    return this.#levels.length - 1;
  }

  async run<T>(fn: (at: AdapterTransaction) => Promise<T>): Promise<T> {
    return this.#top.run(fn);
  }

  async nest(): Promise<void> {
    // The savepoint's callback runs inside of this one's.
    const level = await this.#top.run(async (at) => ({ level: await Level.open(at) }));
    this.#levels.push(level.level);
  }

  async unnest(fails: boolean): Promise<void> {
    await (this.#levels.pop() as Level).leave(fails);
  }

  /** Ends it with all of its savepoints; an error of COMMIT is nobody's. */
  async end(fails: boolean): Promise<void> {
    while (this.#levels.length > 0) await this.unnest(fails).catch(() => {});
  }

  get #top(): Level {
    return this.#levels.at(-1) as Level;
  }
}

/** A callback that waits for what to do. */
class Level {
  #next: (command: Command) => void = () => {};
  #coming = this.#command();
  readonly #whole: Promise<void>;
  readonly #begun: Promise<void>;

  static async open(from: Pick<AdapterStatements, 'transaction'>): Promise<Level> {
    const level = new Level(from);
    await Promise.race([level.#begun, level.#whole]);
    return level;
  }

  private constructor(from: Pick<AdapterStatements, 'transaction'>) {
    let begun: () => void = () => {};
    this.#begun = new Promise((resolve) => {
      begun = resolve;
    });
    this.#whole = from.transaction(async (at) => {
      begun();
      for (;;) {
        const command = await this.#coming;
        this.#coming = this.#command();
        if (command.does === 'leave') return;
        if (command.does === 'fail') throw new RolledBack();
        if (command.does === 'run') await command.fn(at);
      }
    });
    this.#whole.catch(() => {});
  }

  run<T>(fn: (at: AdapterTransaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#next({ does: 'run', fn: (at) => fn(at).then(resolve, reject) });
    });
  }

  async leave(fails: boolean): Promise<void> {
    this.#next({ does: fails ? 'fail' : 'leave' });
    await this.#whole.catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
  }

  #command(): Promise<Command> {
    return new Promise((resolve) => {
      this.#next = resolve;
    });
  }
}

class RolledBack extends Error {}
