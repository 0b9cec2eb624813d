import type { Spy } from './pg.js';

/** Lets a statement pass, held by whoever waits for it. */
async function pass<T>(spy: Spy, sql: string, send: () => Promise<T>, lost?: () => void): Promise<T> {
  spy.sent.push(sql);
  const hook = spy.hooks.find(({ matches }) => matches(sql));
  if (hook === undefined) return send();
  spy.hooks = spy.hooks.filter((one) => one !== hook);
  let result: { value: T } | undefined;
  try {
    await hook.run(async () => {
      result = { value: await send() };
    });
  } catch (error) {
    lost?.();
    throw error;
  }
  return result!.value;
}

/** A pool of the `mariadb` package, seen from below whatever an adapter does above. */
export function spiedPool(pool: any, spy: Spy): any {
  const { getConnection } = pool;
  const seen = new WeakSet<object>();
  pool.getConnection = async () => {
    const connection = await getConnection.call(pool);
    if (seen.has(connection)) return connection;
    seen.add(connection);
    for (const name of ['execute', 'query']) {
      const send = connection[name];
      connection[name] = (query: any, values: unknown) =>
        pass(
          spy,
          query.sql ?? query,
          () => send.call(connection, query, values),
          () => connection.destroy(),
        );
    }
    return connection;
  };
  for (const name of ['execute', 'query'])
    pool[name] = async (query: unknown, values: unknown) => {
      const connection = await pool.getConnection();
      try {
        return await connection[name](query, values);
      } finally {
        await connection.release();
      }
    };
  return pool;
}

/** A driver adapter for SQLite, with what the suite needs of its connection: two at a file, and no waiting for a disk. */
export function spiedAdapter(factory: any, spy: Spy): any {
  const see = (at: any) => {
    const { queryRaw, executeRaw } = at;
    at.queryRaw = (query: any) => pass(spy, query.sql, () => queryRaw.call(at, query));
    at.executeRaw = (query: any) => pass(spy, query.sql, () => executeRaw.call(at, query));
    return at;
  };
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    async connect() {
      const adapter = await factory.connect();
      await adapter.executeScript(
        'pragma journal_mode = wal; pragma synchronous = off; pragma foreign_keys = on; pragma busy_timeout = 1000',
      );
      const { startTransaction } = adapter;
      adapter.startTransaction = async (level: unknown) => {
        spy.sent.push('BEGIN');
        return see(await startTransaction.call(adapter, level));
      };
      return see(adapter);
    },
  };
}
