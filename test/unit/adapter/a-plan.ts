import { planOf } from '../../../src/adapter/plan.js';
import { checkRules, type RuleOptions } from '../../../src/adapter/rules.js';
import type { Params, Plan, Row } from '../../../src/adapter/types.js';
import { rowTag, tenantTag } from '../../../src/core/table-tags.js';
import { type Dialect, readStatement } from '../../../src/sql/index.js';
import { postgres } from '../sql/a-statement.js';
import { aCatalog, type Spec } from './a-catalog.js';

/** A shop: orders of tenants, their lines, and what else hangs on them. */
export const shop = {
  orders: {
    columns: { id: 'integer', org_id: 'integer', email: 'text', state: 'text', seen: 'integer', data: 'other' },
    key: ['id'],
  },
  lines: {
    columns: { order_id: 'integer', at: 'integer', org_id: 'integer', text: 'text' },
    key: ['order_id', 'at'],
    refers: { orders: ['id', 'delete'] },
  },
  users: { columns: { id: 'uuid', org_id: 'integer', name: 'text' }, key: ['id'] },
  tags: { columns: { name: 'text', org_id: 'text', weight: 'numeric' }, key: ['name'] },
  logs: { columns: { id: 'integer', text: 'text' }, key: ['id'] },
  open_orders: { columns: { id: 'integer', org_id: 'integer' }, bases: ['orders'] },
} as const satisfies Record<string, Spec>;

export interface Around {
  readonly dialect?: Dialect;
  readonly tables?: Readonly<Record<string, Spec>>;
  readonly rules?: RuleOptions;
}

export function plan(sql: string, { dialect = postgres, tables = shop, rules = byOrg }: Around = {}): Plan {
  return planOf(readStatement(sql, dialect), sql, aCatalog(dialect, tables), checkRules(rules, dialect));
}

const byOrg: RuleOptions = { tenant: 'org_id' };

/** What a query depends on before its rows are there; a `-` marks what they may take away. */
export function reads(sql: string, params: Params = [], around?: Around): string[] {
  const { tags, droppable } = plan(sql, around).readTags(params);
  return [...tags.map(short), ...droppable.map((tag) => `-${short(tag)}`)].sort();
}

/** What is left when these rows have come. */
export function readsAfter(rows: readonly Row[], sql: string, params: Params = [], around?: Around): string[] {
  const { tags, droppable, drop } = plan(sql, around).readTags(params);
  const dropped = drop(rows);
  return [...tags, ...droppable.filter((tag) => !dropped.includes(tag))].map(short).sort();
}

/** What a statement ends; `*` for everything. */
export function ends(sql: string, params: Params = [], around?: Around): string[] {
  const it = plan(sql, around);
  if (it.everything !== undefined) return ['*'];
  return it.writeTags(params).tags.map(short).sort();
}

export function endsAfter(rows: readonly Row[], sql: string, params: Params = [], around?: Around): string[] {
  return plan(sql, around).writeTags(params).refine(rows).map(short).sort();
}

function short(tag: string): string {
  return tag.replace(/^table:app\./, '');
}

/** `orders#…`, as the tags are called here. */
export function row(table: string, ...id: (string | number)[]): string {
  return short(rowTag(`table:app.${table}`, id));
}

/** `orders@…` */
export function of(table: string, tenant: string | number): string {
  return short(tenantTag(`table:app.${table}`, tenant));
}
