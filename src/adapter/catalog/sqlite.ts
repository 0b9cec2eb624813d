import { tableTag } from '../../core/table-tags.js';
import { foldName } from '../../sql/index.js';
import { aDraft, addChild, addColumn, addTrigger, type Draft, Drafts } from './draft.js';
import {
  type ColumnRow,
  columnsQuery,
  type DatabaseRow,
  databasesQuery,
  type KeyRow,
  keysQuery,
  type ObjectRow,
  objectsQuery,
} from './sqlite-query.js';
import { afterAs } from './sqlite-text.js';
import type { About, Catalog, Column, LoadCatalog, LoadCatalogAtOnce } from './types.js';
import { type Definition, definitionOf, settleViews } from './views.js';

/** SQLite from 3.26: its schema tables, and table functions of its pragmas. Attached databases are schemas. */
export const loadSqlite: LoadCatalog = async (ask, ...about) => {
  const questions = asking(...about);
  let step = questions.next();
  while (!step.done) step = questions.next(await ask(step.value));
  return step.value;
};

/** The same over a driver that answers at once. */
export const loadSqliteAtOnce: LoadCatalogAtOnce = (ask, ...about) => {
  const questions = asking(...about);
  let step = questions.next();
  while (!step.done) step = questions.next(ask(step.value));
  return step.value;
};

/** Asks one question after the other, of whoever has the answers. */
function* asking(
  ...[database, dialect, functions = {}]: About
): Generator<string, Catalog, readonly Record<string, unknown>[]> {
  const databases = (yield databasesQuery) as unknown as readonly DatabaseRow[];
  const schemas = databases.map((it) => it.name);
  const objects = (yield objectsQuery(schemas)) as unknown as readonly ObjectRow[];
  const columns = (yield columnsQuery(schemas)) as unknown as readonly ColumnRow[];
  const keys = (yield keysQuery(schemas)) as unknown as readonly KeyRow[];

  const fold = (name: string) => foldName(name, dialect);
  const drafts = new Drafts();
  const shadows = shadowsOf(objects, fold);
  for (const { s, type, name, sql } of objects) {
    if (type === 'trigger') continue;
    const schema = fold(s);
    const inside = schema === 'main' ? undefined : schema;
    const draft = aDraft({
      schema,
      key: fold(name),
      tag: tableTag(database, inside, fold(name)),
      name: inside === undefined ? name : `${s}.${name}`,
      kind: type === 'view' ? 'view' : 'table',
    });
    if (schema === 'temp') draft.unreadable = `a temporary ${type}`;
    else if (isVirtual(sql)) draft.unreadable = 'a virtual table';
    else if (shadows.has(`${schema}.${draft.key}`)) draft.unreadable = 'it belongs to a virtual table';
    // A plain INSERT deletes the rows that are in its way.
    if (type === 'table' && /\bon\s+conflict\s+replace\b/i.test(sql ?? '')) draft.triggers.push('ON CONFLICT REPLACE');
    drafts.add(draft);
  }

  // Temporary ones come before all others, then the main database, then the attached ones in their order.
  const path = ['temp', 'main', ...schemas.map(fold).filter((it) => it !== 'temp' && it !== 'main')];
  addColumns(columns, objects, drafts, fold);
  addKeys(keys, drafts, fold);
  for (const { s, type, name, tbl } of objects) {
    if (type !== 'trigger') continue;
    // A temporary trigger may watch a table of any database, and only its text says of which.
    const watched = fold(s) === 'temp' ? path : [fold(s)];
    for (const schema of watched) addTrigger(drafts.find([schema], fold(tbl)), name);
  }

  const definitions = new Map<Draft, Definition>();
  for (const { s, type, name, sql } of objects) {
    if (type !== 'view') continue;
    // A view sees its own database and no other, except for a temporary one.
    const inside = fold(s) === 'temp' ? path : [fold(s)];
    const text = afterAs(sql ?? '');
    const view = drafts.find([fold(s)], fold(name))!;
    definitions.set(view, definitionOf({ text, dialect, inside }, { functions, drafts, path, dialect }));
  }
  settleViews(definitions);
  const file = databases.find((it) => it.name === 'main')?.file ?? '';
  return drafts.toCatalog(dialect, file.replace(/^.*[\\/]/s, '') || ':memory:', path);
}

const isVirtual = (sql: string | null) => /^create\s+virtual/i.test(sql ?? '');

/** The tables in which full-text and r-tree indexes keep what they know: written to by them, and by no statement. */
function shadowsOf(objects: readonly ObjectRow[], fold: (name: string) => string): Set<string> {
  const parts = 'data idx content docsize config segments segdir stat node parent rowid'.split(' ');
  const virtual = objects.filter(({ sql }) => isVirtual(sql));
  return new Set(virtual.flatMap(({ s, name }) => parts.map((part) => `${fold(s)}.${fold(name)}_${part}`)));
}

function addColumns(
  rows: readonly ColumnRow[],
  objects: readonly ObjectRow[],
  drafts: Drafts,
  fold: (name: string) => string,
): void {
  const place = (s: string, name: string) => `${s}.${name}`;
  // Nothing tells the collation of a column but the statement that made it.
  const collated = new Set(objects.filter(({ sql }) => hasOwnCollation(sql ?? '')).map((it) => place(it.s, it.name)));
  const keys = new Map<Draft, [number, string][]>();
  for (const { s, t, name, type, nullable, hidden, pk } of rows) {
    const draft = drafts.find([fold(s)], fold(t));
    if (draft === undefined) continue;
    const found = affinityOf(type ?? '');
    addColumn(draft, fold(name), {
      name,
      type: found === 'text' && collated.has(place(s, t)) ? 'other' : found,
      nullable: nullable === 1,
      generated: hidden > 1,
    });
    if (pk > 0) keys.set(draft, [...(keys.get(draft) ?? []), [pk, fold(name)]]);
  }
  for (const [draft, key] of keys) draft.primaryKey = key.sort(([a], [b]) => a - b).map(([, name]) => name);
}

/** Any but the three that SQLite has, and which folding covers. */
function hasOwnCollation(sql: string): boolean {
  return [...sql.matchAll(/\bcollate\b\s*["'`[]?(\w*)/gi)].some(
    ([, name]) => !/^(binary|nocase|rtrim)$/i.test(`${name}`),
  );
}

/**
 * By SQLite's rules for declared types. Numbers that are no integers become floating: two texts that tell them apart may
 * be equal there.
 */
function affinityOf(type: string): Column['type'] {
  if (/int/i.test(type)) return 'integer';
  return /char|clob|text/i.test(type) ? 'text' : 'other';
}

function addKeys(rows: readonly KeyRow[], drafts: Drafts, fold: (name: string) => string): void {
  const keys = new Map<string, KeyRow[]>();
  for (const row of rows) {
    const id = JSON.stringify([row.s, row.t, row.id]);
    keys.set(id, [...(keys.get(id) ?? []), row]);
  }
  for (const key of keys.values()) {
    const { s, t, parent: name, onDelete, onUpdate } = key[0]!;
    const child = drafts.find([fold(s)], fold(t));
    const parent = drafts.find([fold(s)], fold(name));
    if (child === undefined || parent === undefined) continue;
    const columns = key.flatMap(({ column }) => (column === null ? [] : [fold(column)]));
    addChild(parent, child, { columns: columns.length > 0 ? columns : parent.primaryKey, onDelete, onUpdate });
  }
}
