import { beforeEach, describe, expect, it } from 'vitest';
import { planOf } from '../../../src/adapter/plan.js';
import { checkRules } from '../../../src/adapter/rules.js';
import { forgetWarnings } from '../../../src/core/warn.js';
import { readStatement } from '../../../src/sql/index.js';
import { warningsOf } from '../core/warnings.js';
import { mysql, postgres, sqlite } from '../sql/a-statement.js';
import { aCatalog } from './a-catalog.js';
import { ends, plan, reads, shop } from './a-plan.js';

// Warnings of the test before are still on their way.
beforeEach(() => warningsOf(forgetWarnings));

describe('a statement that nobody can read', () => {
  it('is refused, and has changed everything', () => {
    expect(plan('CALL settle()')).toMatchObject({ refused: expect.stringContaining('cannot be read'), writes: true });
    expect(ends('ALTER TABLE orders ADD x int')).toEqual(['*']);
  });
});

describe('a load', () => {
  it.each([
    ['SELECT * FROM orders FOR UPDATE', 'a lock on its rows'],
    ['SELECT current_user', 'CURRENT_USER'],
    ["SELECT nextval('orders_id_seq')", 'nextval()'],
    ['SELECT * FROM pg_class', 'the system table pg_class'],
    ['SELECT * FROM nothing', 'the table nothing is not in the catalogue'],
    ['SELECT f(1)', 'f()'],
    ['DELETE FROM orders RETURNING *', 'a statement that writes'],
    ['WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x', 'a statement that writes'],
    ['SELECT 1; SELECT 2', 'several statements'],
    ['EXPLAIN SELECT * FROM orders', 'a plan'],
    ['SHOW search_path', 'a statement that is no query'],
  ])('is refused that runs %s', (sql, reason) => {
    expect(plan(sql).refused).toContain(reason);
    expect(plan(sql).uncacheable).toContain(reason);
  });

  it.each(['BEGIN', 'SET LOCAL statement_timeout = 1', '-- nothing', ''])('may run %s', (sql) => {
    expect(plan(sql)).toMatchObject({ refused: undefined, writes: false });
  });

  it.each([
    'SELECT now(), * FROM orders',
    'SELECT * FROM orders WHERE day = CURRENT_DATE',
    'SELECT * FROM orders ORDER BY random()',
    "SELECT * FROM orders WHERE day = 'today'",
    'SELECT * FROM orders TABLESAMPLE SYSTEM (1)',
    'SELECT gen_random_uuid() FROM orders',
  ])('may ask the clock and chance, and is tracked: %s', (sql) => {
    expect(plan(sql)).toMatchObject({ refused: undefined, uncacheable: expect.any(String) });
    expect(reads(sql)).toEqual(['orders']);
  });

  it('is refused when a clock and a lock come together', () => {
    expect(plan('SELECT now() FROM orders FOR SHARE').refused).toBe('a lock on its rows');
  });

  it('is refused that reads what cannot be tracked, be it behind a view', () => {
    const tables = { ...shop, users: { ...shop.users, unreadable: 'row level security' } };
    expect(plan('SELECT * FROM users', { tables }).refused).toBe('users cannot be tracked: row level security');
    const view = { ...shop, open_orders: { ...shop.open_orders, unreadable: 'a function' } };
    expect(plan('SELECT * FROM open_orders', { tables: view }).refused).toContain('a function');
  });
});

describe('a function', () => {
  const sql = 'SELECT settle(id) FROM orders';

  it('that nobody speaks for may change anything', () => {
    expect(plan(sql)).toMatchObject({ writes: true, everything: expect.stringContaining("functions: { 'settle'") });
  });

  it('is what its rule says', () => {
    const around = (rule: 'pure' | string[] | { reads?: string[]; writes?: string[] }) => ({
      rules: { functions: { settle: rule } },
    });
    expect(plan(sql, around('pure'))).toMatchObject({ refused: undefined, writes: false });
    expect(reads(sql, [], around(['logs']))).toEqual(['logs', 'orders']);
    expect(plan(sql, around(['open_orders'])).reads.map(({ name }) => name)).toEqual(['orders', 'open_orders']);
    expect(plan(sql, around(['nothing'])).refused).toContain('nothing');
    const writing = around({ reads: ['users'], writes: ['logs'] });
    expect(plan(sql, writing)).toMatchObject({ refused: 'settle() writes', writes: true });
    expect(ends(sql, [], writing)).toEqual(['logs', 'logs!rows', 'logs!tenants']);
    expect(ends(sql, [], around({ writes: ['nothing'] }))).toEqual(['*']);
  });

  it('that reads what cannot be tracked refuses', () => {
    const tables = { ...shop, users: { ...shop.users, unreadable: 'row level security' } };
    expect(plan(sql, { tables, rules: { functions: { settle: ['users'] } } }).refused).toContain('row level security');
  });

  it('in another schema is another function', () => {
    const rules = { functions: { settle: 'pure' } } as const;
    expect(plan('SELECT app.settle()', { rules }).refused).toContain('app.settle()');
  });
});

describe('a table that the catalogue does not have', () => {
  it('was changed by a write, with everything that may depend on it', () => {
    expect(ends('INSERT INTO nothing VALUES (1)')).toEqual(['*']);
    expect(ends('DROP TABLE IF EXISTS nothing')).toEqual(['*']);
  });

  it('is read by nobody when it is just made', () => {
    expect(ends('CREATE TABLE nothing (id int)')).toEqual([]);
    expect(ends('SELECT 1 AS a INTO nothing')).toEqual([]);
    expect(ends('CREATE TABLE IF NOT EXISTS logs (id int)')).toEqual(['logs', 'logs!rows', 'logs!tenants']);
  });

  it('may be a temporary one', () => {
    const of = (sql: string) =>
      planOf(readStatement(sql, postgres), sql, aCatalog(postgres, shop), checkRules({}, postgres), {
        temporary: new Set(['scratch']),
      });
    expect(of('INSERT INTO scratch VALUES (1)').everything).toBeUndefined();
    expect(of('INSERT INTO sales.scratch VALUES (1)').everything).toBeDefined();
    expect(of('SELECT * FROM scratch').refused).toBeDefined();
  });
});

describe('after the search path was changed', () => {
  it('a name without a schema may be the table of any', () => {
    const tables = { ...shop, 'sales.orders': shop.orders };
    const of = (sql: string) =>
      planOf(readStatement(sql, postgres), sql, aCatalog(postgres, tables), checkRules({}, postgres), {
        anySchema: true,
      });
    const tags = of('UPDATE orders SET state = 1 WHERE id = 7').writeTags([]).tags;
    expect(tags).toEqual(expect.arrayContaining(['table:app.orders!rows', 'table:app.sales.orders!rows']));
    expect(of('UPDATE sales.orders SET state = 1 WHERE id = 7').writeTags([]).tags).not.toContain('table:app.orders');
    expect(of('SELECT * FROM orders').refused).toBeDefined();
  });
});

describe('several statements', () => {
  it('change what each of them changes', () => {
    expect(ends('DELETE FROM logs; INSERT INTO users (org_id) VALUES (1)')).toEqual(
      expect.arrayContaining(['logs!rows', 'users']),
    );
    expect(ends('DELETE FROM logs; CALL f()')).toEqual(['*']);
  });
});

describe('a column to be returned', () => {
  it('is the tenant, when the statement names its row and not its tenant', () => {
    expect(plan("UPDATE orders SET state = 'x' WHERE id = $1").returning).toBe('org_id');
    expect(plan('delete from orders where id = 1').returning).toBe('org_id');
    const it = plan('DELETE FROM users WHERE id = $1').writeTags(['0b6ee6e3-44f2-4d11-8a0e-9a1f9c3b7a10']);
    expect(it.tags).toContain('table:app.users!tenants');
    expect(it.refine([{ org_id: 7 }])).not.toContain('table:app.users!tenants');
    expect(it.refine([{ org_id: 7 }])).toContain("table:app.users@['1:7");
  });

  it.each([
    'UPDATE orders SET state = 1 WHERE id = 1 RETURNING id',
    'UPDATE orders SET org_id = 1 WHERE id = 1',
    'UPDATE orders SET state = 1 WHERE id = 1 AND org_id = 2',
    'UPDATE orders SET state = 1 WHERE email = $1',
    'UPDATE orders SET state = 1',
    'UPDATE orders SET state = 1 FROM logs WHERE orders.id = 1',
    'DELETE FROM orders USING logs WHERE orders.id = 1',
    'WITH x AS (SELECT 1) UPDATE orders SET state = 1 WHERE id = 1',
    'UPDATE orders SET state = 1 WHERE id = 1;',
    'UPDATE orders SET state = 1 WHERE id = 1 -- why',
    'INSERT INTO orders (id) VALUES (1)',
    'DELETE FROM logs WHERE id = 1',
    'DELETE FROM open_orders WHERE id = 1',
    'SELECT * FROM orders WHERE id = 1',
  ])('is none in %s', (sql) => {
    expect(plan(sql).returning).toBeUndefined();
  });

  it('is none where it may not be added, or the database has no RETURNING', () => {
    const tables = { ...shop, orders: { ...shop.orders, returnable: false } };
    expect(plan('DELETE FROM orders WHERE id = 1', { tables }).returning).toBeUndefined();
    for (const dialect of [mysql, sqlite])
      expect(plan('DELETE FROM orders WHERE id = 1', { dialect }).returning).toBeUndefined();
  });
});

describe('a plan', () => {
  it('serves any values', () => {
    const it = plan('SELECT * FROM orders WHERE id = $1');
    expect(it.readTags([1]).tags).not.toEqual(it.readTags([2]).tags);
  });

  it('says how it is ended that a statement ends everything', async () => {
    const warnings = await warningsOf(() => {
      plan('SELECT settle()');
      plan('SELECT settle()');
      plan('CALL settle()');
      plan('DELETE FROM nothing');
    });
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining("functions: { 'settle': … }")]);
  });
});
