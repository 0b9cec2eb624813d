import { namesOf } from '../core/check.js';
import { parseDuration } from '../core/duration.js';
import { expected } from '../core/errors.js';
import { type Dialect, foldName, type Table } from '../sql/index.js';
import type { FunctionRule, Per, TableRule } from './options.js';

/**
 * One rule, of a table or of a function, as its user wrote it and as the kit works with it: checked where it is written
 * down, defaults filled in, names folded as the database folds them. Which table it is of, nobody knows yet.
 */

/** A table's rule; names of columns are folded. */
export interface Rule {
  readonly ttl: Per | undefined;
  readonly cache: boolean;
  readonly grain: string | undefined;
  readonly tenant: boolean;
  readonly ignored: ReadonlySet<string>;
  /** The column by which its rows name their parents. */
  readonly tree: string | undefined;
  /** What its triggers change; undefined when nobody said. */
  readonly writes: readonly Table[] | undefined;
}

export interface KnownFunction {
  readonly reads: readonly Table[];
  readonly writes: readonly Table[];
}

/** Nothing was said. */
export const noRule: Rule = {
  ttl: undefined,
  cache: true,
  grain: undefined,
  tenant: true,
  ignored: new Set(),
  tree: undefined,
  writes: undefined,
};

const tableNames = namesOf<TableRule>({
  ttl: true,
  cache: true,
  grain: true,
  tenant: true,
  ignoreColumns: true,
  tree: true,
  writes: true,
});
const functionNames = namesOf<Extract<FunctionRule, { reads?: unknown }>>({ reads: true, writes: true });

/** @param what - of the option, for errors. @throws TypeError */
export function checkTable(what: string, rule: TableRule, dialect: Dialect): Rule {
  checkObject(what, rule);
  checkKnown(what, rule, tableNames);
  const { ttl, cache, grain, tenant, ignoreColumns = [], tree, writes } = rule;
  if (ttl !== undefined) checkPer(`${what}.ttl`, ttl);
  if (cache !== undefined && cache !== false) throw expected(`${what}.cache`, 'false, or left out', cache);
  if (grain !== undefined) checkName(`${what}.grain`, 'the name of a column', grain);
  if (tree !== undefined) checkName(`${what}.tree`, 'the name of a column', tree);
  if (tenant !== undefined && tenant !== false) throw expected(`${what}.tenant`, 'false, or left out', tenant);
  return {
    ttl,
    cache: cache !== false,
    grain: grain === undefined ? undefined : foldName(grain, dialect),
    tenant: tenant !== false,
    ignored: new Set(
      checkNames(`${what}.ignoreColumns`, 'a list of names of columns', ignoreColumns).map((it) =>
        foldName(it, dialect),
      ),
    ),
    tree: tree === undefined ? undefined : foldName(tree, dialect),
    writes: writes === undefined ? undefined : checkTables(`${what}.writes`, writes, dialect),
  };
}

/** @throws TypeError */
export function checkFunction(what: string, rule: unknown, dialect: Dialect): KnownFunction {
  if (rule === 'pure') return { reads: [], writes: [] };
  if (Array.isArray(rule)) return { reads: checkTables(what, rule, dialect), writes: [] };
  if (typeof rule !== 'object' || rule === null)
    throw expected(what, "'pure', a list of tables, or { reads, writes }", rule);
  checkKnown(what, rule, functionNames);
  const { reads = [], writes = [] } = rule as { reads?: unknown; writes?: unknown };
  return {
    reads: checkTables(`${what}.reads`, reads, dialect),
    writes: checkTables(`${what}.writes`, writes, dialect),
  };
}

function checkTables(what: string, names: unknown, dialect: Dialect): readonly Table[] {
  return checkNames(what, "a list of tables, such as ['orders', 'sales.orders']", names).map((name) => {
    if (!isTableName(name)) throw expected(what, "named like 'orders' or 'sales.orders'", name);
    return tableOf(name, dialect, false);
  });
}

function checkNames(what: string, toBe: string, names: unknown): readonly string[] {
  if (!Array.isArray(names)) throw expected(what, toBe, names);
  for (const [at, name] of names.entries()) checkName(`${what}[${at}]`, 'a name', name);
  return names;
}

/** @throws TypeError */
export function checkName(what: string, toBe: string, name: unknown): void {
  if (typeof name !== 'string' || name === '') throw expected(what, toBe, name);
}

export function isTableName(name: string): boolean {
  return /^[^.]+(\.[^.]+)?$/.test(name);
}

/** How long: what is in the detailed form, the cache checks itself. @throws TypeError */
export function checkPer(what: string, per: unknown): void {
  if (per === false || (typeof per === 'object' && per !== null && !Array.isArray(per))) return;
  if (typeof per === 'number' || typeof per === 'string') parseDuration(what, per);
  else throw expected(what, "false, a duration such as '5m', or options such as { ttl: '5m' }", per);
}

/** @throws TypeError */
export function checkObject<T>(what: string, value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw expected(what, 'an object', value);
  return value;
}

/** A misspelt option would be one that does nothing. */
function checkKnown(what: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new TypeError(`Expected \`${what}\` to have no \`${unknown}\`; it takes ${known.join(', ')}`);
}

/** The table of a name such as `sales.orders`, whose parts are folded unless they count as quoted. */
export function tableOf(name: string, dialect: Dialect, quoted: boolean): Table {
  const [own, schema] = name.split('.').reverse() as [string, string | undefined];
  return {
    schema: schema === undefined ? undefined : foldName(schema, dialect, quoted),
    name: foldName(own, dialect, quoted),
  };
}
