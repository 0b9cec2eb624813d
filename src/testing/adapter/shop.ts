import type { AdapterDialect } from './driver.js';

/** The tables that every case finds: accounts of two organisations, and what hangs on them. */
export const shop: readonly string[] = [
  `create table accounts (id integer not null primary key, org varchar(20) not null, name varchar(50) not null,
    email varchar(100) not null unique, seen integer not null default 0)`,
  `create table notes (id integer not null primary key, account_id integer not null, org varchar(20) not null,
    body varchar(100) not null, foreign key (account_id) references accounts (id) on delete cascade)`,
  `create table words (id integer not null primary key, note_id integer not null, word varchar(50) not null,
    foreign key (note_id) references notes (id) on delete cascade)`,
  `create table marks (id integer not null primary key, account_id integer, label varchar(50) not null,
    foreign key (account_id) references accounts (id) on delete set null on update cascade)`,
  `create table pairs (a integer not null, b integer not null, value varchar(50) not null, primary key (a, b))`,
  `create table codes (code varchar(20) not null primary key, value integer not null)`,
  `create view acme_names as select id, name from accounts where org = 'acme'`,
  `insert into accounts (id, org, name, email) values (1, 'acme', 'Ada', 'ada@x'), (2, 'acme', 'Bob', 'bob@x'),
    (3, 'zeta', 'Cleo', 'cleo@x'), (4, 'zeta', 'Dan', 'dan@x')`,
  `insert into notes (id, account_id, org, body) values (1, 1, 'acme', 'one'), (2, 2, 'acme', 'two'),
    (3, 3, 'zeta', 'three'), (4, 1, 'acme', 'four')`,
  `insert into words (id, note_id, word) values (1, 1, 'a'), (2, 3, 'b')`,
  `insert into marks (id, account_id, label) values (1, 1, 'red'), (2, 3, 'blue'), (3, null, 'none')`,
  `insert into pairs (a, b, value) values (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'z')`,
  `insert into codes (code, value) values ('abc', 1), ('def', 2), ('01', 3), ('1', 4)`,
];

/** What most cases ask for, and do. */
export const name = 'select id, name from accounts where id = ?';
export const names = 'select id, name from accounts';
export const account = 'select id, name, org from accounts where id = ?';
export const rename = 'update accounts set name = ? where id = ?';
export const newcomer = 'insert into accounts (id, org, name, email) values (?, ?, ?, ?)';

/** What is said differently in each dialect. */
export type Spoken<T> = Readonly<Record<AdapterDialect, T>>;

/** The row with that key, or what it becomes. */
export const upsertAccount: Spoken<string> = {
  postgres: `insert into accounts (id, org, name, email) values (?, ?, ?, ?)
    on conflict (id) do update set name = excluded.name`,
  mysql: `insert into accounts (id, org, name, email) values (?, ?, ?, ?) on duplicate key update name = values(name)`,
  sqlite: `insert into accounts (id, org, name, email) values (?, ?, ?, ?)
    on conflict (id) do update set name = excluded.name`,
};

/** The same, found by its e-mail. */
export const upsertEmail: Spoken<string> = {
  postgres: `insert into accounts (id, org, name, email) values (?, ?, ?, ?)
    on conflict (email) do update set name = excluded.name`,
  mysql: `insert into accounts (id, org, name, email) values (?, ?, ?, ?) on duplicate key update name = values(name)`,
  sqlite: `insert into accounts (id, org, name, email) values (?, ?, ?, ?)
    on conflict (email) do update set name = excluded.name`,
};
