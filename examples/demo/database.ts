import pg from 'pg';

/** A pool of connections to PostgreSQL that counts every query it sends. */
export class Database {
  /** Queries sent so far. */
  sent = 0;
  readonly #pool: pg.Pool;

  constructor(url: string, connections = 10) {
    this.#pool = new pg.Pool({ connectionString: url, max: connections });
    // An idle connection whose server goes away says so here; the next query says it again, to whoever sent it.
    this.#pool.on('error', () => {});
  }

  async rows<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    this.sent++;
    const { rows } = await this.#pool.query<Row>(sql, [...values]);
    return rows;
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
