import { type SqliteConnection, sqliteDriver } from '../../services/sqlite.js';
import type { Change } from '../../unit/adapter/model/changes.js';
import type { Query } from '../../unit/adapter/model/queries.js';
import type { World } from '../../unit/adapter/model/run.js';
import { type Row, type Rows, schema } from '../../unit/adapter/model/shop.js';

/** The stories of the algebra in a real SQLite. */
export class InSqlite implements World {
  readonly #connection: SqliteConnection = new (sqliteDriver())(':memory:');

  constructor() {
    this.#connection.pragma('foreign_keys = on');
    this.#connection.exec(schema);
  }

  fill({ t, u }: Rows): void {
    const statements = ['DELETE FROM u', 'DELETE FROM t'];
    for (const [name, rows] of Object.entries({ t, u }))
      for (const row of rows)
        statements.push(`INSERT INTO ${name} (${Object.keys(row)}) VALUES (${Object.values(row).map(literal)})`);
    this.#connection.exec(statements.join(';'));
  }

  ask({ sql, params }: Query): Row[] {
    return this.#connection.prepare(sql).all(...params) as Row[];
  }

  change({ sql, params }: Change): { shown: Row[] | undefined } | undefined {
    const statement = this.#connection.prepare(sql.endsWith('RETURNING *') ? sql : `${sql} RETURNING 1`);
    try {
      const shown = statement.all(...params) as Row[];
      return { shown: sql.endsWith('RETURNING *') ? shown : undefined };
    } catch (error) {
      if (/constraint/i.test((error as Error).message)) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }
}

function literal(value: Row[string]): string {
  return value === null ? 'NULL' : typeof value === 'string' ? `'${value}'` : `${value}`;
}
