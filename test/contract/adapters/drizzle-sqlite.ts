import { drizzle as onProxy } from 'drizzle-orm/sqlite-proxy';
import { cached } from '../../../adapters/drizzle/index.js';
import type {
  AdapterClient,
  AdapterDatabase,
  AdapterDriver,
  AdapterOptions,
  AdapterResult,
  AdapterRow,
  AdapterStatements,
} from '../../../src/testing/adapter-contract.js';
import { drizzleOfSqlite } from '../../services/drizzle-sqlite.js';
import { sqliteDriver } from '../../services/sqlite.js';
import { drizzleIdioms, schemas } from '../../transparency/idioms/drizzle.js';
import type { Idiomatic, Idioms } from '../../transparency/idioms.js';
import { bared, buildersOf, query, wrapped } from './drizzle.js';
import type { Spy } from './pg.js';
import { sqliteServer, tuned } from './sqlite.js';

type How = 'proxy' | 'at once';

/**
 * Drizzle on SQLite. Over a proxy it has everything. Over better-sqlite3 itself it answers at once: there it writes, and
 * what is to come from the cache is read by a proxy of the same file.
 */
export async function drizzleSqliteDriver({ how }: { how: How }): Promise<AdapterDriver> {
  const server = await sqliteServer();
  return {
    name: how === 'proxy' ? 'drizzle, sqlite-proxy' : 'drizzle, better-sqlite3',
    server: server.version,
    dialect: 'sqlite',
    pool: false,
    lacks: {
      ...server.lacks,
      acquired: 'there is no pool',
      stream: 'Drizzle does not stream from SQLite',
      save: 'Drizzle has no save()',
      ...(how === 'at once' && {
        batch: 'Drizzle has no batches of better-sqlite3',
        around: 'a statement that answers at once cannot be held',
      }),
    },
    refuses: 'under `strict`: Drizzle has one connection to SQLite',
    async database(): Promise<AdapterDatabase> {
      const { file, drop } = await server.make();
      const bare = tuned(new (sqliteDriver())(file)) as any;
      return {
        async open(options) {
          const client = aClient(file, how, options);
          // Statements that are answered at once do not wait until processes have agreed on their rules.
          if (how === 'at once') await new Promise((resolve) => setTimeout(resolve, 10));
          return client;
        },
        async bare(text, params = []) {
          const statement = bare.prepare(text);
          return statement.reader ? statement.all(...params.map(valueOf)) : void statement.run(...params.map(valueOf));
        },
        async drop() {
          bare.close();
          await drop();
        },
      };
    },
  };
}

/** A connection is in one transaction at a time, so whoever does not mean that has another one. */
function aClient(file: string, how: How, options: AdapterOptions): AdapterClient & Idiomatic {
  const spy: Spy = { sent: [], hooks: [] };
  const opened: any[] = [];
  const free = new Set<Statements>();
  // What the store does not confirm in time is told by an event.
  const settled = () => options.cache.settled({ timeout: '1s' }).catch(() => {});
  const open = () => {
    const connection: any = tuned(new (sqliteDriver())(file));
    opened.push(connection);
    const given: AdapterOptions = { ...options, database: file } as AdapterOptions;
    const reads = aProxy(connection, spy, given);
    const learn = options.cache.getOrSet.bind(options.cache);
    const { default: _, tables = {}, ...rules } = given;
    const untimed = Object.fromEntries(Object.entries(tables).map(([name, { ttl: _, ...rule }]) => [name, rule]));
    const made =
      how === 'proxy' ? reads : readBy(reads, atOnce(connection, spy, { ...rules, tables: untimed }, settled), learn);
    free.add(made);
    return made;
  };
  open();
  const idle = () => [...free][0] ?? open();
  const alone = async <T>(fn: (made: Statements) => Promise<T>): Promise<T> => {
    const made = idle();
    free.delete(made);
    return fn(made).finally(() => free.add(made));
  };
  const through = (name: 'find' | 'insert' | 'update' | 'remove' | 'upsert') =>
    ((...args: unknown[]) => (idle().builders as any)[name](...args)) as any;
  return {
    read: (...args) => idle().read(...args),
    write: (...args) => idle().write(...args),
    builders: {
      find: through('find'),
      insert: through('insert'),
      update: through('update'),
      remove: through('remove'),
      upsert: through('upsert'),
    },
    idioms: (per) =>
      new Proxy({} as Idioms, {
        get:
          (_, name: keyof Idioms) =>
          (...args: unknown[]) =>
            (idle() as any).idioms(per)[name](...args),
      }),
    transaction: (fn) => alone((made) => made.transaction(fn)),
    connection: (fn) => alone((made) => fn(async (text, params) => (await made.write(text, params)).rows)),
    using: (handle) => handles.get(handle) as Statements,
    batch: (statements) => alone((made) => made.batch!(statements)),
    sent: () => spy.sent,
    around(matches, run) {
      spy.hooks.push({ matches, run });
    },
    async close() {
      for (const connection of opened) connection.close();
    },
  };
}

type Statements = Idiomatic & Pick<AdapterClient, 'batch'>;

/** What stands for transactions, with their statements. */
const handles = new WeakMap<object, AdapterStatements>();

const valueOf = (value: unknown) => (typeof value === 'boolean' ? Number(value) : value);

/** SQLite by way of a callback that gives promises, as a server behind a network does. */
function aProxy(connection: any, spy: Spy, options: AdapterOptions): Statements {
  const run = async (text: string, params: unknown[], method: string) => {
    const statement = connection.prepare(text);
    const given = params.map(valueOf);
    if (!statement.reader) return { rows: [], count: statement.run(...given).changes };
    const columns = statement.columns().map(({ name }: { name: string }) => name);
    const rows = method === 'get' ? statement.raw().get(...given) : statement.raw().all(...given);
    return { rows, columns };
  };
  const send = async (text: string, params: unknown[], method: string) => {
    spy.sent.push(text);
    const hook = spy.hooks.find(({ matches }) => matches(text));
    if (hook === undefined) return run(text, params, method);
    spy.hooks = spy.hooks.filter((one) => one !== hook);
    let answer: any;
    await hook.run(async () => {
      answer = await run(text, params, method);
    });
    return answer;
  };
  const sendAll = async (queries: { sql: string; params: unknown[]; method: string }[]) => {
    await run('begin', [], 'run');
    try {
      const answers = [];
      for (const { sql, params, method } of queries) answers.push(await send(sql, params, method));
      await run('commit', [], 'run');
      return answers;
    } catch (error) {
      await run('rollback', [], 'run');
      throw error;
    }
  };
  const db = wrapped(onProxy(send, sendAll, { schema: schemas.sqlite as any }), options);
  return proxied(db, connection);
}

function proxied(db: any, connection: any): Statements {
  const named = (text: string, rows: unknown[][]): AdapterRow[] => {
    const statement = connection.prepare(text);
    if (!statement.reader) return [];
    const names: string[] = statement.columns().map(({ name }: { name: string }) => name);
    return rows.map((row) => Object.fromEntries(row.map((value, at) => [names[at], value])));
  };
  const run = async (text: string, params?: readonly unknown[]): Promise<AdapterResult> => {
    const isQuery = /^\s*(select|with|values|explain|pragma)|\breturning\b/i.test(text);
    if (isQuery) return { rows: named(text, await bared(db.all(query(text, params)))), count: undefined };
    return { rows: [], count: (await bared<any>(db.run(query(text, params)))).count };
  };
  return {
    async read(text, params, per) {
      const read = async () => (await run(text, params)).rows;
      return per === undefined ? read() : cached(per, read);
    },
    write: run,
    builders: buildersOf(db),
    idioms: (per) => drizzleIdioms(db, 'sqlite', per),
    transaction: (fn) =>
      bared(
        db.transaction((tx: object) => {
          const statements = proxied(tx, connection);
          handles.set(tx, statements);
          return fn({ ...statements, handle: tx });
        }),
      ),
    async batch(statements) {
      const made = statements.map(({ sql, params }) => db.all(query(sql, params)));
      const per = statements.find((one) => one.per !== undefined)?.per;
      const all: unknown[][][] = await (per === undefined ? db.batch(made) : cached(per, () => db.batch(made)));
      return all.map((rows, at) => named(statements[at]!.sql, rows));
    },
  };
}

/** better-sqlite3 itself; a transaction that waits for something is begun and ended by hand. */
function atOnce(
  connection: any,
  spy: Spy,
  options: AdapterOptions,
  settled: () => Promise<unknown>,
): Pick<Idiomatic, 'write' | 'builders' | 'transaction' | 'read' | 'idioms'> {
  const { prepare } = connection;
  // One that is seen, beside the one that the proxy has.
  const spied = Object.create(connection);
  spied.prepare = (text: string) => {
    const statement = prepare.call(connection, text);
    for (const method of ['run', 'get', 'all']) {
      const before = statement[method];
      statement[method] = (...params: unknown[]) => {
        spy.sent.push(text);
        return before.apply(statement, params.map(valueOf));
      };
    }
    return statement;
  };
  const db: any = wrapped(drizzleOfSqlite()(spied, { schema: schemas.sqlite as any }), options);
  const run = async (text: string, params?: readonly unknown[]): Promise<AdapterResult> => {
    const isReader = prepare.call(connection, text).reader;
    const given = query(text, params);
    const result = isReader ? db.all(given) : bareError(() => db.run(given));
    await settled();
    return isReader ? { rows: result, count: undefined } : { rows: [], count: result.changes };
  };
  const statements = (depth: number): AdapterStatements => ({
    read: async (text, params) => (await run(text, params)).rows,
    write: run,
    builders: settling(buildersOf(db), settled),
    async transaction(fn) {
      const [begin, commit, ...back] =
        depth === 0
          ? ['begin', 'commit', 'rollback']
          : [`savepoint s${depth}`, `release s${depth}`, `rollback to s${depth}`, `release s${depth}`];
      await run(begin as string);
      const inner = statements(depth + 1);
      handles.set(spied, inner);
      try {
        const result = await options.cache.within(spied, () => fn({ ...inner, handle: spied }));
        await run(commit as string);
        return result;
      } catch (error) {
        for (const text of back) if (connection.inTransaction) await run(text);
        throw error;
      }
    },
  });
  return { ...statements(0), idioms: () => settling(drizzleIdioms(db, 'sqlite'), settled) };
}

/** Drizzle puts the error of `run` into one of its own. */
function bareError<T>(fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    throw (error as Error).cause ?? error;
  }
}

/** Nobody waits for what a statement has ended, but whoever wants to. */
function settling<T extends object>(builders: T, settled: () => Promise<unknown>): T {
  const wrap =
    (fn: any) =>
    async (...args: unknown[]) => {
      const result = await fn(...args);
      await settled();
      return result;
    };
  return Object.fromEntries(Object.entries(builders).map(([name, fn]) => [name, wrap(fn)])) as T;
}

/** What is read by one client, and written by another. */
function readBy(
  reads: Statements,
  writes: ReturnType<typeof atOnce>,
  learn: AdapterOptions['cache']['getOrSet'],
): Statements {
  return {
    ...writes,
    async write(sql, params) {
      const result = await writes.write(sql, params);
      // Which tables another client has made, this one finds out in a load.
      if (/^\s*(create|drop|alter)/i.test(sql))
        await learn({ key: ['learn', sql], load: () => reads.read('select count(*) from accounts') });
      return result;
    },
    read: reads.read,
    builders: { ...writes.builders!, find: reads.builders!.find },
    idioms: (per) => {
      const { find, among, count, page, withNotes, joined } = reads.idioms!(per);
      return { ...writes.idioms!(), find, among, count, page, withNotes, joined };
    },
  };
}
