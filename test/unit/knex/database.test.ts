import Knex, { type Knex as Instance } from 'knex';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { databaseOf } from '../../../adapters/knex/database.js';
import type { KnexClient } from '../../../adapters/knex/internals.js';

afterEach(() => vi.unstubAllEnvs());

const place = (config: Instance.Config, database?: string) => databaseOf(Knex(config).client as KnexClient, database);

describe('PostgreSQL', () => {
  test('a URL, settings, and settings with a URL in them say the same', () => {
    const all = [
      place({ client: 'pg', connection: 'postgres://ada:secret@db:5433/app' }),
      place({ client: 'pg', connection: { host: 'db', port: 5433, database: 'app', user: 'ada', password: 'secret' } }),
    ];
    for (const it of all) {
      expect(it).toMatchObject({ dialect: { name: 'postgres' }, database: 'app' });
      expect(it.address).toBe('db:5433/app{"user":"ada"}');
    }
    const within = place({ client: 'pg', connection: { connectionString: 'postgres://ada:secret@db:5433/app' } });
    expect(within).toMatchObject({ database: 'app', address: expect.stringMatching('^db:5433/app') });
    expect(JSON.stringify(within)).not.toContain('secret');
  });

  test('what is not said is as pg takes it', () => {
    for (const name of ['PGHOST', 'PGPORT', 'PGDATABASE']) vi.stubEnv(name, '');
    expect(place({ client: 'pg', connection: { user: 'ada' } })).toMatchObject({ database: 'ada' });
    expect(place({ client: 'pg', connection: { database: 'app' } }).address).toMatch(/^localhost:\/app/);
    vi.stubEnv('PGHOST', 'db');
    expect(place({ client: 'pg', connection: { database: 'app' } }).address).toMatch(/^db:\/app/);
    expect(place({ client: 'pg', connection: 'postgres:///app?host=/run/pg' }).address).toMatch(/^\/run\/pg:\/app/);
  });

  test('the search path tells answers apart', () => {
    const connection = 'postgres://ada@db/app';
    const one = place({ client: 'pg', connection, searchPath: ['one'] });
    const two = place({ client: 'pg', connection, searchPath: ['two'] });
    expect(one.address).not.toBe(two.address);
    expect(one.database).toBe(two.database);
  });
});

describe('MySQL', () => {
  test('a URL and settings say the same', () => {
    const all = [
      place({ client: 'mysql2', connection: 'mysql://ada:secret@db:3307/app' }),
      place({ client: 'mysql2', connection: { host: 'db', port: 3307, database: 'app', user: 'ada' } }),
    ];
    for (const it of all)
      expect(it).toEqual({ dialect: { name: 'mysql' }, database: 'app', address: 'db:3307/app{"user":"ada"}' });
  });

  test('settings that change what values look like tell answers apart', () => {
    const connection = { host: 'db', database: 'app' };
    const dates = place({ client: 'mysql2', connection });
    const texts = place({ client: 'mysql2', connection: { ...connection, dateStrings: true } });
    expect(dates.address).not.toBe(texts.address);
  });
});

describe('SQLite', () => {
  const sqlite = (filename: string) =>
    databaseOf({ driverName: 'better-sqlite3', config: {}, connectionSettings: { filename } } as never, undefined);

  test('a file has its name without its folder, and is where it is', () => {
    expect(sqlite('/data/app.db')).toEqual({ dialect: { name: 'sqlite' }, database: 'app', address: '/data/app.db{}' });
    expect(sqlite('app.db').address).toBe(`${process.cwd()}/app.db{}`);
  });

  test.each(['', ':memory:', 'file::memory:?cache=shared', 'file:x?mode=memory'])('%j is nobody else’s', (name) => {
    expect(sqlite(name).database).toBe('memory');
    expect(sqlite(name).address).not.toBe(sqlite(name).address);
  });
});

test('the option `database` counts more than what is configured, and is enough where nothing is', () => {
  expect(place({ client: 'pg', connection: 'postgres://db/app' }, 'main').database).toBe('main');
  expect(place({ client: 'pg', connection: () => ({ host: 'db' }) }, 'main')).toMatchObject({ database: 'main' });
});
