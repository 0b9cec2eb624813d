/**
 * Writes that nobody wrapped: from `psql`, from other services, from functions of the database. Triggers tell of them, a
 * feed listens, and the cache forgets what they changed. A feed bounds how stale such a write can leave a value, by its
 * own lag; it does not make it acknowledged.
 */
export { createFeed, type Feed, type FeedOptions } from './feed.js';
export { type ListenClient, type ListenOptions, listen } from './listen.js';
export { type PollOptions, poll } from './poll.js';
export type { Change, Listener, Source } from './source.js';
export { type FeedSqlOptions, feedSql } from './sql.js';
export type { FeedSql, FeedTable } from './types.js';
