import { type Dialect, foldName, type Table } from '../../sql/index.js';
import type { Ask, Catalog, Child, Column, Relation } from './types.js';

/** A relation while the catalogue is put together: they refer to each other, so all are there before any is complete. */
export interface Draft extends Relation {
  /** Folded, as `key` is: what statements find it by. */
  readonly schema: string;
  readonly key: string;
  tag: string;
  name: string;
  kind: Relation['kind'];
  columns: Map<string, Column>;
  primaryKey: readonly string[];
  bases: readonly Relation[];
  unreadable: string | undefined;
  triggers: string[];
  returnable: boolean;
  children: Child[];
}

export function aDraft(parts: Pick<Draft, 'schema' | 'key' | 'tag' | 'name' | 'kind'>): Draft {
  return {
    ...parts,
    columns: new Map(),
    primaryKey: [],
    bases: [],
    unreadable: undefined,
    triggers: [],
    returnable: false,
    children: [],
  };
}

/** Those of a feed only tell of a change: without them, a database that has a feed would tell nothing else apart. */
export function addTrigger(draft: Draft | undefined, name: string): void {
  if (!ofFeed.test(name)) draft?.triggers.push(name);
}

const ofFeed = /^unstale_.+_(insert|update|delete|truncate)$/i;

export class Drafts {
  readonly #schemas = new Map<string, Map<string, Draft>>();
  readonly #names = new Map<string, Draft[]>();

  add(draft: Draft): Draft {
    const schema = this.#schemas.get(draft.schema);
    if (schema) schema.set(draft.key, draft);
    else this.#schemas.set(draft.schema, new Map([[draft.key, draft]]));
    const sameName = this.#names.get(draft.key);
    if (sameName) sameName.push(draft);
    else this.#names.set(draft.key, [draft]);
    return draft;
  }

  /** The one of that folded name in the first of the schemas that has it. */
  find(schemas: readonly string[], key: string): Draft | undefined {
    for (const schema of schemas) {
      const draft = this.#schemas.get(schema)?.get(key);
      if (draft !== undefined) return draft;
    }
    return undefined;
  }

  /** @param path - the schemas in which a name without one is looked for, in their order */
  toCatalog(dialect: Dialect, server: string, path: readonly string[]): Catalog {
    return {
      dialect,
      server,
      path,
      find: ({ schema, name }: Table) => this.find(schema === undefined ? path : [schema], name),
      named: (name) => this.#names.get(foldName(name, dialect, true)) ?? [],
    };
  }
}

/** Two columns of one folded name tell nothing apart. */
export function addColumn(draft: Draft, key: string, column: Column): void {
  draft.columns.set(key, draft.columns.has(key) ? { ...column, type: 'other' } : column);
}

/** A foreign key with its actions as the database names them. */
export interface Reference {
  readonly columns: readonly string[];
  readonly onDelete: string | null;
  readonly onUpdate: string | null;
}

/** Once for the same columns and actions: partitions bring many copies of one foreign key. */
export function addChild(parent: Draft, relation: Draft, { columns, onDelete, onUpdate }: Reference): void {
  const child = { relation, columns, onDelete: changesRows(onDelete), onUpdate: changesRows(onUpdate) };
  const isSame = (it: Child) =>
    it.relation.tag === relation.tag &&
    it.onDelete === child.onDelete &&
    it.onUpdate === child.onUpdate &&
    it.columns.join() === columns.join();
  if (!parent.children.some(isSame)) parent.children.push(child);
}

/** Of the rows that refer; PostgreSQL abbreviates. */
const changesRows = (action: string | null) =>
  action === null || /^(cascade|set null|set default|[cnd])$/i.test(action);

/** The rows of a query whose columns are those of `T`. */
export async function rowsOf<T>(ask: Ask, sql: string): Promise<readonly T[]> {
  return (await ask(sql)) as readonly unknown[] as readonly T[];
}
