import Knex, { type Knex as Instance } from 'knex';
import { inject } from 'vitest';

export interface Post {
  id: number;
  title: string;
}
export interface Response {
  id: number;
  post_id: number;
  text: string;
}

let made = 0;

/** A database of its own with posts, and two responses to each but the last one. */
export async function aBlog(posts: number): Promise<{ config: Instance.Config; url: string; drop(): Promise<void> }> {
  const name = `blog_${process.pid}_${++made}`;
  const server = inject('services').postgres?.url as string;
  const admin = Knex({ client: 'pg', connection: server, pool: { min: 0, max: 1 } });
  await admin.raw(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const config = { client: 'pg', connection: url.href, pool: { min: 0, max: 5 } };
  const knex = Knex(config);
  await knex.schema.createTable('posts', (table) => {
    table.integer('id').primary();
    table.string('title');
  });
  await knex.schema.createTable('responses', (table) => {
    table.increments('id');
    table.integer('post_id').references('posts.id').onDelete('cascade').index();
    table.string('text');
  });
  const ids = Array.from({ length: posts }, (_, i) => i + 1);
  await knex('posts').insert(ids.map((id) => ({ id, title: `post ${id}` })));
  const texts = ids.slice(0, -1).flatMap((post_id) => ['yes', 'no'].map((text) => ({ post_id, text })));
  await knex('responses').insert(texts);
  await knex.destroy();
  const drop = async () => {
    await admin.raw(`drop database ${name} with (force)`);
    await admin.destroy();
  };
  return { config, url: url.href, drop };
}
