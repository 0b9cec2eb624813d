import { AsyncResource } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import {
  answersOf,
  asks,
  clientIn,
  type Driver,
  openClient,
  placeOf,
  replace,
  type WrapOptions,
  type Wrapping,
} from '../../src/adapter/index.js';
import { Seen } from './connection.js';
import { type Answer, type Callback, type Connection, callOf, type Options, type Pool, readable } from './internals.js';

const answers = answersOf('mysql');

/** A pool, or a connection that belongs to none. @throws TypeError for wrong options */
export function wrap(core: Pool | Connection, options: WrapOptions): Wrapping {
  const isPool = 'getConnection' in core;
  const settings = isPool ? core.config.connectionConfig : core.config;
  const seen = new WeakMap<object, Seen>();
  /** Queries that may yet send something, or call back. */
  const pending = new Set<Promise<unknown>>();
  let isOpen = true;
  const cache = openClient<Answer>({
    options,
    adapter: 'mysql2',
    ...placeOf('mysql', settings, options.database, 'this pool'),
    driver: {
      ask: (connection, sql) => (seen.get(connection) as Seen).ask(sql),
      rowsOf: (answer) => (answer[2] ? undefined : answers.rowsOf(answer)),
      connectionOf: ({ connection }) => connection,
      borrow: isPool
        ? borrowOf(core, (connection, sql) => seen.get(connection)?.ask(sql) ?? asks.mysql(connection, sql))
        : undefined,
    },
  });
  const close = () => {
    isOpen = false;
    cache.close();
  };
  const readBy =
    (from: Pool | Connection, mayRead: () => boolean): Read =>
    (how, options, send) => {
      const statement = mayRead() ? readable(how, options, from, settings) : undefined;
      // Whoever holds a connection may do something else on it by then.
      const again = from === core && isPool ? undefined : (false as const);
      return statement && cache.read({ ...statement, again }, send, answers);
    };
  const meet = (connection: Connection) => {
    if (!isOpen || seen.has(connection)) return;
    // One that was wrapped before finds out that it is over when it is asked the next time, which is now.
    (connection as Partial<Left>)[leave]?.();
    const one = new Seen(connection, cache, pending);
    seen.set(connection, one);
    const left = (): boolean => {
      if (isOpen || !one.session.isIdle) return false;
      for (const way of ways) way();
      one.leave();
      seen.delete(connection);
      const its = connection as Partial<Left>;
      if (its[leave] === left) delete its[leave];
      return true;
    };
    const mayRead = () => !left() && one.session.isIdle;
    const ways = [one.watch(left), ...readsOf(connection, pending, readBy(connection, mayRead))];
    Object.defineProperty(connection, leave, { value: left, configurable: true });
  };
  const ways: (() => void)[] = [];
  if (!isPool) meet(core);
  else {
    const { getConnection } = core;
    const take: Pool['getConnection'] = (callback) => {
      // Whoever gives a connection back may be somebody else than who waits for it, in a load of his own.
      const back = AsyncResource.bind(callback);
      return getConnection.call(core, (error, connection) => {
        if (connection !== undefined) meet(connection);
        return back(error, connection);
      });
    };
    const read = readBy(core, () => isOpen);
    ways.push(replace(core, 'getConnection', take), ...readsOf(core, pending, read));
  }
  const { end } = core;
  const ended = (callback?: (error?: unknown) => void) =>
    end.call(core, (error) => {
      close();
      if (callback) callback(error);
      else if (error) throw error;
    });
  const endLater: Pool['end'] = (callback) => {
    const last = [...pending, cache.rest()].filter((one) => one !== undefined);
    return last.length === 0 ? ended(callback) : void Promise.allSettled(last).then(() => ended(callback));
  };
  ways.push(replace(core, 'end', endLater));
  Object.defineProperty(core, clientIn, { value: cache, configurable: true });
  const unwrap = () => {
    close();
    delete (core as object as { [clientIn]?: unknown })[clientIn];
    for (const way of ways) way();
  };
  return { unwrap };
}

/** A connection of the pool, as the pool gives them by itself. */
function borrowOf(core: Pool, ask: (connection: Connection, sql: string) => Promise<any>): Driver<Answer>['borrow'] {
  const { getConnection } = core;
  return async (fn) => {
    const connection = await new Promise<Connection & { release(): void }>((resolve, reject) => {
      getConnection.call(core, (error, given: any) => (error ? reject(error) : resolve(given)));
    });
    try {
      return await fn((sql) => ask(connection, sql));
    } finally {
      connection.release();
    }
  };
}

/** How what is on a connection goes when its pool was unwrapped, unless a transaction is open; known to both copies of the package. */
const leave: unique symbol = Symbol.for('unstale.mysql2.leave') as never;
type Left = Record<typeof leave, () => boolean>;

type Read = (how: string, options: Options, send: () => Promise<Answer>) => Promise<Answer> | undefined;

/** Lets `query` and `execute` ask the cache first. */
function readsOf(core: Pool | Connection, pending: Set<Promise<unknown>>, read: Read): (() => void)[] {
  return (['query', 'execute'] as const).map((how) => {
    const original = core[how];
    return replace(core as Connection, how, (...args: unknown[]) => {
      const call = callOf(args);
      if (call === undefined || call.options.cache === false) return original.apply(core, args);
      const { options, callback } = call;
      let command: unknown;
      const send = () =>
        new Promise<Answer>((resolve, reject) => {
          command = original.call(core, { ...options, cache: false }, (error: unknown, ...answer: [any, any]) =>
            error ? reject(error) : resolve(answer),
          );
        });
      const running = read(how, options, send);
      if (running === undefined) return original.apply(core, args);
      pending.add(running);
      const told = new EventEmitter();
      const tell = (...answer: Parameters<Callback>) => {
        pending.delete(running);
        process.nextTick(callback, ...answer);
        process.nextTick(() => told.emit('end'));
      };
      running.then(([rows, fields]) => tell(null, rows, fields), tell);
      return command ?? told;
    });
  });
}
