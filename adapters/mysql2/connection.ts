import type { Client, Session } from '../../src/adapter/index.js';
import { type Callback, type Command, type Connection, replace, type Statement, statementOf } from './internals.js';
import type { Answer } from './results.js';

/** Whose command is being made at the moment: the kit's own questions go past the adapter. */
let asks = false;

/** One connection: what it sends, in the order in which it was asked to. */
export class Seen {
  readonly session: Session<Answer>;
  /** What users hold of it, and name its transactions by. */
  handles: object[];
  readonly #connection: Connection;
  readonly #cache: Client<Answer>;
  readonly #add: Connection['addCommand'];
  readonly #query: Connection['query'];
  readonly #pending: Set<Promise<unknown>>;
  readonly #running = new Set<(error: unknown) => void>();
  #accepted = 0;
  #sent = 0;
  /** Commands of no interest, which stay behind statements that were there before them. */
  #behind: { readonly command: Command; readonly after: number }[] = [];

  /** @param pending - what `end` waits for */
  constructor(connection: Connection, cache: Client<Answer>, pending: Set<Promise<unknown>>) {
    this.#pending = pending;
    this.#connection = connection;
    this.#cache = cache;
    this.#add = connection.addCommand;
    this.#query = connection.query;
    this.handles = [connection];
    this.session = cache.session(connection);
    // A connection that is destroyed tells its commands nothing.
    const lost = () => {
      for (const reject of this.#running) reject(new Error('The connection was closed.'));
    };
    connection.stream.once('close', lost);
    connection.once('end', lost);
    connection.once('error', lost);
  }

  get isIdle(): boolean {
    return this.#running.size === 0 && this.#accepted === this.#sent && this.session.unit === undefined;
  }

  /** @returns the way back */
  watch(): () => void {
    return replace(this.#connection, 'addCommand', (command: Command) => {
      const statement = asks ? undefined : statementOf(command, this.#connection);
      if (statement !== undefined) return this.#follow(command, statement);
      if (asks || this.#sent === this.#accepted) return this.#add.call(this.#connection, command);
      this.#behind.push({ command, after: this.#accepted });
      return command;
    });
  }

  /** Whatever the connection is set to, rows are objects. */
  ask(sql: string): Promise<any> {
    return new Promise((resolve, reject) => {
      asks = true;
      try {
        const options = { sql, rowsAsArray: false, nestTables: false, typeCast: true };
        this.#query.call(this.#connection, options, (error: unknown, rows: unknown) => {
          if (error) reject(error);
          else resolve(rows);
        });
      } finally {
        asks = false;
      }
    });
  }

  #follow(command: Command, { sql, params }: Statement): Command {
    const { onResult } = command;
    const emit = command.emit.bind(command);
    const options = command._queryOptions ?? command._executeOptions;
    const { config } = this.#connection;
    const isOther = Boolean(
      options?.rowsAsArray || options?.nestTables || config.rowsAsArray || config.nestTables || !onResult,
    );
    // It takes the transaction with it that is open.
    if ('currentConfig' in command && this.session.unit) void this.session.run('rollback', [], async () => ({}));
    let reject = (_error: unknown) => {};
    this.#accepted++;
    const ended = this.session.run(
      sql,
      params,
      () =>
        new Promise((resolve, fail) => {
          reject = fail;
          this.#running.add(reject);
          if (onResult)
            command.onResult = (error, rows, fields) => {
              if (error) fail(error);
              else resolve({ rows, fields, isOther });
            };
          command.emit = (event: string | symbol, ...args: any[]) => {
            if (event !== 'end' && event !== 'error') return emit(event, ...args);
            if (event === 'error') fail(args[0]);
            else if (!onResult) resolve({ isOther });
            // One that could not be prepared has called back already.
            else setImmediate(fail, new Error('It was not sent.'));
            const tell = () => process.nextTick(() => void emit(event, ...args));
            ended.then(tell, tell);
            return true;
          };
          this.#send(command);
        }),
    );
    const over = () => {
      this.#running.delete(reject);
      process.nextTick(() => this.#pending.delete(ended));
      if (this.session.unit) for (const handle of this.handles) this.#cache.bind(handle, this.session);
    };
    this.#pending.add(ended);
    ended.then(over, over);
    const back: Callback = onResult ?? (() => {});
    ended.then(
      ({ rows, fields }) => process.nextTick(back, null, rows, fields),
      (error) => process.nextTick(isUnprepared(command) ? () => {} : back, error),
    );
    return command;
  }

  #send(command: Command): void {
    const { addCommand, _fatalError } = this.#connection;
    this.#sent++;
    // Whoever has closed the connection since did so behind it.
    if (_fatalError) addCommand.call(this.#connection, command);
    else this.#add.call(this.#connection, command);
    const ready = this.#behind.filter(({ after }) => after <= this.#sent);
    this.#behind = this.#behind.filter(({ after }) => after > this.#sent);
    for (const { command: next } of ready) this.#add.call(this.#connection, next);
  }
}

/** `mysql2` takes the way to the server away from it. */
function isUnprepared(command: Command): boolean {
  return Object.hasOwn(command, 'start');
}
