import { describe, expected, warnOnce } from '../adapter/index.js';
import { type Cache, type Dependency, table } from '../index.js';
import type { Change, Listener, Source } from './source.js';

export interface FeedOptions {
  readonly cache: Cache<any>;
  /** `listen({ … })` for PostgreSQL, `poll({ … })` for the others. */
  readonly source: Source;
  /**
   * The tables that the triggers cover. Whatever was cached of them is given up when changes may have been missed: with
   * `listen`, at the start and after a lost connection.
   */
  readonly tables: readonly string[];
  /** The database, as in `table()`. @defaultValue those of the clients that are wrapped for the cache */
  readonly database?: string;
  /** Hears when the feed loses its way to the database. @defaultValue a warning, once */
  readonly onError?: (error: unknown) => void;
}

/** A running feed. */
export interface Feed {
  /**
   * Resolves when it hears of every change from now on, and nothing older than its beginning is served; while the store
   * cannot be reached, the cache keeps the latter for when it can.
   */
  readonly ready: Promise<void>;
  /** Whether it hears of changes at the moment. */
  readonly listening: boolean;
  /** Ends it. What was cached stays, and is no longer ended by writes of others. Nobody waits for `ready` any longer. */
  close(): Promise<void>;
}

/**
 * Ends what writes outside of this library change: the triggers of {@link feedSql} report them. One process of a cache is
 * enough. With `listen` several do no harm; with `poll` each change is told to one feed, so caches that do not share a
 * store cannot share a database.
 *
 * @example
 * ```ts
 * import pg from 'pg';
 * import { createFeed, listen } from 'unstale/feed';
 *
 * const feed = createFeed({ cache, tables: ['orders'], source: listen({ connect: () => new pg.Client('postgres://localhost/app') }) });
 * await feed.ready;
 * ```
 * @throws TypeError for wrong options
 */
export function createFeed(options: FeedOptions): Feed {
  const { cache, source, tables, database, onError } = check(options);
  const where = database === undefined ? {} : { database };
  const whole = tables.map((name) => (database === undefined ? table(name) : table(name, { database })));
  const abort = new AbortController();
  let listening = false;
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const listener: Listener = {
    async changed(changes) {
      await cache.invalidate(...changes.flatMap((change) => whatOf(change, where)));
    },
    async began(missed) {
      try {
        if (missed) await cache.invalidate(...whole);
      } finally {
        listening = !abort.signal.aborted;
        isReady();
      }
    },
    lost(error) {
      listening = false;
      onError(error);
    },
  };
  const running = source.run(listener, abort.signal);
  return {
    ready,
    get listening() {
      return listening;
    },
    async close() {
      abort.abort();
      listening = false;
      await running;
      isReady();
    },
  };
}

/** Rows of one tenant are named together: a tag for the tenant, and one for each row. */
function whatOf({ schema, table: name, rows }: Change, where: { database?: string }): Dependency[] {
  const full = schema === undefined ? name : `${schema}.${name}`;
  if (rows === undefined) return ['database' in where ? table(full, where) : table(full)];
  // Where one of them cannot be named, it may be any.
  if (!rows.every(([id]) => id.every(isPlain))) return whatOf({ schema, table: name }, where);
  const byTenant = new Map<string | null, (readonly (string | null)[])[]>();
  for (const [id, tenant] of rows) {
    const known = isPlain(tenant) ? tenant : null;
    byTenant.set(known, [...(byTenant.get(known) ?? []), id]);
  }
  return [...byTenant].map(([tenant, id]) => table(full, { ...where, id, ...(tenant === null ? {} : { tenant }) }));
}

/** Beyond ASCII, databases find texts equal that make different tags: `ß` may be `s` or `ss`. */
function isPlain(text: string | null): text is string {
  return text !== null && /^[\x20-\x7e]*$/.test(text);
}

const names = ['cache', 'source', 'tables', 'database', 'onError'];

function check(o: FeedOptions): FeedOptions & { readonly onError: (error: unknown) => void } {
  if (typeof o !== 'object' || o === null)
    throw expected('options', 'an object with `cache`, `source` and `tables`', o);
  for (const name of Object.keys(o))
    if (!names.includes(name))
      throw new TypeError(`Expected an option of createFeed (${names.join(', ')}), got \`${name}\``);
  if (typeof o.cache?.invalidate !== 'function') throw expected('cache', 'a cache', o.cache);
  if (typeof o.source?.run !== 'function') throw expected('source', 'listen({ … }) or poll({ … })', o.source);
  if (!Array.isArray(o.tables) || o.tables.length === 0)
    throw expected('tables', "a list such as ['orders']", o.tables);
  if (o.onError !== undefined && typeof o.onError !== 'function') throw expected('onError', 'a function', o.onError);
  const tell = (error: unknown) =>
    warnOnce(
      `feed:${o.tables.join()}`,
      `The feed of ${o.tables.join(', ')} hears nothing (${error instanceof Error ? error.message : describe(error)}), and tries again. Until then writes outside of this library are not seen. \`onError\` silences this.`,
    );
  return { ...o, onError: o.onError ?? tell };
}
