export interface DatabaseRow {
  readonly name: string;
  readonly file: string | null;
}

export interface ObjectRow {
  readonly s: string;
  readonly type: 'table' | 'view' | 'trigger';
  readonly name: string;
  readonly tbl: string;
  readonly sql: string | null;
}

export interface ColumnRow {
  readonly s: string;
  readonly t: string;
  readonly name: string;
  readonly type: string | null;
  readonly nullable: number;
  /** 1 is a column of a virtual table, 2 and 3 are generated. */
  readonly hidden: number;
  /** Place in the primary key, from 1. */
  readonly pk: number;
}

export interface KeyRow {
  readonly s: string;
  readonly t: string;
  readonly id: number;
  readonly parent: string;
  /** Null when the primary key of the parent is meant. */
  readonly column: string | null;
  readonly onDelete: string;
  readonly onUpdate: string;
}

export const databasesQuery = 'select name, file from pragma_database_list order by seq';

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
const master = (schema: string) => `"${schema.replaceAll('"', '""')}".sqlite_master`;

export const objectsQuery = (schemas: readonly string[]) =>
  schemas
    .map(
      (it) => `select ${text(it)} as s, type, name, tbl_name as tbl, sql from ${master(it)}
  where type in ('table', 'view', 'trigger') and name not like 'sqlite\\_%' escape '\\'`,
    )
    .join(' union all ');

// Not of views and virtual tables: where what they need is missing, the question fails, and all others with it.
const tables = (schema: string) =>
  `from ${master(schema)} m, %s(m.name, ${text(schema)}) x where m.type = 'table' and m.sql not like 'create virtual%'`;

export const columnsQuery = (schemas: readonly string[]) =>
  `${schemas
    .map(
      (it) => `select ${text(it)} as s, m.name as t, x.cid, x.name, x.type, not x."notnull" as nullable, x.hidden, x.pk
  ${tables(it).replace('%s', 'pragma_table_xinfo')} and m.name not like 'sqlite\\_%' escape '\\'`,
    )
    .join(' union all ')} order by s, t, cid`;

export const keysQuery = (schemas: readonly string[]) =>
  `${schemas
    .map(
      (it) => `select ${text(it)} as s, m.name as t, x.id, x.seq, x."table" as parent, x."to" as "column",
    x.on_delete as onDelete, x.on_update as onUpdate ${tables(it).replace('%s', 'pragma_foreign_key_list')}`,
    )
    .join(' union all ')} order by s, t, id, seq`;
