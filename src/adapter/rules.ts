import { expected } from '../core/errors.js';
import { warnOnce } from '../core/warn.js';
import { type Dialect, foldName } from '../sql/index.js';
import type { Catalog, Functions, Relation } from './catalog/types.js';
import type { Per, WrapOptions } from './options.js';
import {
  checkFunction,
  checkName,
  checkObject,
  checkPer,
  checkTable,
  isTableName,
  type KnownFunction,
  noRule,
  type Rule,
  tableOf,
} from './rule.js';

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
    return rules.get(relation.tag) ?? noRule;
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
