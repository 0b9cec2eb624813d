import { rowsStar, tenantsStar } from '../core/table-tags.js';
import { treeMark, treeStar } from '../core/tree-tags.js';
import type { Table } from '../sql/index.js';
import type { Catalog, Relation } from './catalog/types.js';
import type { Rules } from './rules.js';

/**
 * What a write changes besides the rows that it names: rows of other tables by foreign keys, whatever triggers do, the
 * tables behind a view. None of it is in the statement. Which of those rows change nobody says either, so each table
 * that is reached counts as changed anywhere.
 */
export class Reach {
  readonly tags = new Set<string>();
  /** Why the end of it is not known, if it is not. */
  unknown: string | undefined;
  readonly #reached = new Set<Relation>();
  readonly #emptied = new Set<Relation>();
  readonly #catalog: Catalog;
  readonly #rules: Rules;

  constructor(catalog: Catalog, rules: Rules) {
    this.#catalog = catalog;
    this.#rules = rules;
  }

  /** Anything may happen to rows of `relation`. Whatever refers to them may follow: foreign keys go in circles, too. */
  all(relation: Relation): void {
    if (this.#reached.has(relation)) return;
    this.#reached.add(relation);
    this.star(relation);
    this.triggers(relation);
    this.behind(relation);
    for (const { relation: child, onDelete, onUpdate } of relation.children) if (onDelete || onUpdate) this.all(child);
  }

  /** All rows of `relation` go at once, and with them those that refer to them, whatever their keys say. */
  emptied(relation: Relation): void {
    // Reached as a child before, it was not: then only those followed that its key carries on to.
    if (this.#emptied.has(relation)) return;
    this.#emptied.add(relation);
    this.all(relation);
    for (const { relation: child } of relation.children) this.emptied(child);
  }

  /** Tables that refer to a row that is deleted: theirs are deleted, or no longer refer to it. */
  deleted(relation: Relation): void {
    for (const { relation: child, onDelete } of relation.children) if (onDelete) this.all(child);
  }

  /** Tables that refer to columns that change. */
  updated(relation: Relation, changes: (column: string) => boolean): void {
    for (const { relation: child, onUpdate, columns } of relation.children)
      if (onUpdate && columns.some(changes)) this.all(child);
  }

  /** A view's rows are those of its tables. */
  behind(relation: Relation): void {
    if (relation.kind !== 'view') return;
    if (relation.unreadable !== undefined || relation.bases.length === 0)
      this.unknown ??= `what stands behind the view ${relation.name} is not known`;
    for (const base of relation.bases) this.all(base);
  }

  /** A trigger may do anything; its owner says what, or nobody knows. */
  triggers(relation: Relation): void {
    if (relation.triggers.length === 0) return;
    const { writes } = this.#rules.of(relation, this.#catalog);
    if (writes === undefined)
      this.unknown ??= `nobody said what the trigger ${relation.triggers[0]} of ${relation.name} changes: say it with \`tables: { '${relation.name}': { writes: [...] } }\`, [] for nothing but other columns of the row`;
    else for (const table of writes) this.named(table, `the trigger of ${relation.name}`);
  }

  /** A table that somebody named who knows what a trigger or a function does. */
  named(table: Table, by: string): void {
    const relation = this.#catalog.find(table);
    if (relation === undefined) this.unknown ??= `${by} is said to change ${table.name}, and there is no such table`;
    else this.all(relation);
  }

  star(relation: Relation): void {
    this.tags.add(relation.tag).add(rowsStar(relation.tag)).add(tenantsStar(relation.tag));
    if (this.#rules.of(relation, this.#catalog).tree === undefined) return;
    const mark = treeMark(relation.tag);
    this.tags.add(treeStar(mark)).add(mark);
  }
}
