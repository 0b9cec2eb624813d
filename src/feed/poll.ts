import { type Duration, expected, parseDuration } from '../adapter/index.js';
import type { Change, Source } from './source.js';
import { slept, within } from './waiting.js';

export interface PollOptions {
  /** Runs a statement and gives its rows, on a client that is not wrapped: `(sql) => pool.query(sql).then(([rows]) => rows)`. */
  readonly query: (sql: string) => Promise<unknown>;
  /** How often to look. @defaultValue 1_000 */
  readonly every?: Duration;
  /** How long a statement may take. One that takes longer is given up, and told to `onError`. @defaultValue 5_000 */
  readonly timeout?: Duration;
}

interface Row {
  readonly number: number | string | bigint;
  readonly name: string;
  readonly id: string | readonly string[];
  readonly tenant: string | null;
}

/**
 * Changes of a MySQL, MariaDB or SQLite, from the table that the triggers of {@link feedSql} fill. A change is removed
 * once it is made known, so none is lost: not while nobody looks, and not when a process dies.
 *
 * @throws TypeError for wrong options
 */
export function poll({ query, every = 1000, timeout = 5000 }: PollOptions): Source {
  if (typeof query !== 'function') throw expected('query', 'a function that runs a statement', query);
  const pause = parseDuration('every', every);
  if (!(pause > 0 && Number.isFinite(pause))) throw expected('every', 'more than 0 and not for ever', every);
  const patience = parseDuration('timeout', timeout);
  if (!(patience > 0 && Number.isFinite(patience))) throw expected('timeout', 'more than 0 and not for ever', timeout);
  // A connection that has died without a word answers neither now nor later, and a pool has others.
  const ask = (sql: string) => within(patience, query(sql));
  return {
    async run(to, signal) {
      let begun = false;
      while (!signal.aborted) {
        try {
          const rows = (await ask(look)) as readonly Row[];
          const failure = rows.length === 0 ? undefined : await failureOf(to.changed(changesOf(rows)));
          // By now nothing that was found is served, or the cache keeps it for when its store is back.
          if (!begun && (failure !== undefined || rows.length < most)) {
            await to.began(false);
            begun = true;
          }
          if (failure !== undefined) throw failure.error;
          if (rows.length > 0) {
            // By number: what was written meanwhile, with smaller numbers or larger ones, is for the next time.
            await ask(
              `delete from unstale_changes where number in (${rows.map((row) => String(BigInt(row.number))).join()})`,
            );
          }
          if (rows.length === most) continue;
        } catch (error) {
          if (!signal.aborted) to.lost(error);
          begun = false;
        }
        await slept(pause, signal);
      }
    },
  };
}

const failureOf = (doing: Promise<unknown>) =>
  doing.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );

const most = 500;
const look = `select number, name, id, tenant from unstale_changes order by number limit ${most}`;

function changesOf(rows: readonly Row[]): Change[] {
  const byTable = new Map<string, [Id, string | null][]>();
  for (const { name, id, tenant } of rows) {
    const list = byTable.get(name) ?? [];
    byTable.set(name, list);
    list.push([typeof id === 'string' ? idIn(id) : id, tenant]);
  }
  return [...byTable].map(([table, of]) => ({ schema: undefined, table, rows: of }));
}

type Id = readonly (string | null)[];

/** MariaDB leaves control characters in its JSON as they are. One row that cannot be read must not hold up the others. */
function idIn(text: string): Id {
  try {
    return JSON.parse(text) as Id;
  } catch {
    return [null];
  }
}
