import Knex, { type Knex as Instance } from 'knex';
import { withCache } from '../../adapters/knex/index.js';
import type { Cache } from '../../src/index.js';

export interface Person {
  id: number;
  name: string;
}

/** A database of its own with two people and a post. */
export interface Place {
  readonly url: string;
  open(cache: Cache): Instance;
  drop(): Promise<void>;
}

export async function aPlace(url: string): Promise<Place> {
  const name = `dependencies_${process.pid}`;
  const admin = Knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
  await admin.raw(`drop database if exists ${name}`);
  await admin.raw(`create database ${name}`);
  const at = new URL(url);
  at.pathname = `/${name}`;
  const knex = Knex({ client: 'pg', connection: at.href, pool: { min: 0, max: 1 } });
  await knex.schema.createTable('people', (people) => {
    people.integer('id').primary();
    people.string('name', 100);
  });
  await knex.schema.createTable('posts', (posts) => {
    posts.integer('id').primary();
    posts.string('title', 100);
  });
  await knex('people').insert([
    { id: 1, name: 'Ada' },
    { id: 2, name: 'Bob' },
  ]);
  await knex('posts').insert({ id: 1, title: 'one' });
  await knex.destroy();
  return {
    url: at.href,
    open: (cache) => withCache(Knex({ client: 'pg', connection: at.href, pool: { min: 0, max: 4 } }), { cache }),
    async drop() {
      await admin.raw(`drop database ${name} with (force)`);
      await admin.destroy();
    },
  };
}
