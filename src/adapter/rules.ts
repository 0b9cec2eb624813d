import { parseDuration } from '../core/duration.js';
import { expected } from '../core/errors.js';
import { warnOnce } from '../core/warn.js';
import { type Dialect, foldName, type Table } from '../sql/index.js';
import type { Catalog, Functions, Relation } from './catalog/types.js';
import type { Per, TableRule, WrapOptions } from './options.js';

/**
 * What users say about their tables and functions: checked when a client is wrapped, and looked up by relation once a
 * catalogue is there. All processes that share a cache and a database must say the same, since both sides of a tag are
 * made by these rules: one process's `grain` is worth nothing to a process that narrows by another column.
 */
export interface Rules {
  readonly default: Per | undefined;
  /** What was said about a relation; an empty rule when nothing was. */
  of(relation: Relation, catalog: Catalog): Rule;
  /** The folded name of the column to narrow by, if the relation has it and its values can be told apart by text. */
  grainOf(relation: Relation, catalog: Catalog): string | undefined;
  /** Whether a table, named by hand, has a rule for its tree. */
  hasTree(schema: string | undefined, name: string): boolean;
  /** What a function does, by its name as the statement has it, folded; undefined when nobody said. */
  functionOf(name: string): KnownFunction | undefined;
  /** The same for views, which only read. */
  readonly functions: Functions;
  /** Others may narrow by what is not said here. @defaultValue false */
  readonly isCoarse?: boolean;
}

/** The same without what narrows: tags that are understood whatever the rules of others are. */
export function coarse(rules: Rules): Rules {
  return {
    ...rules,
    isCoarse: true,
    of: (relation, catalog) => ({
      ...rules.of(relation, catalog),
      grain: undefined,
      tenant: false,
      ignored: new Set(),
    }),
    grainOf: () => undefined,
  };
}

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

/** What of the options is about tables. */
export type RuleOptions = Pick<WrapOptions, 'tables' | 'tenant' | 'default' | 'functions'>;

/** @throws TypeError */
export function checkRules(options: RuleOptions, dialect: Dialect): Rules {
  const fold = (name: string) => foldName(name, dialect);
  const { tables = {}, tenant, functions = {} } = options;
  if (tenant !== undefined) checkName('tenant', 'the name of a column', tenant);
  const tenantColumn = tenant === undefined ? undefined : fold(tenant);
  if (options.default !== undefined) checkPer('default', options.default);
  const byName = Object.entries(checkObject('tables', tables)).map(([name, rule]): NamedRule => {
    if (!isTableName(name)) throw expected('tables', "named like 'orders' or 'sales.orders'", name);
    return { name, rule: checkTable(`tables.${name}`, rule, dialect) };
  });
  const byFunction = new Map(
    Object.entries(checkObject('functions', functions)).map(([name, rule]) => [
      fold(name),
      checkFunction(`functions.${name}`, rule, dialect),
    ]),
  );
  const found = new WeakMap<Catalog, ReadonlyMap<string, Rule>>();
  const of = (relation: Relation, catalog: Catalog): Rule => {
    let rules = found.get(catalog);
    if (rules === undefined) {
      rules = byTag(byName, catalog, tenantColumn);
      found.set(catalog, rules);
    }
    return rules.get(relation.tag) ?? none;
  };
  return {
    default: options.default,
    of,
    grainOf(relation, catalog) {
      const rule = of(relation, catalog);
      const column = rule.grain ?? (rule.tenant ? tenantColumn : undefined);
      const type = column === undefined ? undefined : relation.columns.get(column)?.type;
      return type === undefined || type === 'other' ? undefined : column;
    },
    hasTree(schema, name) {
      const own = plainName(schema, name);
      return byName.some(({ name: other, rule }) => {
        const [table, around] = other.split('.').reverse() as [string, string | undefined];
        return rule.tree !== undefined && plainName(around, table) === own;
      });
    },
    functionOf: (name) => byFunction.get(name),
    functions: Object.fromEntries(
      Object.entries(functions).map(([name, rule]) => [name, typeof rule === 'string' ? rule : readsIn(rule)]),
    ),
  };
}

/** Two names that differ in this are two tables; that others are one, the tree's own tags will tell. */
function plainName(schema: string | undefined, name: string): string {
  return `${schema === 'public' || schema === 'main' ? '' : (schema ?? '')}.${name}`.toLowerCase();
}

function readsIn(rule: readonly string[] | { reads?: readonly string[] }): readonly string[] {
  return Array.isArray(rule) ? rule : ((rule as { reads?: readonly string[] }).reads ?? []);
}

interface NamedRule {
  readonly name: string;
  readonly rule: Rule;
}

const none: Rule = {
  ttl: undefined,
  cache: true,
  grain: undefined,
  tenant: true,
  ignored: new Set(),
  tree: undefined,
  writes: undefined,
};

/** By tag, because a partition is what its root is. A name that means nothing is a rule that does nothing: it is told. */
function byTag(rules: readonly NamedRule[], catalog: Catalog, tenant: string | undefined): ReadonlyMap<string, Rule> {
  const found = new Map<string, Rule>();
  for (const { name, rule } of rules) {
    const relation = findNamed(name, catalog);
    if (relation === undefined) {
      warnOnce(`tables:${name}`, `\`tables.${name}\` has no effect: ${catalog.server} has no table of that name.`);
      continue;
    }
    const missing = [rule.grain ?? [], rule.tree ?? [], ...rule.ignored]
      .flat()
      .filter((column) => !relation.columns.has(column));
    if (missing.length > 0)
      warnOnce(`tables:${name}:${missing}`, `\`tables.${name}\` names columns that it does not have: ${missing}.`);
    const type = relation.columns.get(rule.grain ?? '')?.type;
    if (type === 'other')
      warnOnce(
        `tables:${name}:grain`,
        `\`tables.${name}.grain\` has no effect: values of that column's type cannot be told apart by their text.`,
      );
    if (rule.ignored.has(rule.grain ?? tenant ?? ''))
      warnOnce(`tables:${name}:ignored`, `\`tables.${name}.ignoreColumns\` cannot ignore the column it narrows by.`);
    found.set(relation.tag, rule);
  }
  return found;
}

/** As the database writes it; or as somebody writes it who did not think of the case. */
function findNamed(name: string, catalog: Catalog): Relation | undefined {
  return catalog.find(tableOf(name, catalog.dialect, true)) ?? catalog.find(tableOf(name, catalog.dialect, false));
}

function tableOf(name: string, dialect: Dialect, quoted: boolean): Table {
  const [own, schema] = name.split('.').reverse() as [string, string | undefined];
  return {
    schema: schema === undefined ? undefined : foldName(schema, dialect, quoted),
    name: foldName(own, dialect, quoted),
  };
}

function checkTable(what: string, rule: TableRule, dialect: Dialect): Rule {
  checkObject(what, rule);
  checkKnown(what, rule, ['ttl', 'cache', 'grain', 'tenant', 'ignoreColumns', 'tree', 'writes']);
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

function checkFunction(what: string, rule: unknown, dialect: Dialect): KnownFunction {
  if (rule === 'pure') return { reads: [], writes: [] };
  if (Array.isArray(rule)) return { reads: checkTables(what, rule, dialect), writes: [] };
  if (typeof rule !== 'object' || rule === null)
    throw expected(what, "'pure', a list of tables, or { reads, writes }", rule);
  checkKnown(what, rule, ['reads', 'writes']);
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

function checkName(what: string, toBe: string, name: unknown): void {
  if (typeof name !== 'string' || name === '') throw expected(what, toBe, name);
}

function isTableName(name: string): boolean {
  return /^[^.]+(\.[^.]+)?$/.test(name);
}

/** How long: what is in the detailed form, the cache checks itself. */
function checkPer(what: string, per: unknown): void {
  if (per === false || (typeof per === 'object' && per !== null && !Array.isArray(per))) return;
  if (typeof per === 'number' || typeof per === 'string') parseDuration(what, per);
  else throw expected(what, "false, a duration such as '5m', or options such as { ttl: '5m' }", per);
}

function checkObject<T>(what: string, value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw expected(what, 'an object', value);
  return value;
}

/** A misspelt option would be one that does nothing. */
function checkKnown(what: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw new TypeError(`Expected \`${what}\` to have no \`${unknown}\`; it takes ${known.join(', ')}`);
}
