import { answersOf, type Dialect, type Driver } from '../../src/adapter/index.js';
import type { KnexClient, Query } from './internals.js';

/** What a driver answers with: where the rows are, and how it is kept in the cache. */
export interface Responses extends Omit<Driver<Query>, 'ask'> {
  pack(query: Query): unknown;
  unpack(packed: unknown): Query;
}

export function responsesOf({ connectionSettings, driver }: KnexClient, dialect: Dialect['name']): Responses {
  const { rowsOf, hideRows, pack, unpack } = answersOf(dialect, () => connectionSettings?.types ?? driver.types);
  return {
    rowsOf: ({ response }) => rowsOf(response),
    hideRows(query) {
      hideRows?.(query.response);
      return query;
    },
    pack: ({ response }) => pack(response),
    unpack: (packed) => ({ sql: '', response: unpack(packed) }),
  };
}
