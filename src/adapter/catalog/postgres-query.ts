/** What the one row of {@link postgresQuery} holds, as JSON. Relations, types and collations go by their oid. */
export interface PostgresAnswer {
  readonly server: string;
  readonly path: readonly string[];
  readonly relations: readonly [
    oid: number,
    schema: string,
    name: string,
    kind: 'r' | 'p' | 'v' | 'm' | 'f' | 'S',
    isTemporary: boolean,
    isRowSecurityActive: boolean,
    isReturnable: boolean,
    columns: readonly PostgresColumn[] | null,
  ][];
  /** Types that are not built in. */
  readonly types: readonly [oid: number, kind: 'd' | 'e' | 'b', base: number, name: string][];
  readonly keys: readonly [
    kind: 'p' | 'f',
    relation: number,
    /** Of a foreign key, what it refers to; its columns are that one's. */
    parent: number,
    columns: readonly number[],
    onDelete: string,
    onUpdate: string,
  ][];
  readonly inherits: readonly [child: number, parent: number, isPartition: boolean][];
  readonly triggers: readonly [relation: number, name: string][];
  readonly definitions: readonly [view: number, text: string | null][];
  readonly reads: readonly [view: number, relation: number, isRowSecurityActive: boolean][];
  /** Functions that views call, those behind operators too, unless an extension has them and they only compute. */
  readonly calls: readonly [view: number, schema: string, name: string, isPure: boolean][];
}

export type PostgresColumn = readonly [
  number: number,
  name: string,
  type: number,
  nullable: boolean,
  generated: boolean,
  /** Its collation tells equal texts apart by their bytes. */
  isDeterministic: boolean,
];

/**
 * All in one answer, so that it is one state of the catalogue and one round trip.
 *
 * What a view reads is what PostgreSQL recorded when it was made, and no reading of names. Row security of a table
 * behind a view is that of the view's owner, whatever the tables of a `security_invoker` view are to whom: there any
 * counts. Of functions nothing is recorded that is built in; the definition's text has those.
 */
export const postgresQuery = `
with relation as materialized (
  select c.oid, c.relname, n.nspname, c.relkind, c.relispartition, c.relrowsecurity, n.oid = pg_my_temp_schema() as temporary
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not pg_is_other_temp_schema(n.oid)
    and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname not like 'pg\\_toast\\_temp\\_%'
), dependency as materialized (
  select distinct v.oid as view, d.refclassid, d.refobjid
  from relation v join pg_rewrite r on r.ev_class = v.oid and r.ev_type = '1'
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refobjid <> v.oid
  where v.relkind = 'v'
)
select json_build_object(
  'server', current_database(),
  'path', current_schemas(false),
  'relations', (select json_agg(json_build_array(
      r.oid::int8, r.nspname, r.relname, r.relkind, r.temporary,
      case when r.relrowsecurity then row_security_active(r.oid) else false end,
      r.relkind in ('r', 'p') and not r.relrowsecurity and (has_table_privilege(r.oid, 'SELECT') or coalesce((
        select bool_and(has_column_privilege(r.oid, a.attnum, 'SELECT'))
        from pg_attribute a where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped), false)),
      (select json_agg(json_build_array(
          a.attnum, a.attname, a.atttypid::int8, not a.attnotnull, a.attgenerated <> '',
          coalesce(l.collisdeterministic, true)) order by a.attnum)
        from pg_attribute a left join pg_collation l on l.oid = a.attcollation
        where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped and r.relkind <> 'S')))
    from relation r),
  'types', (select json_agg(json_build_array(oid::int8, typtype, typbasetype::int8, typname))
    from pg_type where typtype in ('d', 'e') or typname = 'citext'),
  'keys', (select json_agg(json_build_array(k.contype, k.conrelid::int8, k.confrelid::int8,
      case k.contype when 'f' then k.confkey else k.conkey end, k.confdeltype, k.confupdtype))
    from pg_constraint k join relation r on r.oid = k.conrelid where k.contype in ('p', 'f')),
  'inherits', (select json_agg(json_build_array(i.inhrelid::int8, i.inhparent::int8, r.relispartition))
    from pg_inherits i join relation r on r.oid = i.inhrelid),
  'triggers', (select json_agg(json_build_array(t.relation::int8, t.name) order by t.name) from (
      select tgrelid, tgname from pg_trigger g join pg_proc p on p.oid = g.tgfoid
        where not g.tgisinternal and g.tgenabled in ('O', 'A') and p.pronamespace <> 'pg_catalog'::regnamespace
      union all
      select ev_class, rulename from pg_rewrite where ev_type <> '1' and ev_enabled in ('O', 'A')
    ) as t (relation, name) join relation r on r.oid = t.relation),
  'definitions', (select json_agg(json_build_array(oid::int8, pg_get_viewdef(oid))) from relation where relkind = 'v'),
  'reads', (select json_agg(json_build_array(d.view::int8, t.oid::int8, t.relrowsecurity and (
      v.reloptions::text like '%security_invoker=%' is true
      or not (o.rolsuper or o.rolbypassrls) and (t.relforcerowsecurity or not pg_has_role(o.oid, t.relowner, 'USAGE')))))
    from dependency d join pg_class t on t.oid = d.refobjid
      join pg_class v on v.oid = d.view join pg_roles o on o.oid = v.relowner
    where d.refclassid = 'pg_class'::regclass),
  'calls', (select json_agg(distinct jsonb_build_array(d.view::int8, n.nspname, p.proname, p.provolatile = 'i' and exists (
      select from pg_depend e where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e')))
    from dependency d
      left join pg_operator o on d.refclassid = 'pg_operator'::regclass and o.oid = d.refobjid
      join pg_proc p on p.oid = case when d.refclassid = 'pg_proc'::regclass then d.refobjid else o.oprcode end
      join pg_namespace n on n.oid = p.pronamespace)
)::text as catalog`;

/** Which of these names are built-in functions that do more than compute. What is no function there is mere syntax. */
export function impureQuery(names: readonly string[]): string {
  const list = names.map((name) => `E'${name.replace(/[\\']/g, '\\$&')}'`).join(', ');
  return `select distinct proname as name from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and provolatile <> 'i' and proname in (${list})`;
}
