import type { Knex as Instance } from 'knex';
import { journeyOf, type Size, tenantOf } from './shop.js';

export type Row = Readonly<Record<string, unknown>>;

/** Something that is cached. */
export interface Read {
  readonly kind: string;
  readonly tables: readonly string[];
  ask(knex: Instance): PromiseLike<unknown>;
  /** Whether a row of one of its tables is one that it looks at, limits aside. */
  covers(table: string, row: Row): boolean;
}

/** The reads of a program that serves tenants: rows, lists, counts, joins and pages; with the usual size, a thousand. */
export function readsOf(size: Size): Read[] {
  const reads: Read[] = [];
  const tenants = upTo(size.tenants);
  const add = (kind: string, tables: string[], covers: Read['covers'], ask: Read['ask']) =>
    reads.push({ kind, tables, covers, ask });
  const is = (column: string, value: unknown) => (_: string, row: Row) => row[column] === value;
  const any = () => true;

  for (const [table, count] of [
    ['contacts', size.contacts * 0.25],
    ['journeys', size.journeys * 0.5],
    ['journey_nodes', size.nodes * 0.1],
    ['posts', size.posts * 0.25],
    ['tenants', size.tenants],
  ] as const)
    for (const id of upTo(count)) add('row by id', [table], is('id', id), (knex) => knex(table).where({ id }).first());
  for (const id of upTo(size.contacts * 0.05))
    add('row by another column', ['contacts'], is('phone', `+1${id}`), (knex) =>
      knex('contacts')
        .select('id', 'name')
        .where({ phone: `+1${id}` }),
    );

  for (const tenant_id of tenants) {
    const own = is('tenant_id', tenant_id);
    const list = (table: string, ...columns: string[]) =>
      add('list of a tenant', [table], own, (knex) =>
        knex(table)
          .select('id', ...columns)
          .where({ tenant_id })
          .orderBy('id')
          .limit(20),
      );
    list('journeys', 'name', 'status');
    list('contacts', 'name', 'phone');
    list('posts', 'title', 'reviewed');
    add('count of a tenant', ['contacts'], own, (knex) => knex('contacts').where({ tenant_id }).count('* as n'));
    add('count of a tenant', ['responses'], own, (knex) =>
      knex('responses').where({ tenant_id }).avg('score as mean').count('* as n'),
    );
    add('join, one side narrowed', ['journeys', 'journey_nodes'], own, (knex) =>
      knex('journeys as j')
        .join('journey_nodes as n', 'n.journey_id', 'j.id')
        .where('j.tenant_id', tenant_id)
        .groupBy('j.id', 'j.name')
        .orderBy('j.id')
        .select('j.id', 'j.name')
        .count('* as nodes'),
    );
    add('join, both sides narrowed', ['posts', 'responses'], own, (knex) =>
      knex('posts as p')
        .join('responses as r', 'r.post_id', 'p.id')
        .where({ 'p.tenant_id': tenant_id, 'r.tenant_id': tenant_id })
        .orderBy('r.id')
        .select('p.title', 'r.score'),
    );
  }

  for (const journey_id of upTo(size.journeys * 0.5)) {
    const tenant_id = tenantOf(size, journey_id);
    add('list of a parent and tenant', ['journey_nodes'], is('journey_id', journey_id), (knex) =>
      knex('journey_nodes').where({ journey_id, tenant_id }).orderBy('id'),
    );
  }
  for (const post_id of upTo(size.posts * 0.6))
    add('page of a parent', ['responses'], is('post_id', post_id), (knex) =>
      knex('responses').select('id', 'score').where({ post_id }).orderBy('score', 'desc').orderBy('id').limit(10),
    );
  for (const id of upTo(size.nodes * 0.05))
    add(
      'row by id with its parent',
      ['journey_nodes', 'journeys'],
      (table, row) => row.id === (table === 'journeys' ? journeyOf(size, id) : id),
      (knex) =>
        knex('journey_nodes as n')
          .join('journeys as j', 'j.id', 'n.journey_id')
          .where('n.id', id)
          .select('n.id', 'n.type', 'j.name'),
    );

  for (const table of ['tenants', 'journeys', 'contacts', 'posts', 'responses'])
    add('count of all', [table], any, (knex) => knex(table).count('* as n'));
  for (const page of upTo(5))
    for (const [table, ...columns] of [
      ['contacts', 'name'],
      ['journeys', 'name', 'status'],
      ['posts', 'title'],
    ] as const)
      add('page of all', [table], any, (knex) =>
        knex(table)
          .select('id', ...columns)
          .orderBy('id', 'desc')
          .limit(20)
          .offset(20 * (page - 1)),
      );
  return reads;
}

export function upTo(count: number): number[] {
  return Array.from({ length: Math.floor(count) }, (_, at) => at + 1);
}
