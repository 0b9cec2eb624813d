import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** A database of a server, for a case of its own. */
export interface Place<Config> {
  readonly config: Config;
  /** Whether the statements that were asked for have been run in it. */
  readonly filled: boolean;
  /** Gives it back, whatever was done to it. */
  drop(): Promise<void>;
}

/**
 * Databases of a PostgreSQL. To make one and to fill it takes longer than most cases, so those that were given back are
 * used again: with the rows that they had at first where nobody changed more than rows, else emptied.
 */
export async function postgresServer(url: string) {
  const connected = async <T>(fn: (run: (sql: string) => Promise<any>) => Promise<T>, database?: string) => {
    const at = new URL(url);
    if (database) at.pathname = database;
    const admin = new pg.Client(at.href);
    await admin.connect();
    try {
      return await fn(async (sql) => {
        const results: pg.QueryResult | pg.QueryResult[] = await admin.query(sql);
        return (Array.isArray(results) ? results.at(-1) : results)?.rows[0];
      });
    } finally {
      await admin.end();
    }
  };
  const row = await connected((run) => run('show server_version'));
  const { hostname: host, port, username: user } = new URL(url);
  const empty: string[] = [];
  const filled = new Map<string, { database: string; form: string }[]>();
  return {
    version: `PostgreSQL ${String(row.server_version).split(' ')[0]}`,
    async make(filling: readonly string[] = []): Promise<Place<pg.PoolConfig>> {
      const text = filling.join(';\n');
      let { database, form } = filled.get(text)?.pop() ?? {};
      if (database === undefined) {
        database = empty.pop();
        if (database === undefined) {
          database = `contract_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
          const name = database;
          await connected((run) => run(`create database ${name} template template0`));
        }
        if (text !== '') form = (await connected((run) => run(`${text};\n${formOf}`), database)).form;
      }
      const name = database;
      return {
        // Whoever waits for a lock in a test waits for ever.
        config: { host, port: Number(port), user, database, options: '-c lock_timeout=500ms' },
        filled: text !== '',
        async drop() {
          await connected(async (run) => {
            const now = await run(`${ending};\n${formOf}`);
            if (form !== undefined && now.form === form) {
              await run(restoring(filling));
              filled.set(text, [...(filled.get(text) ?? []), { database: name, form }]);
            } else {
              await run(emptying);
              empty.push(name);
            }
          }, name);
        },
      };
    },
  };
}

/** The statements that give tables the rows again that they were filled with. */
export function restoring(filling: readonly string[]): string {
  const tables = filling.flatMap((sql) => /^create table (\w+)/.exec(sql)?.[1] ?? []);
  // Who refers to others was made after them.
  const deletes = tables.reverse().map((table) => `delete from ${table}`);
  return [...deletes, ...filling.filter((sql) => sql.startsWith('insert'))].join(';\n');
}

const ending = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`;

/** What changes with every DDL: the versions of the rows that say what there is. */
const formOf = `select md5(concat(${[
  ...['pg_class', 'pg_attribute', 'pg_attrdef', 'pg_index', 'pg_inherits', 'pg_constraint', 'pg_trigger', 'pg_rewrite'],
  ...['pg_policy', 'pg_type', 'pg_proc', 'pg_operator', 'pg_cast', 'pg_namespace', 'pg_extension', 'pg_event_trigger'],
  ...['pg_publication', 'pg_foreign_server', 'pg_statistic_ext', 'pg_db_role_setting'],
]
  .map((catalogue) => `(select string_agg(concat(xmin, ctid), ',') from ${catalogue}), ';'`)
  .join(', ')})) as form`;

/** Removes everything from a database. */
const emptying = `
  do $$ declare one text; begin
    for one in select nspname from pg_namespace where nspname !~ '^(pg_|information_schema)' loop
      execute format('drop schema %I cascade', one);
    end loop;
  end $$;
  create schema public;
  grant usage on schema public to public`;
