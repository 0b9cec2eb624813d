import type { Catalog, Child, Column, Relation } from '../../../src/adapter/catalog/types.js';
import { tableTag } from '../../../src/core/table-tags.js';
import type { Dialect } from '../../../src/sql/index.js';

/** A table in a few words. `refers`: parent → the columns of the parent, and what happens on delete and on update. */
export interface Spec {
  readonly columns: Readonly<Record<string, Column['type'] | `${Column['type']} generated`>>;
  readonly key?: readonly string[];
  /** Of the root, for a partition. */
  readonly sharesTagOf?: string;
  readonly bases?: readonly string[];
  readonly triggers?: readonly string[];
  readonly unreadable?: string;
  readonly returnable?: boolean;
  readonly refers?: Readonly<Record<string, readonly [columns: string, actions: '' | 'delete' | 'update' | 'both']>>;
}

type Open = { -readonly [K in keyof Relation]: Relation[K] } & { children: Child[] };

/** A catalogue by hand. `sales.orders` is a table in another schema. */
export function aCatalog(dialect: Dialect, specs: Readonly<Record<string, Spec>>): Catalog {
  const relations = new Map<string, Open>();
  for (const [name, spec] of Object.entries(specs)) {
    const tagName = (spec.sharesTagOf ?? name).split('.').reverse();
    relations.set(name, {
      tag: tableTag('app', tagName[1], tagName[0]!),
      name,
      kind: spec.bases === undefined ? 'table' : 'view',
      columns: new Map(Object.entries(spec.columns).map(([column, type]) => [column, aColumn(column, type)])),
      primaryKey: spec.key ?? [],
      bases: [],
      unreadable: spec.unreadable,
      triggers: spec.triggers ?? [],
      returnable: spec.returnable ?? true,
      children: [],
    });
  }
  for (const [name, spec] of Object.entries(specs)) {
    const relation = relations.get(name)!;
    relation.bases = (spec.bases ?? []).map((base) => relations.get(base)!);
    for (const [parent, [columns, actions]] of Object.entries(spec.refers ?? {}))
      relations.get(parent)!.children.push({
        relation,
        columns: columns.split(','),
        onDelete: actions === 'delete' || actions === 'both',
        onUpdate: actions === 'update' || actions === 'both',
      });
  }
  return {
    dialect,
    find: ({ schema, name }) => relations.get(schema === undefined || schema === 'public' ? name : `${schema}.${name}`),
    named: (name) => [...relations].filter(([key]) => key.split('.').at(-1) === name).map(([, relation]) => relation),
    server: 'app',
    path: ['public'],
  };
}

function aColumn(name: string, type: string): Column {
  return {
    name,
    type: type.split(' ')[0] as Column['type'],
    nullable: false,
    generated: type.endsWith('generated'),
  };
}
