import { tableTag } from '../../core/table-tags.js';
import { foldName } from '../../sql/index.js';
import { aDraft, addChild, addColumn, addTrigger, type Draft, Drafts, rowsOf } from './draft.js';
import { grantsOf } from './mysql-grants.js';
import { type MysqlRow, type MysqlView, mysqlQuery, mysqlViewQuery } from './mysql-query.js';
import type { Column, LoadCatalog } from './types.js';
import { type Definition, definitionOf, settleViews } from './views.js';

type Fold = (name: string | null) => string;
type Find = (schema: string | null, table: string | null) => Draft | undefined;

/**
 * MariaDB and MySQL: all databases that the user of the connection sees, by `information_schema`. What that user has no
 * right to is not in there, so a foreign key of a table that it may not touch is missing too.
 */
export const loadMysql: LoadCatalog = async (ask, database, dialect, functions = {}, home) => {
  const rows = await rowsOf<MysqlRow>(ask, mysqlQuery);
  const of = (kind: MysqlRow['kind']) => rows.filter((row) => row.kind === kind);
  const [about] = of('server');
  const server = home?.server ?? about?.a ?? '';
  const fold: Fold = (name) => foldName(name ?? '', dialect);
  const usual = fold(server);
  const drafts = new Drafts();
  const find: Find = (schema, table) => drafts.find([fold(schema)], fold(table));

  for (const row of of('table')) {
    const known = find(row.s, row.t);
    if (known === undefined) drafts.add(tableOf(row, database, usual, fold));
    // Their tag is one, and each would be taken for the other.
    else known.unreadable = `there is ${known.name} and ${row.t}, and not every server tells those names apart`;
  }
  for (const row of of('column')) {
    const draft = find(row.s, row.t);
    if (draft) addColumn(draft, fold(row.a), columnOf(row));
  }
  addKeys(of('key'), of('action'), find, fold);
  // Its key does not tell a row from the versions that it had.
  for (const { s, t, a: type } of of('table')) if (type === 'SYSTEM VERSIONED') find(s, t)!.primaryKey = [];
  const has = grantsOf(await rowsOf(ask, 'show grants'));
  addTriggers(of('trigger'), of('table'), has, (about?.b ?? null) !== null, find);

  const path = [usual];
  const definitions = new Map<Draft, Definition>();
  for (const { s, t, definition } of await rowsOf<MysqlView>(ask, mysqlViewQuery)) {
    const view = find(s, t);
    if (view === undefined) continue;
    // The server writes them itself, and follows no mode of a session there.
    const written = { text: definition ?? '', dialect: { name: 'mysql' }, inside: [fold(s)] } as const;
    const hidden = { reads: [], trouble: 'its definition is shown only with the privilege SHOW VIEW' };
    definitions.set(view, definition ? definitionOf(written, { functions, drafts, path, dialect }) : hidden);
  }
  settleViews(definitions);
  return drafts.toCatalog(dialect, server, path);
};

function tableOf({ s, t, a: type, b: engine }: MysqlRow, database: string, usual: string, fold: Fold): Draft {
  const schema = fold(s);
  const key = fold(t);
  const isUsual = schema === usual;
  // The schema is the database. Only the usual one may be known by another name.
  const tag = tableTag(isUsual ? database : schema, undefined, key);
  const name = isUsual ? `${t}` : `${s}.${t}`;
  const draft = aDraft({ schema, key, tag, name, kind: type === 'VIEW' ? 'view' : 'table' });
  draft.unreadable = whyUnreadable(type, engine);
  return draft;
}

function whyUnreadable(type: string | null, engine: string | null): string | undefined {
  if (type === 'VIEW') return undefined;
  if (type === 'TEMPORARY') return 'a temporary table';
  if (type === 'SEQUENCE') return 'a sequence';
  if (engine === null) return 'a table that the server cannot open';
  return foreignEngines.test(engine) ? `a table of ${engine}, which keeps its rows elsewhere` : undefined;
}

const foreignEngines = /^(federated|connect|spider|mrg_myisam|oqgraph|sphinx|s3)$/i;

function columnOf({ a: name, b: type, c: collation, d: nullable, e: computed, most }: MysqlRow): Column {
  return {
    name: `${name}`,
    type: typeOf(`${type}`, collation),
    max: integers[`${type}`.toLowerCase()] ?? Number(most ?? 0),
    nullable: nullable === 'YES',
    generated: computed !== '',
  };
}

/** The largest, signed: one that is not has room for more. */
const integers: Readonly<Record<string, number>> = {
  tinyint: 0x7f,
  smallint: 0x7fff,
  mediumint: 0x7fffff,
  int: 0x7fffffff,
  bigint: Number.MAX_SAFE_INTEGER,
};

/** No enum: a number that is written to it stands for one of its labels, and so does a text of digits. */
function typeOf(type: string, collation: string | null): Column['type'] {
  if (/^(tiny|small|medium|big)?int$/i.test(type)) return 'integer';
  if (/^decimal$/i.test(type)) return 'numeric';
  if (/^uuid$/i.test(type)) return 'uuid';
  return /^((var)?char|(tiny|medium|long)?text)$/i.test(type) && plainCollation.test(collation ?? '')
    ? 'text'
    : 'other';
}

/**
 * What is equal in these is equal after folding. Those of a language may call `y` an `i`, or `ccs` a `cscs`, and one of
 * an old character set calls `m` an `n`.
 */
const plainCollation = new RegExp(
  [
    '^(utf8(mb[34])?|utf16(le)?|utf32|ucs2|latin1|ascii)_((nopad_)?bin|general_(mysql500_)?(nopad_)?c[is])$',
    '^(utf8(mb[34])?|utf16|utf32|ucs2)_(unicode_(520_)?(nopad_)?ci|uca1400_(nopad_)?a[is]_c[is])$',
    '^utf8mb4_0900_(bin|a[is]_c[is])$',
    '^latin1_swedish_(nopad_)?ci$',
  ].join('|'),
);

function addKeys(keys: readonly MysqlRow[], actions: readonly MysqlRow[], find: Find, fold: Fold): void {
  const nameOf = ({ s, t, a }: MysqlRow) => JSON.stringify([s, t, a]);
  const foreign = new Map<string, MysqlRow[]>();
  for (const row of keys) {
    const draft = row.c === null && row.a === 'PRIMARY' ? find(row.s, row.t) : undefined;
    if (draft) draft.primaryKey = [...draft.primaryKey, fold(row.b)];
    if (row.c !== null) foreign.set(nameOf(row), [...(foreign.get(nameOf(row)) ?? []), row]);
  }
  for (const { s, t, a, b: onDelete, c: onUpdate } of actions) {
    const columns = foreign.get(JSON.stringify([s, t, a])) ?? [];
    const parent = columns[0] && find(columns[0].c, columns[0].d);
    const child = find(s, t);
    if (!parent || !child) continue;
    addChild(parent, child, { columns: columns.map((row) => fold(row.e)), onDelete, onUpdate });
  }
}

/** Those that this user may not see look as if there were none. */
function addTriggers(
  triggers: readonly MysqlRow[],
  tables: readonly MysqlRow[],
  has: ReturnType<typeof grantsOf>,
  showsToWriters: boolean,
  find: Find,
): void {
  for (const { s, t, a } of triggers) addTrigger(find(s, t), `${a}`);
  const enough = ['TRIGGER', ...(showsToWriters ? ['INSERT', 'UPDATE', 'DELETE'] : [])];
  for (const { s, t, a: type } of tables)
    if (type !== 'VIEW' && !has(enough, `${s}`, `${t}`))
      find(s, t)?.triggers.push('whatever the privilege TRIGGER would show');
}
