/**
 * What this adapter touches of TypeORM, as its own types: the same in 0.3.20 and later and in 1. Every statement goes
 * through `query` or `stream` of a query runner, `START TRANSACTION` and `COMMIT` too, and every query runner comes out
 * of `createQueryRunner` of its data source.
 */
export interface DataSourceLike {
  readonly options: { readonly type: string };
  readonly driver: object;
  readonly manager: object;
  createQueryRunner(mode?: any): object;
  createEntityManager(queryRunner?: any): object;
}

export interface DataSource {
  readonly isInitialized: boolean;
  readonly driver: Driver;
  readonly manager: Manager;
  readonly queryResultCache?: object | undefined;
  readonly entityMetadatas: readonly any[];
  readonly relationLoader: { enableLazyLoad(relation: any, entity: object, by: any): void };
  initialize(): Promise<object>;
  destroy(): Promise<void>;
  createQueryRunner(mode?: string): QueryRunner;
  createEntityManager(queryRunner?: QueryRunner): Manager;
  createQueryBuilder(...args: unknown[]): Builder;
}

export interface Driver {
  readonly options: Readonly<Record<string, any>>;
  readonly isReplicated?: boolean;
  /** SQLite: the only one there is. */
  readonly databaseConnection?: object;
  /** The module `pg`. */
  readonly postgres?: any;
}

/** What has a connection as soon as it needs one, and keeps it until it is released. SQLite: there is one runner only. */
export interface QueryRunner {
  readonly manager: Manager;
  readonly isReleased: boolean;
  readonly databaseConnection?: object;
  /** The connection is on its way. */
  readonly databaseConnectionPromise?: Promise<object>;
  connect(): Promise<object>;
  release(): Promise<void>;
  query(sql: string, params?: any, structured?: boolean): Promise<any>;
  stream(sql: string, params?: any, onEnd?: () => void, onError?: () => void): Promise<any>;
}

/** What a query runner answers if it is asked for all of it, as query builders do. */
export interface Result {
  /** What it answers otherwise: rows; what the driver tells of a write; or both. */
  raw: any;
  records?: any;
  affected?: number;
}

export interface Manager {
  readonly queryRunner?: QueryRunner;
  transaction(...args: unknown[]): Promise<unknown>;
}

export interface Builder {
  cache(...args: unknown[]): this;
  clone(): this;
}
