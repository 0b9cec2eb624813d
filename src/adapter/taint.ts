import type { Dialect, Statement } from '../sql/index.js';

/**
 * Statements that change what later ones of the connection mean, or what they answer. The connections of a pool are not
 * told apart when an answer comes from the cache, so after one of these none does.
 */
export interface Taint {
  /** What was changed. */
  readonly what: string;
  /** Until when: a `SET LOCAL` ends with its transaction. */
  readonly until: 'transaction' | 'forever';
}

export function taintOf(statement: Statement, sql: string, dialect: Dialect): Taint | undefined {
  const { kind, session, names } = statement;
  // Whether a temporary table hides another one is for the catalogue to say.
  if (session !== undefined && session !== temporary && !isHarmless(session, statement, sql, dialect))
    return { what: session, until: 'forever' };
  if (dialect.name !== 'postgres') return undefined;
  if (kind === 'set' && names.has('local')) {
    const what = renaming.find((name) => names.has(name));
    return what === undefined ? undefined : { what, until: 'transaction' };
  }
  if (!names.has('set_config')) return undefined;
  return { what: 'set_config()', until: isLocal(sql) ? 'transaction' : 'forever' };
}

/** What {@link Statement.session} says of a temporary table. */
export const temporary = 'temporary table';

/** What decides which table a name means. */
const renaming = ['search_path', 'role', 'authorization'];

/** A single call, and it says `true`: until the end of the transaction. */
function isLocal(sql: string): boolean {
  return sql.match(/set_config/gi)?.length === 1 && /set_config\s*\(\s*[^(),]+,[^(),]+,\s*true\s*\)/i.test(sql);
}

function isHarmless(setting: string, { names }: Statement, sql: string, { name }: Dialect): boolean {
  // Most of SQLite's are about files and speed, or only ask something.
  if (name === 'sqlite') return !harmful.some((one) => names.has(one));
  // MySQL takes several in one statement, and the first is the one that is told.
  if (name === 'mysql' && sql.includes(',')) return false;
  return harmless[name].test(setting);
}

const harmful = ['case_sensitive_like', 'encoding', 'read_uncommitted', 'reverse_unordered_selects'];

/** They change when a statement fails, how fast it is and what is logged; not what it reads and writes. */
const harmless = {
  postgres: settings(`\\w+_timeout application_name client_encoding names client_min_messages synchronous_commit jit\\w*
    enable_\\w+ (maintenance_)?work_mem temp_buffers effective_\\w+ \\w+_cost geqo\\w* join_collapse_limit
    from_collapse_limit plan_cache_mode max_parallel_\\w+ min_parallel_\\w+ log_\\w+ debug_\\w+ tcp_\\w+ track_\\w+ vacuum_\\w+
    default_transaction_\\w+ transaction_isolation transaction_read_only default_tablespace temp_tablespaces`),
  // Variables of the user are seen where they are read.
  mysql: settings(`@[^@].* (@@(session\\.|local\\.)?)?(names character charset foreign_key_checks unique_checks
    sql_safe_updates sql_notes sql_warnings \\w+_timeout max_execution_time max_statement_time transaction_isolation
    tx_isolation transaction_read_only tx_read_only optimizer_\\w+ \\w+_buffer_size tmp_table_size profiling sql_log_bin)`),
};

function settings(names: string): RegExp {
  return new RegExp(`^(?:${names.trim().split(/\s+/).join('|')})$`, 'i');
}
