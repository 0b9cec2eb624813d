/**
 * A database of rows that are numbers and only grow, so that what somebody read says which writes it contains. A
 * commit is visible at once.
 */
export class Database {
  readonly #rows = new Map<string, number>();

  read(row: string): number {
    return this.#rows.get(row) ?? 0;
  }

  /** Writes the row, and returns what every read must contain from now on. */
  commit(row: string): number {
    const value = this.read(row) + 1;
    this.#rows.set(row, value);
    return value;
  }
}

/** A query whose answer is on its way for as long as a test likes. */
export interface SlowQuery {
  /** Reads the row when it is called for the first time, and answers later; every later call answers at once. */
  readonly load: () => Promise<number>;
  /** Resolves when the first call has read the row. */
  readonly asked: Promise<void>;
  answer(): void;
  readonly calls: number;
}

export function aSlowQuery(db: Database, row: string): SlowQuery {
  const asked = signal();
  const answered = signal();
  let calls = 0;
  return {
    async load() {
      const value = db.read(row);
      if (++calls > 1) return value;
      asked.fire();
      await answered.fired;
      return value;
    },
    asked: asked.fired,
    answer: answered.fire,
    get calls() {
      return calls;
    },
  };
}

/** Something that happens once. */
export function signal(): { readonly fired: Promise<void>; fire(): void } {
  let fire = () => {};
  const fired = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { fired, fire };
}

/** Lets everything go on that waits for promises alone. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A read that does not contain a write that was acknowledged before it began. */
export class StaleRead extends Error {
  override name = 'StaleRead';
}

/** Checks that a read contains the write that made `newest`. @throws StaleRead */
export function contains(newest: unknown, got: unknown, where = 'a read'): void {
  if (typeof newest === 'number' && typeof got === 'number' ? got >= newest : Object.is(got, newest)) return;
  throw new StaleRead(`${where} got ${String(got)} after ${String(newest)} had been acknowledged`);
}
