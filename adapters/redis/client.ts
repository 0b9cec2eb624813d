/**
 * What we call of ioredis, as types of our own: the clients of ioredis 5 and 6 both fit, and a user's instance may come
 * from another copy of the module than ours.
 */

/** A command as it goes on the wire: the name in lower case, as ioredis's own tables have it. */
export type Command = readonly [name: string, ...args: (string | number | Buffer)[]];

/** A server's answer. An error is a value here: in a chunk of many commands each has its own fate. */
export type Reply = Buffer | number | null | Error | readonly Reply[];

/** What a key holds; a version is text in the end. */
export type Value = Buffer | string | null | Error;

/** A connection of ioredis. */
export interface Client {
  readonly options: ClientOptions;
  /** The socket; another one after each reconnect. */
  readonly stream?: {
    readonly bytesRead?: number;
    readonly remoteAddress?: string;
    readonly remotePort?: number;
    cork(): void;
    uncork(): void;
    destroy(): void;
  };
  connect(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  duplicate(options: object): Client;
  callBuffer(name: string, ...args: (string | number | Buffer)[]): Promise<unknown>;
  subscribe(...channels: string[]): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

/** What we look at of a client's options; the rest is copied without a look. */
export interface ClientOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly keyPrefix?: string | undefined;
  readonly sentinels?: readonly Partial<Address & { readonly family: number }>[] | null | undefined;
  readonly name?: string | null | undefined;
  readonly family?: number | undefined;
  readonly natMap?: NatMap | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  readonly sentinelTLS?: object | undefined;
}

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Addresses as seen from here, by `host:port` as a Cluster or Sentinel names them. */
export type NatMap = Readonly<Record<string, Address>> | ((key: string) => Address | null | undefined) | null;

/** An instance of ioredis's `Redis`. It is copied, never used and never closed. */
export interface RedisInstance {
  readonly options: object;
  duplicate(override?: object): unknown;
}

/** An instance of ioredis's `Cluster`. Its options and addresses are copied; it is never used and never closed. */
export interface ClusterInstance extends RedisInstance {
  readonly isCluster: boolean;
  nodes(role?: 'all' | 'master' | 'slave'): { readonly options: object }[];
}
