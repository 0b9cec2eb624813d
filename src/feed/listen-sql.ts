import type { FeedSql, FeedTable } from './types.js';

/**
 * Statement triggers with transition tables: one message for each statement and table, however many rows it changed. The
 * key's columns and the root of partitions and inheritance are looked up once, when the trigger is made.
 */
export function listenSql(
  tables: 'all' | Readonly<Record<string, FeedTable>>,
  tenant: string | undefined,
  channel: string,
): FeedSql {
  const wanted =
    tables === 'all'
      ? `select c.oid, ${tenant === undefined ? 'null::text' : text(tenant)} as tenant
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and c.relpersistence <> 't'
        and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%' and c.relname not like 'unstale\\_%'`
      : Object.entries(tables)
          .map(
            ([name, of]) =>
              `select ${text(quoted(name))}::regclass::oid as oid, ${of.tenant === undefined ? 'null::text' : text(of.tenant)} as tenant`,
          )
          .join('\n      union all ');
  // Triggers of tables that are not named belong to another feed.
  const named = tables === 'all' ? [] : Object.keys(tables).map((name) => `to_regclass(${text(quoted(name))})`);
  const own = tables === 'all' ? 'true' : `t.tgrelid in (${named.join(', ')})`;
  return {
    up: `${reporter}
${dropTriggers(own)}
do $unstale$
declare
  one record;
begin
  for one in
    with recursive wanted as (
      ${wanted}
    ), up as (
      select w.oid, w.oid as root from wanted w
      union all
      select up.oid, i.inhparent from up join pg_catalog.pg_inherits i on i.inhrelid = up.root
    ), rooted as (
      select distinct on (oid) oid, root from up
      where not exists (select from pg_catalog.pg_inherits i where i.inhrelid = up.root) order by oid
    )
    select w.oid::regclass as name, n.nspname as schema, c.relname as root, r.root <> w.oid as is_part,
      (select case when bool_and(${isPlain}) then string_agg(format('%I::text', a.attname), ', ' order by k.place) end
        from pg_catalog.pg_index x, unnest(x.indkey) with ordinality k(number, place)
        join pg_catalog.pg_attribute a on a.attrelid = w.oid and a.attnum = k.number
        join pg_catalog.pg_type t on t.oid = a.atttypid
        where x.indrelid = w.oid and x.indisprimary) as id,
      (select format('%I::text', a.attname) from pg_catalog.pg_attribute a
        join pg_catalog.pg_type t on t.oid = a.atttypid
        where a.attrelid = w.oid and a.attname = w.tenant and not a.attisdropped and ${isPlain}) as tenant
    from wanted w join rooted r using (oid)
    join pg_catalog.pg_class c on c.oid = r.root join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  loop
    if position('.' in one.root || one.schema) > 0 then
      raise exception 'the feed cannot name %, whose name has a dot', one.name;
    end if;
${['insert', 'update', 'delete', 'truncate'].map((event) => `    ${createTrigger(event, channel)}`).join('\n')}
  end loop;
end $unstale$;
`,
    down: `${dropTriggers(own)}
do $unstale$ begin
  if not exists (${ours}) then
    drop function if exists unstale_feed();
  end if;
end $unstale$;
`,
  };
}

/** Types of which a value has one text. Others look as the writer's session says, or as no value of JavaScript does. */
const isPlain = `coalesce(nullif(t.typbasetype, 0), t.oid) = any (
        '{int2,int4,int8,numeric,text,varchar,bpchar,uuid}'::regtype[]::oid[])`;

const referencing: Readonly<Record<string, string>> = {
  insert: 'referencing new table as unstale_new ',
  update: 'referencing old table as unstale_old new table as unstale_new ',
  delete: 'referencing old table as unstale_old ',
  truncate: '',
};

function createTrigger(event: string, channel: string): string {
  const format = `create trigger unstale_feed_${event} after ${event} on %s ${referencing[event]}for each statement execute function unstale_feed(%L, %L, %L, %L, %L)`;
  return `execute format(${text(format)}, one.name, ${text(channel)}, one.schema, one.root, coalesce(one.id, ''), coalesce(one.tenant, 'null::text'));`;
}

const ours = `select from pg_catalog.pg_trigger t where t.tgname like 'unstale\\_feed\\_%' and not t.tgisinternal`;

const dropTriggers = (which: string) => `do $unstale$
declare
  one record;
begin
  for one in select t.tgname, t.tgrelid::regclass as name from pg_catalog.pg_trigger t
    where t.tgname like 'unstale\\_feed\\_%' and not t.tgisinternal and ${which}
  loop
    execute format('drop trigger %I on %s', one.tgname, one.name);
  end loop;
end $unstale$;`;

/** More rows than this in one statement, or a message that NOTIFY does not take: the table as a whole. */
const maxRows = 64;
const maxBytes = 7900;

const reporter = `create or replace function unstale_feed() returns trigger language plpgsql as $unstale$
declare
  channel text := tg_argv[0];
  changed text;
  rows jsonb;
  source text := case tg_op
    when 'INSERT' then 'select * from unstale_new'
    when 'DELETE' then 'select * from unstale_old'
    else 'select * from unstale_old union all select * from unstale_new' end;
begin
  if tg_op <> 'TRUNCATE' and tg_argv[3] <> '' then
    execute format(
      'select coalesce(jsonb_agg(one), ''[]'') from (select distinct jsonb_build_array(jsonb_build_array(%s), %s) as one from (%s) changed limit ${maxRows + 1}) few',
      tg_argv[3], tg_argv[4], source) into rows;
    if jsonb_array_length(rows) = 0 then
      return null;
    end if;
    if jsonb_array_length(rows) > ${maxRows} then
      rows := null;
    end if;
  end if;
  changed := jsonb_build_array(tg_argv[1], tg_argv[2], rows)::text;
  if octet_length(changed) > ${maxBytes} then
    changed := jsonb_build_array(tg_argv[1], tg_argv[2], null)::text;
  end if;
  perform pg_catalog.pg_notify(channel, changed);
  return null;
end $unstale$;`;

/** A text as a literal. */
const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
/** `sales.orders` as the names of a schema and a table, whatever case they are written in. */
const quoted = (name: string) =>
  name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
