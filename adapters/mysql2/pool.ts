import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { type Client, expected, openClient, type Params, type Per, type WrapOptions } from '../../src/adapter/index.js';
import { Seen } from './connection.js';
import {
  type Connection,
  callOf,
  type Options,
  type Pool,
  type Promised,
  plainStatement,
  replace,
  type Settings,
} from './internals.js';
import { type Answer, form, rowsOf } from './results.js';

/** Where a pool or connection keeps what it was wrapped with: found across the ESM and the CommonJS copy of the package. */
export const wrapping: unique symbol = Symbol.for('unstale.mysql2') as never;

export interface Wrapping {
  readonly options: WrapOptions;
  /** Another handle of the same. */
  know(promised: Promised): void;
  unwrap(): void;
}

/** @throws TypeError for wrong options */
export function wrap(core: Pool | Connection, options: WrapOptions): void {
  const wrapped = new Wrapped(core, options);
  const restore = isPool(core) ? wrapped.pool(core) : wrapped.connection(core);
  const unwrap = () => {
    wrapped.close();
    for (const one of restore) one();
    delete (core as { [wrapping]?: Wrapping })[wrapping];
  };
  const value: Wrapping = { options, unwrap, know: (promised) => wrapped.know(promised) };
  Object.defineProperty(core, wrapping, { value, configurable: true });
}

export function isPool(core: object): core is Pool {
  return 'getConnection' in core;
}

/** One database as a pool and its connections see it, or one connection alone. */
class Wrapped {
  readonly #cache: Client<Answer>;
  readonly #settings;
  #isOpen = true;
  readonly #seen = new WeakMap<object, Seen>();
  readonly #known = new WeakSet<object>();
  /** How connections make `?` of names, which pools cannot. */
  #resolve: Connection['_resolveNamedPlaceholders'] | undefined;
  /** Queries that may yet send something, or call back. */
  readonly #pending = new Set<Promise<unknown>>();

  constructor(core: Pool | Connection, options: WrapOptions) {
    this.#settings = isPool(core) ? core.config.connectionConfig : core.config;
    const { host, port, socketPath, database } = this.#settings;
    if (!options.database && !database)
      throw new TypeError('Expected the option `database`: the configuration does not tell which database it is.');
    this.#cache = openClient<Answer>({
      options,
      adapter: 'mysql2',
      dialect: { name: 'mysql' },
      database: database || options.database,
      address: `${socketPath || `${host}:${port}`}/${database}${JSON.stringify(this.#settings, telling)}`,
      driver: { rowsOf, ask: (connection, sql) => (this.#seen.get(connection) as Seen).ask(sql) },
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#cache.close();
  }

  pool(pool: Pool): (() => void)[] {
    const { getConnection } = pool;
    return [
      replace(pool, 'getConnection', (callback) => {
        // Whoever gives a connection back may be somebody else than who waits for it, in a load of his own.
        const back = AsyncResource.bind(callback);
        return getConnection.call(pool, (error, connection) => {
          if (connection !== undefined && this.#isOpen) this.#meet(connection);
          return back(error, connection);
        });
      }),
      ...this.#reads(pool, () => this.#isOpen),
      this.#end(pool),
      this.#promise(pool),
    ];
  }

  connection(connection: Connection): (() => void)[] {
    this.#meet(connection);
    return [this.#end(connection)];
  }

  /** What has promises is another object, which users hold and name transactions by. */
  know(promised: Promised): void {
    const { connection, getConnection } = promised;
    if (connection !== undefined) this.#seen.get(connection)?.handles.push(promised);
    if (getConnection === undefined || this.#known.has(promised)) return;
    this.#known.add(promised);
    replace(promised as Required<Promised>, 'getConnection', async () => {
      const taken = await getConnection.call(promised);
      this.know(taken);
      return taken;
    });
  }

  #meet(connection: Connection): void {
    const before = this.#seen.get(connection);
    if (before !== undefined) before.handles = [connection];
    if (before !== undefined) return;
    this.#resolve ??= connection._resolveNamedPlaceholders;
    const seen = new Seen(connection, this.#cache, this.#pending);
    this.#seen.set(connection, seen);
    const restore = [
      seen.watch(),
      ...this.#reads(connection, () => {
        if (this.#isOpen || !seen.isIdle) return seen.isIdle;
        for (const one of restore) one();
        this.#seen.delete(connection);
        return false;
      }),
      this.#promise(connection),
    ];
  }

  #promise(core: Pool | Connection): () => void {
    const { promise } = core;
    return replace(core as Connection, 'promise', (...args) => {
      const promised = promise.apply(core, args);
      this.know(promised);
      return promised;
    });
  }

  #end(core: Pool | Connection): () => void {
    const { end } = core;
    const ended = (callback?: (error?: unknown) => void) =>
      end.call(core, (error) => {
        this.close();
        if (callback) callback(error);
        else if (error) throw error;
      });
    return replace(core as Connection, 'end', (callback) => {
      if (this.#pending.size === 0) return ended(callback);
      void Promise.allSettled(this.#pending).then(() => ended(callback));
    });
  }

  #reads(core: Pool | Connection, mayRead: () => boolean): (() => void)[] {
    return (['query', 'execute'] as const).map((how) => {
      const original = core[how];
      return replace(core as Connection, how, (...args: unknown[]) => {
        const call = callOf(args);
        if (call === undefined || call.options.cache === false || !mayRead()) return original.apply(core, args);
        const { options, callback } = call;
        let command: unknown;
        const send = () =>
          new Promise<Answer>((resolve, reject) => {
            command = original.call(core, { ...options, cache: false }, (error: unknown, rows: any, fields: any) => {
              if (error) reject(error);
              else resolve({ rows, fields });
            });
          });
        const told = new EventEmitter();
        const running = this.#read(core, how, options, send);
        const over = () => {
          this.#pending.delete(running);
          process.nextTick(() => told.emit('end'));
        };
        this.#pending.add(running);
        running.then(
          ({ rows, fields }) => process.nextTick(callback, null, rows, fields),
          (error) => process.nextTick(callback, error),
        );
        running.then(over, over);
        return command ?? told;
      });
    });
  }

  #read(
    core: Pool | Connection,
    how: 'query' | 'execute',
    options: Options,
    send: () => Promise<Answer>,
  ): Promise<Answer> {
    const { rowsAsArray, nestTables, values, cache } = options;
    if (!Object.entries(options).every(([name, value]) => value === undefined || readable.has(name))) return send();
    const given = { config: this.#settings, ...(this.#resolve && { _resolveNamedPlaceholders: this.#resolve }) };
    let statement = how === 'query' ? plainStatement(given, options) : { sql: options.sql, params: values ?? [] };
    if (statement === undefined && hasNames(options, this.#settings)) return send();
    statement ??= { sql: core.format(options.sql, values), params: [] };
    // Rows of another shape, or of the other protocol, are another answer.
    const shape = JSON.stringify([how, rowsAsArray, nestTables]);
    const sql = shape === usual ? statement.sql : `${statement.sql}\n/* ${shape.replaceAll('*/', '')} */`;
    return this.#cache.read({ params: statement.params as Params, sql, per: cache as Per }, send, form);
  }
}

function hasNames({ values, namedPlaceholders }: Options, settings: Settings): boolean {
  return !Array.isArray(values) && Boolean(namedPlaceholders ?? settings.namedPlaceholders);
}

const usual = '["query",null,null]';

/** Of the options of a query. Others change what rows look like, or how long the caller is going to wait. */
const readable = new Set(['sql', 'values', 'cache', 'namedPlaceholders', 'rowsAsArray', 'nestTables']);

/** Settings by which the same statement has other rows, or rows of other types. */
const telling = [
  ...['user', 'timezone', 'charset', 'charsetNumber', 'dateStrings', 'decimalNumbers', 'supportBigNumbers'],
  ...['bigNumberStrings', 'jsonStrings', 'typeCast', 'nestTables', 'rowsAsArray', 'stringifyObjects'],
];

/** What has callbacks, behind what has promises. @throws TypeError */
export function coreOf(given: unknown): (Pool | Connection) & { [wrapping]?: Wrapping } {
  const it = (typeof given === 'object' && given !== null ? given : {}) as Promised & Partial<Connection & Pool>;
  const core = it.pool ?? it.connection ?? it;
  const { config } = core as { config?: { connectionConfig?: object } };
  const isOne = (['query', 'execute', 'end'] as const).every((name) => typeof core[name] === 'function');
  if (!isOne || !('addCommand' in core || (config?.connectionConfig && 'getConnection' in core)))
    throw expected('pool', 'a pool or a connection of mysql2', given);
  if ('_pool' in core) throw expected('pool', 'a pool, not one of its connections: those are wrapped with it', given);
  return core as Pool;
}
