import { loadCatalog } from '../../../src/adapter/catalog/index.js';
import type { Ask, Catalog, Functions, Relation } from '../../../src/adapter/catalog/types.js';
import type { Dialect } from '../../../src/sql/index.js';

/** A database of one test file, whatever its kind. */
export interface ADatabase {
  readonly ask: Ask;
  readonly dialect: Dialect;
  run(...statements: string[]): Promise<void>;
  end(): Promise<void>;
}

export function catalogOf(database: ADatabase, functions?: Functions): Promise<Catalog> {
  return loadCatalog(database.ask, 'app', database.dialect, functions);
}

/** Finds relations of a database by their name. */
export async function finderOf(database: ADatabase, functions?: Functions) {
  const catalog = await catalogOf(database, functions);
  return (name: string, schema?: string) => catalog.find({ schema, name });
}

/** A relation in words, which compare well. */
export function shapeOf(relation: Relation | undefined): object | undefined {
  if (relation === undefined) return undefined;
  const { tag, kind, primaryKey, bases, unreadable, triggers, returnable, children } = relation;
  return {
    tag,
    kind,
    key: primaryKey.join(', '),
    ...(bases.length > 0 && { bases: bases.map((it) => it.tag).sort() }),
    ...(unreadable !== undefined && { unreadable }),
    ...(triggers.length > 0 && { triggers: [...triggers].sort() }),
    ...(returnable && { returnable }),
    ...(children.length > 0 && { children: childrenOf(relation) }),
  };
}

export function columnsOf(relation: Relation | undefined): string[] {
  return [...(relation?.columns ?? [])].map(
    ([key, { name, type, nullable, generated }]) =>
      `${key}${name === key ? '' : `=${name}`} ${type}${nullable ? ' null' : ''}${generated ? ' generated' : ''}`,
  );
}

export function childrenOf(relation: Relation | undefined): string[] {
  return (relation?.children ?? [])
    .map(({ relation: child, columns, onDelete, onUpdate }) =>
      [child.tag, `(${columns.join(', ')})`, onDelete && 'delete', onUpdate && 'update'].filter(Boolean).join(' '),
    )
    .sort();
}

/** Tables that all three databases make from the same text, but for the quotes of names. */
export function sharedSchema({ name }: Dialect): string[] {
  const q = (text: string) => (name === 'mysql' ? `\`${text}\`` : `"${text.replaceAll('"', '""')}"`);
  return [
    'create table orgs (id integer primary key, name varchar(40) not null)',
    `create table users (id integer primary key, org_id integer, manager_id integer, email varchar(80) not null unique,
      foreign key (org_id) references orgs (id) on delete cascade,
      foreign key (manager_id) references users (id) on delete set null)`,
    `create table orders (id integer primary key, user_id integer,
      foreign key (user_id) references users (id) on delete cascade on update cascade)`,
    // Its key is not in the order of its columns.
    `create table order_lines (amount decimal(10, 2), line integer not null, order_id integer not null,
      primary key (order_id, line), foreign key (order_id) references orders (id))`,
    `create table parcels (id integer primary key, order_id integer, line integer,
      foreign key (order_id, line) references order_lines (order_id, line) on update cascade)`,
    'create table log (at varchar(20), text varchar(20))',
    `create table ${q('Odd "it\'s\\ näme')} (${q('The Id')} integer primary key, ${q('select')} varchar(9))`,
    'create view user_orders as select u.email, o.id from users u join orders o on o.user_id = u.id',
    'create view busy_users as select email from user_orders union select name from orgs where id in (select org_id from users)',
    'create view with_clock as select id, current_timestamp as at from orgs',
    'create view beside_clock as select id from with_clock',
    `create view ${q('Odd view as')} as select ${q('The Id')} as x from ${q('Odd "it\'s\\ näme')}`,
    'create view no_tables as select 1 as one',
  ];
}
