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
import type { Idiomatic } from '../../transparency/idioms.js';
import { begun, savepoint } from './begun.js';
import { mysqlServer } from './mysql-server.js';
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
    async database(filling): Promise<AdapterDatabase> {
      const { config, filled, drop } = await server.make(filling);
      const bare = mysql.createPool({ ...config, connectionLimit: 1 });
      return {
        filled,
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
  const begin = (
    connection: mysql.PoolConnection,
    fn: Parameters<AdapterStatements['transaction']>[0],
    depth: number,
  ): Promise<any> => {
    const whole = {
      start: () => connection.beginTransaction(),
      commit: () => connection.commit(),
      rollback: () => connection.rollback(),
    };
    const saying = depth === 0 ? whole : savepoint(depth, (sql) => connection.query(sql));
    const inside = { ...statements(connection, (inner) => begin(connection, inner, depth + 1)), handle: connection };
    return begun(saying, () => cache.within(connection, () => fn(inside)));
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
  at: Pick<mysql.Connection, 'query' | 'execute'>,
  transaction: (fn: any) => Promise<any>,
): Omit<Idiomatic, 'idioms' | 'builders'> {
  return {
    read: async (sql, params = [], per) =>
      resultOf(await at.query({ sql, values: [...params] as never, cache: per as Per })).rows,
    async prepared(sql, params, per) {
      const values = [...params] as never;
      const [rows, fields] = await at.execute<any>({ sql, values, rowsAsArray: true, cache: per as Per });
      return rows.map((row: unknown[]) => Object.fromEntries(fields.map(({ name }, i) => [name, row[i]])));
    },
    write: async (sql, params = []) => resultOf(await at.query(sql, [...params])),
    transaction,
  };
}

function resultOf([given, fields]: [any, any]): AdapterResult {
  // Of several statements the first.
  const first = Array.isArray(given) && Array.isArray(fields?.[0] ?? fields?.[1]) ? given[0] : given;
  return Array.isArray(first) ? { rows: first, count: undefined } : { rows: [], count: first?.affectedRows };
}
