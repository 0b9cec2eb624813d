import type { Cache } from '../../src/index.js';
import type { Database } from './database.js';

/** A piece of a service that is slow, and the same through a cache. */
export interface Story {
  readonly title: string;
  /** What it does to the database, in a few words. */
  readonly about: string;
  /** As the service was before. */
  direct(): Promise<unknown>;
  /** As it is with `cache`: the same answer. Called once for each cache. */
  through(cache: Cache): () => Promise<unknown>;
  /** Changes a row that the answer shows. Answers with the tags to invalidate. */
  write(): Promise<string[]>;
}

export type TellStory = (db: Database) => Story;
