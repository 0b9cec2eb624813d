import { afterEach, describe, expect, inject, test } from 'vitest';
import { aPostgresDatabase } from './catalog-databases.js';
import { type ADatabase, columnsOf, finderOf, shapeOf } from './catalog-shapes.js';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function aDatabase(...statements: string[]): Promise<ADatabase & { name: string }> {
  const database = await aPostgresDatabase();
  cleanups.push(database.end);
  await database.run(...statements);
  return database;
}

const aFinder = async (...statements: string[]) => finderOf(await aDatabase(...statements));

describe.skipIf(!inject('services').postgres)('the views of PostgreSQL', () => {
  test('reads views whose definition only computes, whatever it is made of', async () => {
    const find = await aFinder(
      'create extension citext; create extension pg_trgm',
      `create table t (id int primary key, name text, mail citext, at timestamp, price numeric, tags text[], j jsonb);
       create table u (t_id int, amount int)`,
      `create view much as
         with recursive up(n) as (select 1 union all select n + 1 from up where n < 5)
         select t.id, name::varchar(3), cast(price as numeric(9, 1)), at::timestamp(3), extract(year from at) as y,
           substring(name from 2 for 3) as s, trim(both 'x' from name) as tr, position('a' in name) as p,
           overlay(name placing 'x' from 1) as o, coalesce(name, 'x\\y') as c, (j ->> 'new')::int as v, tags[1] as first,
           array[1, 2] as arr, row(1, 2) = row(1, 3) as r, mail = 'A@b' as m, similarity(name, 'x') as similar, date_trunc('day', at) as d,
           sum(u.amount) filter (where u.amount > 0) as total, row_number() over (order by t.id) as nr,
           case when name ilike 'a%' then 1 else 2 end as ca, '{}'::text[] as e, at at time zone 'utc' as z,
           (select max(n) from up) as mx, pg_size_pretty(5::bigint) as size, name collate "C" as co
         from only t left join lateral (select * from u where u.t_id = t.id) u on true
           cross join generate_series(1, 2) as g(x) cross join unnest(array['a']) as w(word)
         group by t.id having count(*) > 0`,
    );
    expect(shapeOf(find('much'))).toEqual({
      tag: 'table:app.much',
      kind: 'view',
      key: '',
      bases: ['table:app.t', 'table:app.u'],
    });
  });

  test('cannot read a view that calls what may read anything', async () => {
    const database = await aDatabase(
      'create schema app; create table t (id int, at timestamptz); create table other (n int)',
      'create function app.counter() returns bigint language sql stable as $$ select count(*) from other $$',
      // Called immutable by somebody who wanted an index on it.
      'create function "Lookup"(int) returns int language sql immutable as $$ select n from other where n = $1 $$',
      // Hidden behind the name of one that is built in.
      'create function lower(int) returns int language sql as $$ select n from other where n = $1 $$',
      'create function same(int, text) returns boolean language sql as $$ select exists (select from other) $$',
      'create operator === (leftarg = int, rightarg = text, function = same)',
      'create view by_function as select id, app.counter() from t',
      'create view by_lookup as select "Lookup"(id) from t',
      'create view by_name as select lower(id) from t',
      "create view by_operator as select id from t where id === 'x'",
      'create view by_from as select n from t, app.counter() as c(n)',
      "create view by_server as select pg_relation_filepath('t') from t",
      'create view by_catalog as select relname from pg_class',
      'create view by_lock as select id from t for update',
      'create view by_session as select id from t where current_user = id::text',
      'create view by_bare as select id, localtimestamp from t',
    );
    const find = await finderOf(database);
    const why = (name: string) => find(name)?.unreadable;
    expect(why('by_function')).toBe('it calls app.counter(), and nobody said what that reads');
    expect(why('by_lookup')).toBe('it calls public.Lookup(), and nobody said what that reads');
    expect(why('by_name')).toBe('it calls public.lower(), and nobody said what that reads');
    expect(why('by_operator')).toBe('it calls public.same(), and nobody said what that reads');
    expect(why('by_from')).toMatch(/app.counter/);
    expect(why('by_server')).toBe('it calls pg_relation_filepath(), and nobody said what that reads');
    expect(why('by_catalog')).toMatch(/^it has the system table pg_class/);
    expect(why('by_lock')).toBe('it has a lock on its rows');
    expect(why('by_session')).toMatch(/^it has CURRENT_USER/);
    expect(why('by_bare')).toMatch(/^it has LOCALTIMESTAMP/);

    const declared = await finderOf(database, {
      counter: ['other'],
      Lookup: 'pure',
      'public.same': ['public.other', 't'],
    });
    expect(shapeOf(declared('by_function'))).toMatchObject({ bases: ['table:app.other', 'table:app.t'] });
    expect(declared('by_function')?.unreadable).toBeUndefined();
    expect(shapeOf(declared('by_lookup'))).toMatchObject({ bases: ['table:app.t'] });
    expect(declared('by_lookup')?.unreadable).toBeUndefined();
    expect(declared('by_operator')?.bases).toHaveLength(2);
    expect(declared('by_name')?.unreadable).toBe(why('by_name'));
    const wrong = await finderOf(database, { counter: ['nowhere'] });
    expect(wrong('by_function')?.unreadable).toBe('it calls app.counter(), which reads nowhere, and there is none');
  });

  test('answers for the user who asks: row level security and privileges', async () => {
    const database = await aDatabase(
      'create table free (id int, secret int); create table hidden (id int, org int)',
      'alter table hidden enable row level security; create policy p on hidden using (true)',
      'create table forced (id int); alter table forced enable row level security; alter table forced force row level security',
      'create view by_owner as select id from hidden; create view by_forced as select id from forced',
      'create view of_free as select id from free; create view outer_view as select * from by_owner',
    );
    const user = `${database.name}_user`;
    const owner = `${database.name}_owner`;
    await database.run(
      `create role ${user} login; create role ${owner} login; grant usage, create on schema public to ${owner}`,
      `grant select (id), update on free to ${user}; grant all on hidden, by_owner, of_free to ${user}`,
      `alter table forced owner to ${owner}; alter view by_forced owner to ${owner}`,
      `create view of_both as select h.id from hidden h join free f using (id); alter view of_both owner to ${owner}`,
    );
    cleanups.push(async () => {
      await database.run(`drop owned by ${user}, ${owner} cascade`, `drop role ${user}, ${owner}`);
    });

    const find = await finderOf(database); // a superuser, whom no policy binds
    expect(shapeOf(find('hidden'))).toEqual({ tag: 'table:app.hidden', kind: 'table', key: '' });
    expect(find('by_owner')?.unreadable).toBeUndefined();
    expect(find('by_forced')?.unreadable).toBe('it reads forced: row level security is active on it');
    expect(find('of_both')?.unreadable).toBe('it reads hidden: row level security is active on it');
    expect(find('free')?.returnable).toBe(true);

    const other = await aPostgresDatabase(user, database.name);
    cleanups.push(other.end);
    const seen = await finderOf(other);
    expect(seen('hidden')?.unreadable).toBe('row level security is active on it');
    expect(seen('by_owner')?.unreadable).toBe('it reads hidden: row level security is active on it');
    expect(seen('outer_view')?.unreadable).toBe(`it reads by_owner: ${seen('by_owner')?.unreadable}`);
    expect(seen('of_free')?.unreadable).toBeUndefined();
    expect(seen('free')?.returnable).toBe(false);
    expect(columnsOf(seen('free'))).toEqual(['id integer null', 'secret integer null']);
  });

  test('does not trust a view that runs with the rights of whoever reads it', async () => {
    const database = await aDatabase();
    const version = Number((await database.ask('show server_version_num'))[0]?.server_version_num);
    if (version < 150000) return;
    await database.run(
      'create table hidden (id int); alter table hidden enable row level security',
      'create view v with (security_invoker = true) as select id from hidden',
    );
    const find = await finderOf(database);
    expect(find('v')?.unreadable).toBe('it reads hidden: row level security is active on it');
  });
});
