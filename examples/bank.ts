/** An account of {@link Bank}. */
export interface Account {
  readonly id: number;
  readonly owner: string;
  readonly balance: number;
}

/** Stands in for a database in service.ts: rows, a transaction, and a count of queries. */
export class Bank {
  queries = 0;
  #rows = new Map<number, Account>();

  async find(id: number): Promise<Account | null> {
    await this.#query();
    return this.#rows.get(id) ?? null;
  }

  async of(owner: string): Promise<Account[]> {
    await this.#query();
    return [...this.#rows.values()].filter((row) => row.owner === owner);
  }

  async insert(owner: string): Promise<Account> {
    await this.#query();
    const row = { id: this.#rows.size + 1, owner, balance: 0 };
    this.#rows.set(row.id, row);
    return row;
  }

  async add(id: number, amount: number): Promise<void> {
    await this.#query();
    const row = this.#rows.get(id);
    if (row !== undefined) this.#rows.set(id, { ...row, balance: row.balance + amount });
  }

  /** BEGIN, then COMMIT, or ROLLBACK when `work` throws. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    const before = new Map(this.#rows);
    try {
      return await work();
    } catch (error) {
      this.#rows = before;
      throw error;
    }
  }

  async #query(): Promise<void> {
    this.queries++;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
