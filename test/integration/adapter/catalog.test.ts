import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Catalog } from '../../../src/adapter/catalog/types.js';
import { aMysqlDatabase, aPostgresDatabase, aSqliteDatabase } from './catalog-databases.js';
import { type ADatabase, catalogOf, childrenOf, columnsOf, shapeOf, sharedSchema } from './catalog-shapes.js';

const services = inject('services');

describe.each([
  { name: 'postgres', open: aPostgresDatabase },
  { name: 'mysql', open: aMysqlDatabase },
  { name: 'sqlite', open: aSqliteDatabase },
] as const)('the catalogue of $name', ({ name, open }) => {
  describe.skipIf(!services[name])('says of a usual schema', () => {
    let database: ADatabase;
    let catalog: Catalog;
    const find = (table: string, schema?: string) => catalog.find({ schema, name: table });
    beforeAll(async () => {
      database = await open();
      await database.run(...sharedSchema(database.dialect));
      catalog = await catalogOf(database);
    });
    afterAll(() => database?.end());

    test('which tables there are, and no system tables', () => {
      expect(find('orgs')?.tag).toBe('table:app.orgs');
      expect(find('orgs')?.name).toBe('orgs');
      expect(find('nothing')).toBeUndefined();
      expect(catalog.named('orgs').map((it) => it.tag)).toEqual(['table:app.orgs']);
      expect(catalog.named('nothing')).toEqual([]);
      for (const [schema, table] of [
        ['pg_catalog', 'pg_class'],
        ['information_schema', 'tables'],
        ['mysql', 'user'],
        ['main', 'sqlite_master'],
        [undefined, 'sqlite_sequence'],
      ] as const)
        expect(find(table, schema)).toBeUndefined();
    });

    test('columns with their types', () => {
      const decimal = name === 'sqlite' ? 'other' : 'numeric';
      expect(columnsOf(find('order_lines'))).toEqual([`amount ${decimal} null`, 'line integer', 'order_id integer']);
      expect(columnsOf(find('log'))).toEqual(['at text null', 'text text null']);
    });

    test('primary keys, in the order of the key', () => {
      expect(find('orgs')?.primaryKey).toEqual(['id']);
      expect(find('order_lines')?.primaryKey).toEqual(['order_id', 'line']);
      expect(find('log')?.primaryKey).toEqual([]);
    });

    test('which tables change with another, and by which columns', () => {
      expect(childrenOf(find('orgs'))).toEqual(['table:app.users (id) delete']);
      expect(childrenOf(find('users'))).toEqual(['table:app.orders (id) delete update', 'table:app.users (id) delete']);
      expect(childrenOf(find('orders'))).toEqual(['table:app.order_lines (id)']);
      expect(childrenOf(find('order_lines'))).toEqual(['table:app.parcels (order_id, line) update']);
      expect(childrenOf(find('parcels'))).toEqual([]);
    });

    test('chains of them, by the relations themselves', () => {
      const users = find('orgs')?.children[0]?.relation;
      expect(users).toBe(find('users'));
      expect(users?.children.some((it) => it.relation === users)).toBe(true);
      expect(users?.children.some((it) => it.relation === find('orders'))).toBe(true);
    });

    test('the tables behind a view, through views', () => {
      expect(shapeOf(find('user_orders'))).toEqual({
        tag: 'table:app.user_orders',
        kind: 'view',
        key: '',
        bases: ['table:app.orders', 'table:app.users'],
      });
      expect(shapeOf(find('busy_users'))).toMatchObject({
        bases: ['table:app.orders', 'table:app.orgs', 'table:app.users'],
      });
      expect(find('busy_users')?.bases.every((it) => it === find(it.name))).toBe(true);
      expect(shapeOf(find('no_tables'))).toEqual({ tag: 'table:app.no_tables', kind: 'view', key: '' });
      expect(columnsOf(find('user_orders'))).toEqual(
        name === 'sqlite' ? [] : [expect.stringMatching(/^email text/), expect.stringMatching(/^id integer/)],
      );
    });

    test('that a view with a clock cannot be known, nor a view of it', () => {
      expect(find('with_clock')?.unreadable).toMatch(/^it has current_timestamp.*, which differs from call to call$/i);
      expect(find('beside_clock')?.unreadable).toMatch(/^it reads with_clock: it has current_timestamp/i);
    });

    test('the same of names with quotes, capitals and spaces', () => {
      const odd =
        name === 'postgres' ? 'Odd "it\'s\\ näme' : name === 'mysql' ? 'odd "it\'s\\ name' : 'odd "it\'s\\ näme';
      const id = name === 'postgres' ? 'The Id' : 'the id';
      expect(shapeOf(find(odd))).toMatchObject({ tag: `table:app.${odd}`, key: id });
      expect(find(odd)?.name).toBe('Odd "it\'s\\ näme');
      expect(columnsOf(find(odd))[1]).toBe('select text null');
      expect(shapeOf(find(name === 'postgres' ? 'Odd view as' : 'odd view as'))).toMatchObject({
        bases: [`table:app.${odd}`],
      });
    });

    test('nothing hidden of plain tables', () => {
      expect(shapeOf(find('log'))).toEqual({
        tag: 'table:app.log',
        kind: 'table',
        key: '',
        ...(name === 'postgres' && { returnable: true }),
      });
    });
  });

  test.skipIf(!services[name])('says what failed, when it cannot be read', async () => {
    const database = await open();
    try {
      await database.run('create table t (id integer)');
      const broken = { ...database, ask: () => Promise.reject(new Error('connection lost')) };
      await expect(catalogOf(broken)).rejects.toThrow(
        'The catalogue of the database app could not be read: connection lost',
      );
      const empty = { ...database, ask: async () => [] };
      if (name === 'postgres') await expect(catalogOf(empty)).rejects.toThrow(/not understood/);
    } finally {
      await database.end();
    }
  });
});
