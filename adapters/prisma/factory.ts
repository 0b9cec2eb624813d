import { type Driver, expected, notConnected, openClient, placeOf, type WrapOptions } from '../../src/adapter/index.js';
import { type OnePlace, seenAdapter } from './driver.js';
import type { Configured, DriverAdapter, DriverAdapterFactory } from './internals.js';
import { plainRows, type Result, rowsOf, type Wrapped, wrapped } from './rows.js';

/** Options of `withCache`. */
export interface PrismaOptions extends WrapOptions {
  /**
   * What else tells the answers of this database from those of another one of the same identity: host, user. The
   * driver adapter for PostgreSQL shows it by itself, the others keep it to themselves. @defaultValue ''
   */
  address?: string;
}

const dialects = { postgres: 'postgres', mysql: 'mysql', sqlite: 'sqlite' } as const;

/** @throws TypeError for wrong options, and for databases that nobody has checked it on */
export function wrapFactory<F extends DriverAdapterFactory>(factory: F, { address, ...options }: PrismaOptions): F {
  const dialect = dialects[factory.provider as keyof typeof dialects];
  // D1 has no transactions: what is rolled back there stays.
  if (dialect === undefined || factory.adapterName.startsWith('@prisma/adapter-d1'))
    throw expected('adapter', 'a driver adapter for PostgreSQL, MySQL, MariaDB or SQLite', factory.adapterName);
  const { config, options: { schema } = {} } = factory as Configured;
  const settings = dialect === 'postgres' ? { ...(config as object | undefined), schema } : undefined;
  const place = placeOf(dialect, settings, options.database, `the driver adapter ${factory.adapterName}`);
  /** Those that are connected, by whatever clients. */
  const adapters = new Set<DriverAdapter>();
  const askOf = (at: OnePlace['adapter']) => async (sql: string) =>
    plainRows(await at.queryRaw({ sql, args: [], argTypes: [] }));
  const borrow: Driver<Result>['borrow'] = async (fn) => {
    const [adapter] = adapters;
    if (adapter === undefined) throw notConnected;
    // The only way to a connection of its own. What it begins is over at once.
    const tx = await adapter.startTransaction();
    try {
      const ask = askOf(tx);
      await ask('COMMIT');
      return await fn(ask);
    } finally {
      await tx.rollback().catch(ignored);
    }
  };
  const driver: Driver<Result> = {
    ask: (connection, sql) => askOf((connection as OnePlace).adapter)(sql),
    isSpread: (connection) => dialect !== 'sqlite' && adapters.has((connection as OnePlace).adapter as DriverAdapter),
    borrow: dialect === 'sqlite' ? undefined : borrow,
    rowsOf,
    hideRows: ({ count }) => ({ count, set: count === undefined ? none : undefined }),
  };
  const settled = { ...place, address: address ?? place.address };
  const client = openClient<Result>({ ...settled, options, adapter: 'prisma', driver });
  const seen: DriverAdapterFactory & { [wrapped]: Wrapped } = {
    [wrapped]: { before: factory, client },
    provider: factory.provider,
    adapterName: factory.adapterName,
    async connect() {
      const adapter: DriverAdapter = await factory.connect();
      adapters.add(adapter);
      const disposed = async () => {
        if (adapters.size === 1) await client.rest();
        adapters.delete(adapter);
      };
      return seenAdapter(adapter, client, disposed);
    },
    ...(factory.connectToShadowDb && { connectToShadowDb: () => factory.connectToShadowDb!() }),
  };
  return seen as DriverAdapterFactory as F;
}

const ignored = () => {};
const none = { columnNames: [], columnTypes: [], rows: [] };
