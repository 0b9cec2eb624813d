import { describe, expected } from '../../core/errors.js';
import type { ReadSettings } from '../../core/options.js';
import { resolveReadOptions } from '../../core/resolve.js';
import { ignoredStar } from '../../core/table-tags.js';
import { treeMark, treeStar } from '../../core/tree-tags.js';
import type { View } from '../../core/view.js';
import { encodeKey, handOut, keep, type TypeTable } from '../../values/index.js';
import { keyOf, type Shape } from './item.js';
import type { TreeContext } from './types.js';

/** Any tree's options, as seen from inside: what the types of the face say has been said there. */
export interface AnyOptions {
  readonly id: string;
  readonly parent: string;
  readonly tenant?: string;
  readonly table?: string;
  readonly rows?: (context: TreeContext) => Promise<readonly AnyRow[]>;
  readonly load?: (ids: readonly unknown[], context: TreeContext) => Promise<readonly AnyRow[]>;
  readonly children?: (parents: readonly unknown[], context: TreeContext) => Promise<readonly AnyRow[]>;
  readonly [timing: string]: unknown;
}
export type AnyRow = Readonly<Record<string, unknown>>;

/** A tree as it was described: checked once, and the same for all tenants. */
export interface Definition {
  readonly name: string;
  readonly options: AnyOptions;
  readonly settings: ReadSettings;
  readonly shape: Shape<AnyRow>;
}

/** What a tree depends on, as far as that is known beforehand. */
export interface Marks {
  /** Raised by every change of it; the parts' names begin with one. */
  readonly own: readonly string[];
  /** The table as a whole, where it was named. */
  readonly tables: readonly string[];
  /** Everything that is asked for at each read. */
  readonly all: readonly string[];
  /** Whether every client that writes the table raises the marks. */
  readonly isPrecise: boolean;
}

/** @throws TypeError */
export function define(view: View, name: string, options: AnyOptions): Definition {
  if (typeof name !== 'string' || name === '') throw expected('name', 'a non-empty text', name);
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object', options);
  const { id, parent, tenant, table, rows, load, children, ...timing } = options;
  for (const [what, column] of Object.entries({ id, parent }))
    if (typeof column !== 'string' || column === '') throw expected(what, 'the name of a column', column);
  for (const [what, text] of Object.entries({ tenant, table }))
    if (text !== undefined && (typeof text !== 'string' || text === '')) throw expected(what, 'a name', text);
  if (table !== undefined && !/^[^.]+(\.[^.]+)?$/.test(table))
    throw expected('table', "the name of a table, such as 'orders' or 'sales.orders'", table);
  const given = Object.entries({ rows, load, children }).filter(([, fn]) => fn !== undefined);
  for (const [what, fn] of given) if (typeof fn !== 'function') throw expected(what, 'a function', fn);
  const names = given.map(([what]) => what).join(' and ');
  if (names !== 'rows' && names !== 'load and children')
    throw new TypeError(`Expected a tree to have \`rows\`, or \`load\` and \`children\`, got ${names || 'neither'}`);
  for (const no of ['tags', 'fresh', 'copy', 'tolerate'])
    if (timing[no] !== undefined)
      throw new TypeError(`Expected a tree to have no \`${no}\`, got ${describe(timing[no])}`);
  const settings = { ...resolveReadOptions(timing, view.parts.settings.read), copy: 'reference' as const };
  return { name, options, settings, shape: shapeOf(id, parent, view.parts.types) };
}

function shapeOf(id: string, parent: string, types: TypeTable): Shape<AnyRow> {
  return {
    idOf(row) {
      const value = row?.[id];
      if (isId(value)) return value;
      throw expected(id, 'a number, a bigint or a text in every row', value);
    },
    parentOf(row) {
      const value = row[parent] ?? null;
      if (value === null || isId(value)) return value;
      throw expected(parent, 'a number, a bigint, a text or null in every row', value);
    },
    freeze(row) {
      const kept = keep(row, 'frozen', { types });
      return { row: Object.freeze(handOut(kept)) as AnyRow, bytes: kept.bytes };
    },
  };
}

function isId(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'bigint' || (typeof value === 'number' && !Number.isNaN(value));
}

/** @throws TypeError for what names no row: nobody would hear of its change */
export function checkId(what: string, id: unknown): void {
  if (!isId(id)) throw expected(what, 'a number, a bigint or a text', id);
}

/** The rows of one tenant, or all of them. */
export function ownRows(
  { options, name }: Definition,
  tenant: string | number | undefined,
  rows: readonly AnyRow[],
): readonly AnyRow[] {
  if (!Array.isArray(rows)) throw expected(`the result of '${name}'`, 'a list of rows', rows);
  const { tenant: column } = options;
  return column === undefined ? rows : rows.filter((row) => keyOf(row?.[column]) === String(tenant));
}

/** Worked out anew when a client is wrapped: that may give the table another name. */
export function marksOf(view: View, { name, options }: Definition, tenant: string | number | undefined): Marks {
  const { table } = options;
  if (table === undefined) {
    const whose = tenant === undefined || options.tenant === undefined ? '' : encodeKey([tenant]);
    const own = [treeMark(`~t${name}${whose}`)];
    return { own, tables: [], all: [...own.map(treeStar), ...own], isPrecise: false };
  }
  const { clients } = view.parts;
  const [base, schema] = table.split('.').reverse() as [string, string | undefined];
  const named = { database: undefined, schema, name: base };
  const tables = clients.tagsOf(named);
  const own = tables.map(treeMark);
  // By hand, and where columns are ignored, the table's own mark is not all that is raised.
  const all = [...tables, ...tables.map(ignoredStar), ...own.map(treeStar), ...own];
  return { own, tables, all, isPrecise: clients.hasTree(named) };
}
