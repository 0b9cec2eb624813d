// Names that examples in the docs and in doc comments use without saying where they come from, for `npm run check:docs`.
// `db` stands for your database: whatever you ask it, it answers with a promise.

interface User {
  id: number;
  name: string;
  teamId: number;
}

interface Team {
  id: number;
  name: string;
  orgId: number;
  members: number[];
}

interface Order {
  id: number;
  tenant: string;
  total: number;
  placedAt: Date;
}

interface Reply {
  id: number;
  post_id: number;
  text: string;
}

interface Db {
  user(id: number): Promise<User | null>;
  userByEmail(email: string): Promise<User>;
  users(ids: readonly number[]): Promise<User[]>;
  saveUser(user: User): Promise<User>;
  rename(id: number, name: string): Promise<User>;
  team(id: number): Promise<Team>;
  orders(tenant: string): Promise<Order[]>;
  search(text: string, page: number): Promise<User[]>;
  report(day: string): Promise<{ day: string; total: number }>;
  transaction<T>(fn: (db: Db) => Promise<T>): Promise<T>;
}

declare const db: Db;
declare const id: number;
declare const redisUrl: string;
declare const databaseUrl: string;
declare const posts: readonly { id: number; title: string }[];
declare const service: { findOne(id: number): Promise<User> };
declare const cache: import('unstale').Cache;
declare const createCache: typeof import('unstale').createCache;
declare const withCache: typeof import('unstale').withCache;
declare const cacheOf: typeof import('unstale').cacheOf;
declare const redisStore: typeof import('unstale/redis').redisStore;
declare const knex: import('knex').Knex;
declare const cached: typeof import('unstale/knex').cached;
