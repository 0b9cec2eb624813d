/** What the triggers say of a table's rows. */
export interface FeedTable {
  /** Columns of the primary key, in its order. PostgreSQL's are read from its catalogue. */
  readonly id?: string | readonly string[];
  /** The column of the tenant, or of the table's `grain`. */
  readonly tenant?: string;
}

/** Two migrations. Both may be run again. */
export interface FeedSql {
  readonly up: string;
  readonly down: string;
}
