import { createRequire } from 'node:module';
import type { drizzle as Drizzle } from 'drizzle-orm/better-sqlite3';
import { sqliteDriver } from './sqlite.js';

const require = createRequire(import.meta.url);

/** `drizzle()` of `drizzle-orm/better-sqlite3`, which wants the driver by its name; here it is in `test/sqlite`. */
export function drizzleOfSqlite(): typeof Drizzle {
  const modules = require('node:module');
  const { _load: load } = modules;
  modules._load = (name: string, ...rest: unknown[]) =>
    name === 'better-sqlite3' ? sqliteDriver() : load.call(modules, name, ...rest);
  try {
    return require('drizzle-orm/better-sqlite3').drizzle;
  } finally {
    modules._load = load;
  }
}
