import { randomUUID } from 'node:crypto';
import mysql from 'mysql2/promise';
import { type Per, withCache } from '../../../adapters/mysql2/index.js';
import type {
  AdapterClient,
  AdapterDatabase,
  AdapterDriver,
  AdapterOptions,
  AdapterResult,
  AdapterRow,
  AdapterStatements,
} from '../../../src/testing/adapter-contract.js';
import type { Spy } from './pg.js';

/** mysql2/promise: a pool, its connections, and streams of the callback pool behind it. */
export async function mysql2Driver({ url = '' }: { url?: string }): Promise<AdapterDriver> {
  const server = await mysqlServer(url);
  return {
    name: 'mysql2',
    server: server.version,
    dialect: 'mysql',
    pool: true,
    lacks: {
      builders: 'mysql2 has no builders',
      batch: 'mysql2 has no batches',
      save: 'mysql2 has no save()',
      ...server.lacks,
    },
    async database(): Promise<AdapterDatabase> {
      const { config, drop } = await server.make();
      const bare = mysql.createPool({ ...config, connectionLimit: 1 });
      return {
        open: async (options) => aClient({ ...config, multipleStatements: true }, options),
        bare: async (sql, params = []) => resultOf(await bare.query(sql, [...params])).rows,
        async drop() {
          await bare.end();
          await drop();
        },
      };
    },
  };
}

/** Sees what the connections of a pool send, from below whatever an adapter does above. */
export function spyOn(pool: any, spy: Spy): void {
  pool.on('connection', (connection: any) => {
    const { addCommand } = connection;
    connection.addCommand = function add(command: any) {
      const { _queryOptions: query, _executeOptions: prepared } = command;
      const sql: string | undefined = query?.sql ?? (prepared && (command.statement?.query ?? command.sql));
      if (sql === undefined) return addCommand.call(connection, command);
      spy.sent.push(sql);
      const hook = spy.hooks.find(({ matches }) => matches(sql));
      if (hook === undefined) return addCommand.call(connection, command);
      spy.hooks = spy.hooks.filter((one) => one !== hook);
      const { onResult, emit } = command;
      const ends: (() => void)[] = [];
      command.emit = (event: string, ...args: unknown[]) =>
        event === 'end' ? ends.push(() => emit.call(command, event, ...args)) > 0 : emit.call(command, event, ...args);
      let answer: any[] = [];
      const answered = new Promise<void>((resolve, reject) => {
        command.onResult = (...args: any[]) => {
          answer = args;
          if (args[0]) reject(args[0]);
          else resolve();
        };
      });
      const send = () => {
        addCommand.call(connection, command);
        return answered;
      };
      hook
        .run(send)
        .catch((error) => {
          answer = [error];
          connection.destroy();
        })
        .then(() => {
          onResult(...answer);
          for (const end of ends) end();
        });
      return command;
    };
  });
}

function aClient(config: mysql.PoolOptions, { cache, twice, ...rules }: AdapterOptions): AdapterClient {
  const spy: Spy = { sent: [], hooks: [] };
  const options = { cache, ...rules };
  const made = mysql.createPool({ ...config, connectionLimit: 6 });
  spyOn(made.pool, spy);
  const pool = withCache(made, options);
  if (twice) withCache(pool.pool, { ...options });
  let acquired = 0;
  pool.on('acquire', () => {
    acquired += 1;
  });
  const held = async <T>(fn: (connection: mysql.PoolConnection) => Promise<T>): Promise<T> => {
    const connection = await pool.getConnection();
    try {
      return await fn(connection);
    } finally {
      connection.release();
    }
  };
  const begin = async <T>(
    connection: mysql.PoolConnection,
    fn: Parameters<AdapterStatements['transaction']>[0],
    depth: number,
  ) => {
    const name = `depth_${depth}`;
    await (depth === 0 ? connection.beginTransaction() : connection.query(`SAVEPOINT ${name}`));
    let result: T;
    try {
      const inside = { ...statements(connection, (inner) => begin(connection, inner, depth + 1)), handle: connection };
      result = (await cache.within(connection, () => fn(inside))) as T;
    } catch (error) {
      const back = depth === 0 ? connection.rollback() : connection.query(`ROLLBACK TO SAVEPOINT ${name}`);
      await (back as Promise<unknown>).catch(() => {});
      throw error;
    }
    await (depth === 0 ? connection.commit() : connection.query(`RELEASE SAVEPOINT ${name}`));
    return result;
  };
  return {
    ...statements(pool, (fn) => held((connection) => begin(connection, fn, 0))),
    connection: (fn) =>
      held((connection) => fn(async (sql, params = []) => resultOf(await connection.query(sql, [...params])).rows)),
    stream: (sql, params = []) => (pool.pool as any).query(sql, [...params]).stream() as AsyncIterable<AdapterRow>,
    using: (handle) => statements(handle as mysql.Connection, () => Promise.reject(new Error('it is one already'))),
    acquired: () => acquired,
    sent: () => spy.sent,
    around(matches, run) {
      spy.hooks.push({ matches, run });
    },
    close: () => pool.end(),
  };
}

function statements(
  at: Pick<mysql.Connection, 'query'>,
  transaction: (fn: any) => Promise<any>,
): Pick<AdapterStatements, 'read' | 'write' | 'transaction'> {
  return {
    read: async (sql, params = [], per) =>
      resultOf(await at.query({ sql, values: [...params] as never, cache: per as Per })).rows,
    write: async (sql, params = []) => resultOf(await at.query(sql, [...params])),
    transaction,
  };
}

function resultOf([given, fields]: [any, any]): AdapterResult {
  // Of several statements the first.
  const first = Array.isArray(given) && Array.isArray(fields?.[0] ?? fields?.[1]) ? given[0] : given;
  return Array.isArray(first) ? { rows: first, count: undefined } : { rows: [], count: first?.affectedRows };
}

/** Databases of a server, each empty. */
export async function mysqlServer(url: string) {
  const run = async (sql: string) => {
    const admin = await mysql.createConnection(url);
    try {
      return (await admin.query(sql))[0] as AdapterRow[];
    } finally {
      await admin.end();
    }
  };
  const [row] = await run('select version() as version');
  const { hostname: host, port, username: user } = new URL(url);
  const version = String(row?.version);
  const isMariadb = /mariadb/i.test(version);
  return {
    version: isMariadb ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`,
    lacks: {
      returning: `${isMariadb ? 'MariaDB' : 'MySQL'} has no UPDATE … RETURNING`,
      merge: 'no MERGE',
      ...(isMariadb && { lateral: 'MariaDB has no LATERAL' }),
    },
    async make() {
      const database = `contract_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
      await run(`create database ${database} character set utf8mb4`);
      const config: mysql.PoolOptions = { host, port: Number(port), user, database };
      return { config, drop: async () => void (await run(`drop database ${database}`)) };
    },
  };
}
