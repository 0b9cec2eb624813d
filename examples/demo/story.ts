import type { Knex } from 'knex';
import type { Cache } from '../../src/index.js';

/** A piece of a service that is slow, and the same through a cache. */
export interface Story {
  readonly title: string;
  /** What it does to the database, in a few words. */
  readonly about: string;
  /** As the service was before. */
  direct(): Promise<unknown>;
  /** As it is with `cache`, for which the client is wrapped: the same answer. */
  through(cache: Cache): () => Promise<unknown>;
  /** Changes a row that the answer shows, and does nothing else: nobody tells the cache. */
  write(): Promise<unknown>;
}

/** `knex`: the client of one process, wrapped or not. The service's queries are the same for both. */
export type TellStory = (knex: Knex) => Story;
