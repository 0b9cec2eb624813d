import type { EventEmitter } from 'node:events';
import { expected, type Params, type Per } from '../../src/adapter/index.js';

/**
 * What this adapter touches of `mysql2`: the same in 3.9 to 3.24. Pools and connections with promises stand before ones
 * with callbacks, and whatever those send passes `addCommand` of a connection: queries with their values written into
 * the text, prepared statements, resets.
 */
interface Core extends EventEmitter {
  query(...args: any[]): any;
  execute(...args: any[]): any;
  end(callback?: (error?: unknown) => void): any;
  format(sql: string, values: unknown): string;
}

export interface Connection extends Core {
  readonly config: Settings;
  readonly stream: EventEmitter;
  readonly _fatalError?: unknown;
  addCommand(command: Command): Command;
}

export interface Pool extends Core {
  readonly config: { readonly connectionConfig: Settings };
  getConnection(callback: (error: unknown, connection?: Connection) => void): any;
}

/** A pool or connection with promises: what it stands before. */
export type Promised = { readonly pool?: Pool; readonly connection?: Connection };

export type Settings = Readonly<Record<string, any>>;
export type Callback = (error: unknown, rows?: any, fields?: any) => void;
/** `[rows, fields]`; and whether the rows are parted by tables. */
export type Answer = readonly [rows?: any, fields?: any, isNested?: boolean];
export type Options = { readonly sql: string; readonly [option: string | symbol]: any };
export type Statement = { readonly sql: string; readonly params: Params };

export interface Command extends EventEmitter {
  /** A query has these, */
  readonly _queryOptions?: Options;
  /** and its text with the values in it. */
  readonly sql?: string;
  /** A prepared statement that runs. */
  readonly _executeOptions?: Options;
  readonly statement?: { readonly query: string };
  readonly values?: readonly unknown[];
  /** Of a reset; a change of the user has `currentConfig`. */
  readonly resetConnectionResponse?: unknown;
  onResult?: Callback | undefined;
}

/** What a command does to the connection; nothing when it changes and reads nothing. */
export function statementOf(command: Command, { config }: Connection): Statement {
  const { _queryOptions: options, _executeOptions: prepared, sql = '', values, statement } = command;
  if (options !== undefined) return plainStatement(config, options) ?? { sql, params: [] };
  if (prepared !== undefined) return { sql: statement?.query ?? sql, params: Array.isArray(values) ? values : [] };
  if ('currentConfig' in command) return { sql: 'use database_of_another_user', params: [] };
  return { sql: command.resetConnectionResponse === undefined ? '' : 'rollback', params: [] };
}

/**
 * Text and values as they were given, which is what a statement is known by. Undefined when values are more than values:
 * names, lists, assignments.
 */
function plainStatement(config: Settings, given: Options): Statement | undefined {
  const { sql } = given;
  const values = given.values ?? [];
  if (typeof values !== 'object' || !(Array.isArray(values) || hasNames(config, given))) return undefined;
  const isPlainText = typeof config.queryFormat !== 'function' && !sql.includes('??');
  return isPlainText && Object.values(values).every(isPlain) ? { sql, params: values as Params } : undefined;
}

/** Whether its values are given by name, which only a connection makes `?` of. */
function hasNames(config: Settings, { values, namedPlaceholders }: Options): boolean {
  return !Array.isArray(values) && Boolean(namedPlaceholders || config.namedPlaceholders);
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

/** What of a call the cache can be asked for. */
export function readable(how: string, options: Options, core: Pool | Connection, settings: Settings) {
  const { sql, rowsAsArray, nestTables, values, cache } = options;
  if (!Object.entries(options).every(([name, value]) => value === undefined || known.has(name))) return undefined;
  const given = how === 'execute' ? { sql, params: (values ?? []) as Params } : plainStatement(settings, options);
  if (given === undefined && hasNames(settings, options)) return undefined;
  // Rows come in another shape, or by the other protocol.
  const shape = JSON.stringify([how, rowsAsArray, nestTables]);
  return { ...(given ?? { sql: core.format(sql, values), params: [] }), per: cache as Per, shape };
}

/** Of the options of a query. Others change what rows look like, or how long the caller is going to wait. */
const known = new Set(['sql', 'values', 'cache', 'namedPlaceholders', 'rowsAsArray', 'nestTables']);

/** What has callbacks, behind what has promises. @throws TypeError */
export function coreOf(given: unknown): Pool | Connection {
  const it = (typeof given === 'object' && given !== null ? given : {}) as Promised & Partial<Connection & Pool>;
  const core = it.pool ?? it.connection ?? it;
  const { config } = core as { config?: { connectionConfig?: object } };
  const isOne = (['query', 'execute', 'end'] as const).every((name) => typeof core[name] === 'function');
  if (!isOne || !('addCommand' in core || (config?.connectionConfig && 'getConnection' in core)))
    throw expected('pool', 'a pool or a connection of mysql2', given);
  if ('_pool' in core) throw expected('pool', 'a pool, not one of its connections: those are wrapped with it', given);
  return core as Pool;
}
