/**
 * What is used of Prisma 7. The driver adapters are public (`@prisma/driver-adapter-utils`); of the client, the members
 * with an underscore are its own business.
 */

/** @internal */
export interface SqlQuery {
  sql: string;
  args: unknown[];
  argTypes: unknown[];
}

/** Rows as arrays; columns are of a type of Prisma's. */
export interface SqlResultSet {
  columnNames: string[];
  columnTypes: number[];
  rows: unknown[][];
  lastInsertId?: string;
}

interface Queryable {
  readonly provider: string;
  readonly adapterName: string;
  queryRaw(query: SqlQuery): Promise<SqlResultSet>;
  executeRaw(query: SqlQuery): Promise<number>;
}

export interface Transaction extends Queryable {
  readonly options: unknown;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  createSavepoint?(name: string): Promise<void>;
  rollbackToSavepoint?(name: string): Promise<void>;
  releaseSavepoint?(name: string): Promise<void>;
}

export interface DriverAdapter extends Queryable {
  executeScript(script: string): Promise<void>;
  startTransaction(isolationLevel?: any): Promise<Transaction>;
  getConnectionInfo?(): unknown;
  underlyingDriver?(): unknown;
  dispose(): Promise<void>;
}

/** What `new PrismaPg(…)` is: a maker of connected driver adapters. */
export interface DriverAdapterFactory {
  readonly provider: string;
  readonly adapterName: string;
  connect(): Promise<any>;
  connectToShadowDb?(): Promise<any>;
}

/** Of `@prisma/adapter-pg`, the settings of its pool and its own. */
export interface Configured {
  readonly config?: unknown;
  readonly options?: { readonly schema?: string };
}

/** A PrismaClient, or one that was extended. */
export interface PrismaClientLike {
  $extends: any;
  $transaction: any;
}

export interface Model {
  readonly dbName?: string | null;
  readonly schema?: string | null;
  readonly fields: readonly { readonly name: string; readonly kind: string; readonly type: string }[];
}

export type Models = Readonly<Record<string, Model>>;

export interface Internals extends PrismaClientLike {
  readonly _engineConfig?: { readonly adapter?: object; readonly inlineSchema?: string };
  readonly _runtimeDataModel: { readonly models: Models };
  readonly _globalOmit?: object;
  readonly _extensions: {
    getAllComputedFields(model: string): Readonly<Record<string, { needs: string[] }>> | undefined;
  };
  /** The one that was constructed, of which extended ones have everything that they do not have themselves. */
  readonly _originalClient: { _executeRequest(this: Internals, asked: Request): Promise<unknown> };
}

/** What a client sends, of its own or raw. */
export interface Request {
  readonly clientMethod: string;
  readonly action: string;
  /** One of the client's, with a callback or a list. */
  readonly transaction?: { readonly kind: 'itx' | 'batch' };
}

/** What the hook of an extension gets for an operation. */
export interface Operation {
  /** Undefined for raw SQL. */
  readonly model?: string;
  readonly operation: string;
  readonly args: any;
  /** Does its work when somebody waits for it. */
  query(args: unknown): PromiseLike<unknown>;
  readonly __internalParams: Request & { readonly dataPath: readonly string[] };
}
