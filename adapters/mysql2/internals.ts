import type { EventEmitter } from 'node:events';

/**
 * What this adapter touches of `mysql2`: the same in 3.9 to 3.24. Pools and connections with promises stand before ones
 * with callbacks, and whatever those send passes `addCommand` of a connection: queries with their values written into
 * the text, prepared statements, resets.
 */
export interface Connection extends EventEmitter {
  readonly config: Settings;
  readonly stream: EventEmitter;
  readonly _fatalError?: unknown;
  query(...args: any[]): any;
  execute(...args: any[]): any;
  end(callback?: (error?: unknown) => void): any;
  promise(...args: unknown[]): Promised;
  format(sql: string, values: unknown): string;
  addCommand(command: Command): Command;
  _resolveNamedPlaceholders(options: { sql: string; values?: unknown; namedPlaceholders?: unknown }): void;
}

export interface Pool extends EventEmitter {
  readonly config: { readonly connectionConfig: Settings };
  query(...args: any[]): any;
  execute(...args: any[]): any;
  end(callback?: (error?: unknown) => void): any;
  promise(...args: unknown[]): Promised;
  format(sql: string, values: unknown): string;
  getConnection(callback: (error: unknown, connection?: Connection) => void): any;
}

/** A pool or connection with promises. */
export interface Promised {
  readonly pool?: Pool;
  readonly connection?: Connection;
  getConnection?(): Promise<Promised>;
}

export type Settings = Readonly<Record<string, any>>;
export type Callback = (error: unknown, rows?: any, fields?: any) => void;

export interface Command extends EventEmitter {
  /** A query has these, */
  readonly _queryOptions?: Options;
  /** and its text with the values in it. */
  readonly sql?: string;
  /** A prepared statement that runs. */
  readonly _executeOptions?: Options;
  readonly statement?: { readonly query: string };
  readonly values?: readonly unknown[];
  /** Of a change of the user, */
  readonly currentConfig?: unknown;
  /** and of a reset. */
  readonly resetConnectionResponse?: unknown;
  onResult?: Callback | undefined;
}

export interface Options {
  readonly sql: string;
  readonly values?: unknown;
  readonly cache?: unknown;
  readonly namedPlaceholders?: unknown;
  readonly rowsAsArray?: unknown;
  readonly nestTables?: unknown;
  readonly [other: string]: unknown;
}

export interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** What a command does to the connection; undefined for those that change and read nothing. */
export function statementOf(command: Command, connection: Connection): Statement | undefined {
  const { _queryOptions: options, _executeOptions: prepared, sql = '', values, statement } = command;
  if (options !== undefined) return plainStatement(connection, options) ?? { sql, params: [] };
  if (prepared !== undefined) return { sql: statement?.query ?? sql, params: Array.isArray(values) ? values : [] };
  if ('currentConfig' in command) return { sql: 'use database_of_another_user', params: [] };
  return command.resetConnectionResponse === undefined ? undefined : { sql: 'rollback', params: [] };
}

/**
 * Text and values as they were given, which is what a statement is known by. Undefined when values are more than values:
 * names, lists, assignments.
 */
export function plainStatement(
  { config, ...rest }: Pick<Connection, 'config'> & Partial<Connection>,
  given: Options,
): Statement | undefined {
  const { sql, values, namedPlaceholders = config.namedPlaceholders } = given;
  if (typeof config.queryFormat === 'function') return undefined;
  if (values === undefined || values === null) return { sql, params: [] };
  if (!Array.isArray(values)) {
    if (!namedPlaceholders || rest._resolveNamedPlaceholders === undefined) return undefined;
    const options = { sql, values, namedPlaceholders };
    rest._resolveNamedPlaceholders.call({ config }, options);
    return plainStatement({ config }, options);
  }
  return !sql.includes('??') && values.every(isPlain) ? { sql, params: values } : undefined;
}

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol';
  return value instanceof Date || Buffer.isBuffer(value);
}

/** A call of `query` or `execute` with a callback. Undefined for others: their rows come one by one. */
export function callOf(args: readonly any[]): { options: Options; callback: Callback } | undefined {
  const [first, second, third] = args;
  if (typeof first?.start === 'function') return undefined;
  const callback = typeof second === 'function' ? second : third;
  const values = typeof second === 'function' || second === undefined ? {} : { values: second };
  const options = typeof first === 'string' ? { sql: first, ...values } : { ...first, ...values };
  return typeof callback === 'function' && typeof options.sql === 'string' ? { options, callback } : undefined;
}

/** Puts a function in a method's place, on this object only, and gives the way back. */
export function replace<K extends string, F extends (...args: any[]) => any>(
  object: Record<K, F>,
  name: K,
  by: F,
): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { value: by, configurable: true, writable: true, enumerable: false });
  return () => {
    // Somebody else has replaced it since.
    if (object[name] !== by) return;
    if (before === undefined) delete (object as Partial<Record<K, F>>)[name];
    else Object.defineProperty(object, name, before);
  };
}
