import { type Client, replace, type Session } from '../../src/adapter/index.js';
import { type Answer, type Callback, type Command, type Connection, type Statement, statementOf } from './internals.js';

/** The kit's own questions, which go past the adapter. */
const own = Symbol('own');

/** One connection: what it sends, in the order in which it was asked to. */
export class Seen {
  readonly session: Session<Answer>;
  readonly #connection: Connection;
  readonly #add: Connection['addCommand'];
  readonly #query: Connection['query'];
  readonly #pending: Set<Promise<unknown>>;
  readonly #running = new Set<(error: unknown) => void>();
  /** A connection that is destroyed tells its commands nothing. */
  readonly #lost = () => {
    for (const reject of this.#running) reject(new Error('The connection was closed.'));
  };

  /** @param pending - what `end` waits for */
  constructor(connection: Connection, cache: Client<Answer>, pending: Set<Promise<unknown>>) {
    this.#pending = pending;
    this.#connection = connection;
    this.#add = connection.addCommand;
    this.#query = connection.query;
    this.session = cache.session(connection);
    connection.stream.once('close', this.#lost);
    connection.once('end', this.#lost);
    connection.once('error', this.#lost);
  }

  /**
   * @param left - whether it was unwrapped, and nothing is open on it any more
   * @returns the way back
   */
  watch(left: () => boolean): () => void {
    return replace(this.#connection, 'addCommand', (command: Command) => {
      if (left()) return this.#add.call(this.#connection, command);
      if (command._queryOptions?.[own]) this.#send(command);
      else this.#follow(command, statementOf(command, this.#connection));
      return command;
    });
  }

  /** Hears of the connection no more. */
  leave(): void {
    this.#connection.stream.removeListener('close', this.#lost);
    this.#connection.removeListener('end', this.#lost);
    this.#connection.removeListener('error', this.#lost);
  }

  /** Whatever the connection is set to, rows are objects. */
  ask(sql: string): Promise<any> {
    return new Promise((resolve, reject) => {
      const options = { sql, rowsAsArray: false, nestTables: false, typeCast: true, [own]: true };
      this.#query.call(this.#connection, options, (error: unknown, rows: unknown) =>
        error ? reject(error) : resolve(rows),
      );
    });
  }

  #follow(command: Command, { sql, params }: Statement): void {
    // Of no interest; but it stays behind statements that were there before it.
    if (sql === '') return void this.session.run(sql, params, async () => [this.#send(command)]);
    // It takes the transaction with it that is open.
    if ('currentConfig' in command && this.session.unit) void this.session.run('rollback', [], async () => []);
    const { onResult } = command;
    const emit = command.emit.bind(command);
    const isNested = Boolean((command._queryOptions ?? command._executeOptions)?.nestTables);
    let reject = (_error: unknown) => {};
    const send = () =>
      new Promise<Answer>((resolve, fail) => {
        reject = fail;
        this.#running.add(reject);
        if (onResult)
          command.onResult = (error, rows, fields) => {
            if (error) fail(error);
            else resolve([rows, fields, isNested || Boolean(this.#connection.config.nestTables)]);
          };
        command.emit = (event: string | symbol, ...args: any[]) => {
          if (event !== 'end' && event !== 'error') return emit(event, ...args);
          if (event === 'error') fail(args[0]);
          else if (!onResult) resolve([]);
          // One that could not be prepared has called back already.
          else setImmediate(fail, new Error('It was not sent.'));
          const tell = () => process.nextTick(() => void emit(event, ...args));
          ended.then(tell, tell);
          return true;
        };
        this.#send(command);
      });
    const ended = this.session.run(sql, params, send, false);
    this.#pending.add(ended);
    const tell = (...answer: Parameters<Callback>) => {
      this.#running.delete(reject);
      process.nextTick(() => this.#pending.delete(ended));
      // One that could not be prepared, and has called back: `mysql2` takes the way to the server away from it.
      const isTold = answer[0] && Object.hasOwn(command, 'start');
      if (onResult && !isTold) process.nextTick(onResult, ...answer);
    };
    ended.then(([rows, fields]) => tell(null, rows, fields), tell);
  }

  /** Whoever has closed the connection since did so behind it. */
  #send(command: Command): void {
    const { addCommand, _fatalError } = this.#connection;
    (_fatalError ? addCommand : this.#add).call(this.#connection, command);
  }
}
