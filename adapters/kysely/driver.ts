import type { DatabaseConnection, Dialect, Driver } from 'kysely';
import {
  type Client,
  expected,
  notConnected,
  openClient,
  type Row,
  type Driver as Seen,
  type Dialect as Sql,
  type WrapOptions,
} from '../../src/adapter/index.js';
import { LazyConnection, type Result } from './connection.js';
import { formOf } from './form.js';

/** Options of `withCache`. */
export interface KyselyOptions extends WrapOptions {
  /** Identity of the database in tags, the same in every process that uses it. A dialect keeps its own to itself. */
  database: string;
  /**
   * What else tells the answers of this instance from those of another one of the same database: the user, the search
   * path. @defaultValue ''
   */
  address?: string;
}

/** The driver of a dialect, seen. Kysely makes one for each instance. @throws TypeError for wrong options */
export function wrapDriver(dialect: Dialect, { address = '', ...options }: KyselyOptions): Driver {
  const name = nameOf(dialect);
  const driver = dialect.createDriver();
  const ask = async (connection: object, sql: string) =>
    (await (connection as DatabaseConnection).executeQuery(raw(sql))).rows as Row[];
  let isConnected = false;
  const borrow: NonNullable<Seen<Result>['borrow']> = async (fn) => {
    if (!isConnected) throw notConnected;
    const connection = await driver.acquireConnection();
    try {
      return await fn((sql) => ask(connection, sql));
    } finally {
      await driver.releaseConnection(connection);
    }
  };
  const cache: Client<Result> = openClient<Result>({
    options,
    adapter: 'kysely',
    dialect: { name },
    database: options.database,
    address,
    driver: {
      ask,
      borrow,
      rowsOf: ({ rows }) => rows,
      hideRows: (result) => ({ ...result, rows: [] }),
    },
  });
  const form = formOf((sql) => borrow((ask) => ask(sql)));
  const quoted = (text: string) =>
    name === 'mysql' ? `\`${text.replaceAll('`', '``')}\`` : `"${text.replaceAll('"', '""')}"`;
  const control = (connection: DatabaseConnection, sql: string, fn: (own: DatabaseConnection) => Promise<void>) =>
    (connection as LazyConnection).control(sql, fn);
  return {
    async init() {
      await driver.init();
      isConnected = true;
    },
    acquireConnection: async () => new LazyConnection(driver, cache, form),
    releaseConnection: (connection) => (connection as LazyConnection).release(),
    beginTransaction: (connection, settings) =>
      control(connection, 'begin', (own) => driver.beginTransaction(own, settings)),
    commitTransaction: (connection) => control(connection, 'commit', (own) => driver.commitTransaction(own)),
    rollbackTransaction: (connection) => control(connection, 'rollback', (own) => driver.rollbackTransaction(own)),
    ...(driver.savepoint && {
      savepoint: (connection, point, compile) =>
        control(connection, `savepoint ${quoted(point)}`, async (own) => driver.savepoint?.(own, point, compile)),
      rollbackToSavepoint: (connection, point, compile) =>
        control(connection, `rollback to savepoint ${quoted(point)}`, async (own) =>
          driver.rollbackToSavepoint?.(own, point, compile),
        ),
      releaseSavepoint: (connection, point, compile) =>
        control(connection, `release savepoint ${quoted(point)}`, async (own) =>
          driver.releaseSavepoint?.(own, point, compile),
        ),
    }),
    async destroy() {
      await cache.rest();
      isConnected = false;
      try {
        await driver.destroy();
      } finally {
        cache.close();
      }
    },
  };
}

function raw(sql: string) {
  return { sql, query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] }, parameters: [] } as never;
}

/** By what a dialect can do, since nothing says its name. @throws TypeError */
export function nameOf(dialect: Dialect): Sql['name'] {
  const { supportsReturning, supportsTransactionalDdl, supportsOutput } = dialect.createAdapter();
  if (supportsOutput) throw expected('dialect', 'one for PostgreSQL, MySQL, MariaDB or SQLite', dialect);
  if (!supportsReturning) return 'mysql';
  return supportsTransactionalDdl ? 'postgres' : 'sqlite';
}
