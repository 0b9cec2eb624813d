import type { Knex as Instance } from 'knex';
import type { Random } from '../transparency/random.js';
import { postOf, type Size, tenantOf } from './shop.js';

/** One row is written; what others are is of no interest to it. */
export interface Write {
  readonly text: string;
  readonly table: string;
  /** The row, and how it is written. `fresh` is a number that was not used yet. */
  make(random: Random, size: Size, fresh: number): { readonly id: number; run(knex: Instance): PromiseLike<unknown> };
}

const byId =
  (
    table: 'contacts' | 'journeys' | 'responses' | 'posts',
    column: string,
    value: (fresh: number) => unknown,
  ): Write['make'] =>
  (random, size, fresh) => {
    const id = 1 + random.below(size[table]);
    return {
      id,
      run: (knex) =>
        knex(table)
          .where({ id })
          .update({ [column]: value(fresh) }),
    };
  };
const named = (fresh: number) => `new ${fresh}`;

export const writes: readonly Write[] = [
  { text: 'contacts: UPDATE name WHERE id', table: 'contacts', make: byId('contacts', 'name', named) },
  {
    text: 'contacts: the same in a transaction',
    table: 'contacts',
    make(random, size, fresh) {
      const { id, run } = byId('contacts', 'name', named)(random, size, fresh);
      return { id, run: (knex) => knex.transaction(async (trx) => void (await run(trx))) };
    },
  },
  {
    text: 'contacts: UPDATE name WHERE id AND tenant_id',
    table: 'contacts',
    make(random, size, fresh) {
      const id = 1 + random.below(size.contacts);
      const where = { id, tenant_id: tenantOf(size, id) };
      return {
        id,
        run: (knex) =>
          knex('contacts')
            .where(where)
            .update({ name: named(fresh) }),
      };
    },
  },
  {
    text: 'contacts: UPDATE name WHERE phone AND tenant_id',
    table: 'contacts',
    make(random, size, fresh) {
      const id = 1 + random.below(size.contacts);
      const where = { phone: `+1${id}`, tenant_id: tenantOf(size, id) };
      return {
        id,
        run: (knex) =>
          knex('contacts')
            .where(where)
            .update({ name: named(fresh) }),
      };
    },
  },
  { text: 'contacts: UPDATE seen WHERE id', table: 'contacts', make: byId('contacts', 'seen', (fresh) => fresh) },
  {
    text: 'contacts: INSERT',
    table: 'contacts',
    make(random, size, fresh) {
      const id = 100_000 + fresh;
      const row = { id, tenant_id: 1 + random.below(size.tenants), name: named(fresh), phone: `+1${id}` };
      return { id, run: (knex) => knex('contacts').insert(row) };
    },
  },
  {
    text: 'contacts: upsert by id, which is there',
    table: 'contacts',
    make(random, size, fresh) {
      const id = 1 + random.below(size.contacts);
      const row = { id, tenant_id: tenantOf(size, id), name: named(fresh), phone: `+1${id}` };
      return { id, run: (knex) => knex('contacts').insert(row).onConflict('id').merge(['name']) };
    },
  },
  {
    text: 'contacts: DELETE WHERE id',
    table: 'contacts',
    make(random, size) {
      const id = 1 + random.below(size.contacts);
      return { id, run: (knex) => knex('contacts').where({ id }).delete() };
    },
  },
  { text: 'journeys: UPDATE name WHERE id', table: 'journeys', make: byId('journeys', 'name', named) },
  { text: 'posts: UPDATE title WHERE id', table: 'posts', make: byId('posts', 'title', named) },
  {
    text: 'responses: UPDATE score WHERE id',
    table: 'responses',
    make: byId('responses', 'score', (fresh) => 1000 + fresh),
  },
  {
    text: 'responses: INSERT',
    table: 'responses',
    make(random, size, fresh) {
      const id = 100_000 + fresh;
      const post_id = postOf(size, 1 + random.below(size.responses));
      const row = { id, tenant_id: tenantOf(size, post_id), post_id, score: 1000 + fresh };
      return { id, run: (knex) => knex('responses').insert(row) };
    },
  },
];
