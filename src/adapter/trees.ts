import { treeBucket, treeListTag, treeMark, treeRowTag, treeStar } from '../core/tree-tags.js';
import type { RowOutput, Value, Write } from '../sql/index.js';
import type { Catalog, Relation } from './catalog/types.js';
import { type Claim, claimOf, insertedOf, type Key, shownOf } from './claims.js';
import type { Part } from './part.js';
import type { Params } from './types.js';
import { fitOf, maxClaims, parameterOf, textsOf } from './values.js';

/**
 * What a write of a table ends of the tree that its rows are, where a rule names the column of their parents.
 *
 * A row that is changed or deleted is named by its primary key. Whoever has it in a list asks for it again, and finds out
 * by itself that it is gone from there; so no old parent has to be known. What must be known is the new one: of a row
 * that is inserted, or whose parent is set. Where any of this is not in the statement, the star is raised.
 */
export function treeParts(
  relation: Relation,
  write: Write,
  parent: string,
  { dialect }: Catalog,
  shown: RowOutput | undefined,
): readonly Part[] {
  const mark = treeMark(relation.tag);
  const star = treeStar(mark);
  const { primaryKey } = relation;
  const [id] = primaryKey;
  const unknown: Part = { star, tagOf: () => star, claim: undefined, shown: undefined };
  const adds = write.how === 'insert' || write.how === 'upsert';
  const renames = !adds && write.how !== 'delete' && changes(write, primaryKey, relation);
  if (id === undefined || primaryKey.length > 1 || renames) return [unknown];
  // An upsert may find another row by another column.
  if (write.how === 'upsert' && (write.conflict?.length !== 1 || write.conflict[0] !== id)) return [unknown];
  const row: Part = {
    star,
    tagOf: ([key]: Key) => treeRowTag(mark, treeBucket(key as string)),
    claim: adds
      ? insertedOf(primaryKey, write.inserted, relation, dialect)
      : claimOf(primaryKey, write.equalities, relation, dialect),
    shown: shownOf(primaryKey, nameIn(relation, id, shown), relation, dialect),
  };
  if (!adds && !changes(write, [parent], relation)) return [row];
  const values = adds ? insertedIn(write, parent) : [write.set.get(parent)];
  const claim = parentsOf(values, relation, parent, dialect);
  return [row, { star, tagOf: ([key]: Key) => treeListTag(mark, treeBucket(key as string)), claim, shown: undefined }];
}

/** Whether rows that exist may get another value in one of these columns. */
function changes({ assigned }: Write, columns: readonly string[], relation: Relation): boolean {
  if (assigned === undefined) return true;
  return columns.some((column) => assigned.includes(column) || relation.columns.get(column)?.generated === true);
}

function nameIn(relation: Relation, column: string, output: RowOutput | undefined): (string | undefined)[] {
  if (output === undefined) return [undefined];
  return [output === 'all' ? relation.columns.get(column)?.name : output.get(column)];
}

/** What each row that is added has in a column; undefined where the statement does not say. */
function insertedIn({ inserted, how, assigned }: Write, column: string): (Value | undefined)[] {
  const at = inserted?.columns?.indexOf(column) ?? -1;
  // What an upsert makes of a row that is there is another matter.
  if (inserted === undefined || at < 0 || (how === 'upsert' && (assigned?.includes(column) ?? true)))
    return [undefined];
  return inserted.rows.map((row) => row[at]);
}

/** The parents that rows get; null is one, too. */
function parentsOf(
  values: readonly (Value | undefined)[],
  relation: Relation,
  parent: string,
  dialect: Catalog['dialect'],
): Claim | undefined {
  const column = relation.columns.get(parent);
  if (column === undefined || column.type === 'other' || values.includes(undefined)) return undefined;
  const fit = fitOf(column, dialect, 'stored');
  return (params: Params) => {
    const keys = new Set<string>();
    for (const value of values) {
      const isNull = value?.kind === 'parameter' && !value.each && parameterOf(value.at, params) === null;
      const texts = isNull ? [root] : textsOf(value, column, fit, params);
      if (texts === undefined) return undefined;
      for (const text of texts) keys.add(text);
      if (keys.size > maxClaims) return undefined;
    }
    return Array.from(keys, (key) => [key]);
  };
}

/** What stands for the parent of a root: the same share as `null`. */
const root = '\u0000';
