/**
 * What this adapter touches of `pg`: the same in 8.11 to 8.23. Everything that a client sends goes through its `query`;
 * `query` of a pool takes a client by `connect` of the same pool, and then calls that client's.
 */
export interface PgClient {
  readonly connection?: { readonly parsedStatements?: Names; readonly submittedNamedStatements?: Names };
  readonly connectionParameters: { readonly options?: unknown };
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  query(...args: any[]): any;
  end(callback?: Callback): any;
  getTypeParser(oid: number, format: 'text'): (text: string) => object;
}

export interface PgPool {
  readonly Client: new (options: object) => PgClient;
  readonly options: { readonly types?: unknown };
  connect(callback?: Connected): any;
  query(...args: any[]): any;
  end(callback?: Callback): any;
}

/** Which text a prepared statement has. */
type Names = Readonly<Record<string, string | undefined>>;
export type Callback = (error?: unknown, result?: any) => void;
export type Connected = (error: unknown, client: PgClient | undefined, release: unknown) => void;

/** `pg`'s own QueryConfig, and what its `Query` takes beside. */
export interface Config {
  readonly text?: string;
  readonly name?: string;
  readonly values?: unknown;
  readonly rowMode?: string;
  readonly cache?: unknown;
  readonly [other: string]: unknown;
}

interface Cursor {
  readonly text?: unknown;
  readonly values?: unknown;
  close?(callback?: Callback): unknown;
}

/** A query that runs itself: of `pg-cursor`, `pg-query-stream`, `pg-copy-streams`, or `new Query()`. */
export interface Submittable extends Cursor {
  readonly cursor?: Cursor;
  callback?: unknown;
  submit(connection: object): unknown;
  handleReadyForQuery(connection: object): unknown;
  handleError(error: unknown, connection: object): unknown;
}

/** A call of `query`, in whatever form it was given. */
export interface Call {
  readonly config: Config;
  readonly callback: Callback | undefined;
}

/** Undefined for what `pg` is going to refuse, or has its own way with. */
export function callOf([first, second, third]: readonly unknown[]): Call | undefined {
  const given = typeof first === 'string' ? { text: first } : (first as Record<string, unknown> | null | undefined);
  if (typeof given !== 'object' || given === null || 'submit' in given) return undefined;
  const { callback: own, ...config } = given;
  if (second && typeof second !== 'function') config.values = second;
  const callback = third || (typeof second === 'function' ? second : own);
  if (callback && typeof callback !== 'function') return undefined;
  if (typeof config.text !== 'string' && typeof config.name !== 'string') return undefined;
  return { config, callback: (callback || undefined) as Callback | undefined };
}

/** Gives a result in the way that the caller asked for. What a callback throws is not ours to catch. */
export function answered(running: Promise<unknown>, callback: Callback | undefined): Promise<unknown> | undefined {
  if (callback === undefined) return running;
  running.then(
    (result) => process.nextTick(callback, null, result),
    (error) => process.nextTick(callback, error),
  );
  return undefined;
}
