/** Rows of one shape, so that they come in one answer: what kind, in which schema, of which table, and what is said. */
export interface MysqlRow {
  readonly kind: 'server' | 'table' | 'column' | 'key' | 'action' | 'trigger';
  readonly s: string | null;
  readonly t: string | null;
  readonly a: string | null;
  readonly b: string | null;
  readonly c: string | null;
  readonly d: string | null;
  readonly e: string | null;
  readonly place: number | string | null;
  /** Of a column of texts: how many characters fit. */
  readonly most: number | string | null;
}

export interface MysqlView {
  readonly s: string;
  readonly t: string;
  /** Empty without the privilege to see it. */
  readonly definition: string | null;
}

const users = (column: string) => `${column} not in ('mysql', 'information_schema', 'performance_schema', 'sys')`;

// Recent MariaDB shows triggers, without what they do, to whoever may write the table: that can be told by the column
// in which this is left out then. Others show them only with the privilege TRIGGER.
const showsTriggersToWriters = `(select 1 from information_schema.columns where table_schema = 'information_schema'
  and table_name = 'TRIGGERS' and column_name = 'ACTION_STATEMENT' and is_nullable = 'YES' and version() like '%mariadb%')`;

export const mysqlQuery = `
select 'server' as kind, null as s, null as t, database() as a, ${showsTriggersToWriters} as b, null as c, null as d, null as e, 0 as place,
    null as most
union all select 'table', table_schema, table_name, table_type, engine, null, null, null, 0, null
  from information_schema.tables where ${users('table_schema')}
union all select 'column', table_schema, table_name, column_name, data_type, collation_name, is_nullable,
    concat(coalesce(generation_expression, ''), if(extra like '%on update%', extra, '')), ordinal_position,
    character_maximum_length
  from information_schema.columns where ${users('table_schema')}
union all select 'key', table_schema, table_name, constraint_name, column_name,
    referenced_table_schema, referenced_table_name, referenced_column_name, ordinal_position, null
  from information_schema.key_column_usage where ${users('table_schema')}
union all select 'action', constraint_schema, table_name, constraint_name, delete_rule, update_rule, null, null, 0, null
  from information_schema.referential_constraints where ${users('constraint_schema')}
union all select 'trigger', event_object_schema, event_object_table, trigger_name, null, null, null, null, 0, null
  from information_schema.triggers where ${users('event_object_schema')}
order by place`;

/** Apart from the others: one long text would make long texts of all. */
export const mysqlViewQuery = `
select table_schema as s, table_name as t, view_definition as definition
from information_schema.views where ${users('table_schema')}`;
