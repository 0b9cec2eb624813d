import { describe, expect, it } from 'vitest';
import { mysql, sqlite } from '../sql/a-statement.js';
import { ends, endsAfter, of, plan, row, shop } from './a-plan.js';

const stars = (table: string) => [table, `${table}!rows`, `${table}!tenants`];

describe('an INSERT', () => {
  it('ends the table, and the tenants of its rows', () => {
    expect(ends('INSERT INTO orders (id, org_id) VALUES (1, 7), (2, $1)', [8])).toEqual(
      ['orders', of('orders', 7), of('orders', 8)].sort(),
    );
  });

  it.each([
    'INSERT INTO orders (id) VALUES (1)',
    'INSERT INTO orders (org_id) VALUES (7), (DEFAULT)',
    'INSERT INTO orders (org_id) VALUES ($1 + 1)',
    'INSERT INTO orders (org_id) SELECT org_id FROM lines',
    'INSERT INTO orders DEFAULT VALUES',
    'INSERT INTO orders (org_id) VALUES (NULL)',
    'COPY orders FROM STDIN',
  ])('ends every tenant when it does not say which: %s', (sql) => {
    expect(ends(sql, [7])).toEqual(['orders', 'orders!tenants']);
  });

  it('takes all columns in their order when it lists none', () => {
    const all = ['orders', of('orders', 7)];
    expect(ends("INSERT INTO orders VALUES (1, 7, 'e', 's', 0, NULL)")).toEqual(all);
    expect(ends('INSERT INTO orders VALUES (1, 7)')).toEqual(all);
    expect(ends('INSERT INTO orders VALUES (1)')).toEqual(['orders', 'orders!tenants']);
    // MySQL leaves out columns that are invisible, SQLite those that are generated.
    expect(ends('INSERT INTO orders VALUES (1, 7)', [], { dialect: mysql })).toEqual(['orders', 'orders!tenants']);
    const tables = {
      t: { columns: { id: 'integer', sum: 'integer generated', org_id: 'integer' }, key: ['id'] },
    } as const;
    expect(ends('INSERT INTO t VALUES (1, 7)', [], { dialect: sqlite, tables })).toEqual(['t', of('t', 7)]);
  });

  it('ends no more when rows that are there already are left alone', () => {
    const expected = ['orders', of('orders', 7)];
    expect(ends('INSERT INTO orders (id, org_id) VALUES (1, 7) ON CONFLICT DO NOTHING')).toEqual(expected);
    expect(ends('INSERT OR IGNORE INTO orders (id, org_id) VALUES (1, 7)', [], { dialect: sqlite })).toEqual(expected);
  });

  it('of MySQL that stores what is nearest does not tell its tenants', () => {
    const sql = 'INSERT IGNORE INTO orders (id, org_id) VALUES (1, 7)';
    expect(ends(sql, [], { dialect: mysql })).toEqual(['orders', 'orders!tenants']);
  });

  it('learns the tenants from the rows that it returns', () => {
    const sql = 'INSERT INTO orders (state) SELECT state FROM logs RETURNING org_id';
    expect(endsAfter([{ org_id: 7 }, { org_id: '8' }], sql)).toEqual(
      ['orders', of('orders', 7), of('orders', 8)].sort(),
    );
  });
});

describe('an UPDATE', () => {
  it('ends its row, and the tenants when it names none', () => {
    expect(ends("UPDATE orders SET state = 'x' WHERE id = $1", [7])).toEqual(
      ['orders', 'orders!tenants', row('orders', 7)].sort(),
    );
  });

  it('ends its tenant, and the rows when it names none', () => {
    expect(ends("UPDATE orders SET state = 'x' WHERE org_id = $1", [7])).toEqual(
      ['orders', 'orders!rows', of('orders', 7)].sort(),
    );
  });

  it('ends all rows and tenants without a condition', () => {
    expect(ends("UPDATE orders SET state = 'x'")).toEqual(stars('orders'));
  });

  it('that moves a row to another tenant ends every tenant', () => {
    expect(ends('UPDATE orders SET org_id = 8 WHERE id = 7 AND org_id = 7')).toContain('orders!tenants');
    expect(ends('UPDATE orders SET org_id = 8 WHERE id = 7 AND org_id = 7')).not.toContain(of('orders', 7));
  });

  it('that gives a row another key ends all rows', () => {
    expect(ends('UPDATE orders SET id = 8 WHERE id = 7')).toEqual(stars('orders'));
    expect(ends('UPDATE lines SET at = 8 WHERE order_id = 1 AND at = 7')).toContain('lines!rows');
  });

  it('of columns that are computed from others moves rows as well', () => {
    const tables = { t: { columns: { id: 'integer', org_id: 'integer generated', a: 'text' }, key: ['id'] } } as const;
    expect(ends("UPDATE t SET a = 'x' WHERE id = 1 AND org_id = 2", [], { tables })).toContain('t!tenants');
    expect(ends('DELETE FROM t WHERE id = 1 AND org_id = 2', [], { tables })).toContain(of('t', 2));
  });

  it('learns rows and tenants from what it returns', () => {
    const sql = "UPDATE orders SET state = 'x' WHERE email = $1 RETURNING *";
    const rows = [
      { id: 7, org_id: 1 },
      { id: 8, org_id: 2 },
    ];
    expect(endsAfter(rows, sql, ['a'])).toEqual(
      ['orders', row('orders', 7), row('orders', 8), of('orders', 1), of('orders', 2)].sort(),
    );
  });

  it('learns nothing from no rows, from rows without the column, and from values that are not sure', () => {
    const sql = 'UPDATE tags SET weight = 1 WHERE weight > 1 RETURNING *';
    for (const rows of [[], [{}], [{ name: 'a' }, { org_id: 'é', name: 'é' }]])
      expect(endsAfter(rows, sql)).toEqual(stars('tags'));
  });

  it('does not learn where a row has moved from', () => {
    const sql = "UPDATE orders SET org_id = 8 WHERE email = 'a' RETURNING id, org_id";
    expect(endsAfter([{ id: 1, org_id: 8 }], sql)).toEqual(['orders', 'orders!tenants', row('orders', 1)].sort());
  });

  it.each([
    "WITH x AS (UPDATE orders SET state = 'x' RETURNING org_id) SELECT 7 AS org_id",
    "UPDATE orders SET state = 'x' RETURNING 7 AS org_id",
    "UPDATE orders o SET state = 'x' FROM lines l RETURNING l.org_id",
    "UPDATE orders o SET state = 'x' FROM (VALUES (1, 7)) l(id, org_id) RETURNING l.org_id",
    "UPDATE orders o SET state = 'x' FROM lines l RETURNING *",
    "UPDATE orders o SET state = 'x' RETURNING state AS org_id",
  ])('does not take what looks like the tenant for it: %s', (sql) => {
    expect(endsAfter([{ org_id: 7 }], sql)).toContain('orders!tenants');
  });

  it('of several tables ends each', () => {
    const sql = "UPDATE orders o JOIN lines l ON l.order_id = o.id SET o.state = 'x', l.text = 'y' WHERE o.id = 7";
    const around = { dialect: mysql };
    expect(ends(sql, [], around)).toEqual(
      ['lines', 'lines!rows', 'lines!tenants', 'orders', 'orders!tenants', row('orders', 7)].sort(),
    );
  });
});

describe('a DELETE', () => {
  it('ends its row and its tenant', () => {
    expect(ends('DELETE FROM logs WHERE id = 7')).toEqual(['logs', 'logs!tenants', row('logs', 7)].sort());
    expect(ends('DELETE FROM users WHERE org_id = 7')).toEqual(['users', 'users!rows', of('users', 7)].sort());
  });
});

describe('more values than are named', () => {
  it('are all rows', () => {
    const list = Array.from({ length: 129 }, (_, at) => at).join(', ');
    expect(ends(`DELETE FROM logs WHERE id IN (${list})`)).toEqual(stars('logs'));
  });
});

describe('an upsert', () => {
  const upsert = (target: string, set = "state = 'x'") =>
    `INSERT INTO orders (id, org_id, email) VALUES (9, 7, 'a') ON CONFLICT ${target} DO UPDATE SET ${set}`;

  it('ends its row when it was found by the key, and every tenant: the row may be of another', () => {
    expect(ends(upsert('(id)'))).toEqual(['orders', 'orders!tenants', row('orders', 9)].sort());
  });

  it.each(['(email)', 'ON CONSTRAINT orders_pkey', '(lower(email))', '(id, email)'])(
    'ends all rows when it was found in another way: %s',
    (target) => {
      expect(ends(upsert(target))).toEqual(stars('orders'));
    },
  );

  it('ends the tenant alone when the row was found by it', () => {
    expect(ends(upsert('(org_id, email)'))).toEqual(['orders', 'orders!rows', of('orders', 7)].sort());
    expect(ends(upsert('(org_id, email)', 'org_id = 8'))).toEqual(stars('orders'));
  });

  it('that assigns a key ends all rows', () => {
    expect(ends(upsert('(id)', 'id = 10'))).toEqual(stars('orders'));
  });

  it('learns rows and tenants from what it returns', () => {
    const sql = `${upsert('(email)')} RETURNING id, org_id`;
    expect(endsAfter([{ id: 3, org_id: 4 }], sql)).toEqual(['orders', row('orders', 3), of('orders', 4)].sort());
  });

  it.each([
    ['INSERT INTO logs (id) VALUES (1) ON DUPLICATE KEY UPDATE text = 1', mysql],
    ['REPLACE INTO logs (id) VALUES (1)', mysql],
    ['INSERT OR REPLACE INTO logs (id) VALUES (1)', sqlite],
    ['UPDATE OR REPLACE logs SET text = 1 WHERE id = 1', sqlite],
    ['MERGE INTO logs USING users ON true WHEN MATCHED THEN DELETE', undefined],
  ] as const)('that may hit any row ends all of them: %s', (sql, dialect) => {
    expect(ends(sql, [], dialect && { dialect })).toEqual(stars('logs'));
  });

  it('that replaces learns nothing from what it returns: the row that went is not in it', () => {
    const sql = 'REPLACE INTO logs (id) VALUES (1) RETURNING id';
    expect(endsAfter([{ id: 1 }], sql, [], { dialect: mysql })).toEqual(stars('logs'));
  });
});

describe('foreign keys', () => {
  const chain = {
    a: { columns: { id: 'integer', code: 'integer', name: 'text' }, key: ['id'] },
    b: { columns: { id: 'integer', a_id: 'integer' }, key: ['id'], refers: { a: ['id', 'delete'] } },
    c: { columns: { id: 'integer', b_id: 'integer' }, key: ['id'], refers: { b: ['id', 'both'] } },
    d: { columns: { id: 'integer', code: 'integer' }, key: ['id'], refers: { a: ['code', 'update'] } },
    e: { columns: { id: 'integer', a_id: 'integer' }, key: ['id'], refers: { a: ['id', ''] } },
  } as const;
  const around = { tables: chain };

  it('carry a DELETE on to the tables that refer to it, and to those that refer to them', () => {
    expect(ends('DELETE FROM a WHERE id = 1', [], around)).toEqual(
      ['a', 'a!tenants', row('a', 1), ...stars('b'), ...stars('c')].sort(),
    );
  });

  it('carry an UPDATE on when it assigns what they refer to', () => {
    expect(ends('UPDATE a SET code = 2 WHERE id = 1', [], around)).toEqual(
      ['a', 'a!tenants', row('a', 1), ...stars('d')].sort(),
    );
    expect(ends("UPDATE a SET name = 'x' WHERE id = 1", [], around)).toEqual(['a', 'a!tenants', row('a', 1)].sort());
    const upsert = 'INSERT INTO a (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET code = 2';
    expect(ends(upsert, [], around)).toContain('d!rows');
  });

  it('do not matter to an INSERT', () => {
    expect(ends('INSERT INTO a (id) VALUES (1)', [], around)).toEqual(['a', 'a!tenants']);
  });

  it('carry a REPLACE on as a DELETE', () => {
    expect(ends('REPLACE INTO a (id) VALUES (1)', [], { ...around, dialect: mysql })).toEqual(
      [...stars('a'), ...stars('b'), ...stars('c'), ...stars('d')].sort(),
    );
  });

  it('carry a MERGE on, which may delete', () => {
    const sql = 'MERGE INTO a USING e ON e.a_id = a.id WHEN MATCHED THEN DELETE';
    expect(ends(sql, [], around)).toEqual([...stars('a'), ...stars('b'), ...stars('c'), ...stars('d')].sort());
  });

  it('are no border to TRUNCATE and DROP, whatever they say', () => {
    const all = ['a', 'b', 'c', 'd', 'e'].flatMap(stars).sort();
    expect(ends('TRUNCATE a', [], around)).toEqual(all);
    expect(ends('TRUNCATE a CASCADE', [], around)).toEqual(all);
    expect(ends('DROP TABLE a', [], around)).toEqual(all);
  });

  it('are no border to TRUNCATE behind a table that a DELETE would carry on to', () => {
    const columns = { id: 'integer' } as const;
    const tables = {
      a: { columns, key: ['id'] },
      b: { columns, key: ['id'], refers: { a: ['id', 'delete'] } },
      c: { columns, key: ['id'], refers: { b: ['id', ''] } },
    } as const;
    expect(ends('TRUNCATE a', [], { tables })).toEqual(['a', 'b', 'c'].flatMap(stars).sort());
  });

  it('may go in circles, and back to the table itself', () => {
    const tables = {
      a: { columns: { id: 'integer' }, key: ['id'], refers: { a: ['id', 'delete'], b: ['id', 'delete'] } },
      b: { columns: { id: 'integer' }, key: ['id'], refers: { a: ['id', 'delete'] } },
    } as const;
    expect(ends('DELETE FROM a WHERE id = 1', [], { tables })).toEqual([...stars('a'), ...stars('b')].sort());
    expect(ends('TRUNCATE a', [], { tables })).toEqual([...stars('a'), ...stars('b')].sort());
  });

  it('fire the triggers of those that they reach', () => {
    const tables = { ...chain, b: { ...chain.b, triggers: ['b_log'] } };
    expect(ends('DELETE FROM a WHERE id = 1', [], { tables })).toEqual(['*']);
    const rules = { tables: { b: { writes: ['e'] } } };
    expect(ends('DELETE FROM a WHERE id = 1', [], { tables, rules })).toEqual(
      ['a', 'a!tenants', row('a', 1), ...stars('b'), ...stars('c'), ...stars('e')].sort(),
    );
  });
});

describe('a trigger', () => {
  const tables = { ...shop, orders: { ...shop.orders, triggers: ['orders_count'] } };
  const sql = 'INSERT INTO orders (org_id) VALUES (7)';

  it('may change anything when nobody says what', () => {
    expect(ends(sql, [], { tables })).toEqual(['*']);
    expect(plan(sql, { tables }).everything).toContain('writes: [');
  });

  it('changes the tables that its rule names', () => {
    const rules = (writes: string[]) => ({ tenant: 'org_id', tables: { orders: { writes } } });
    expect(ends(sql, [], { tables, rules: rules([]) })).toEqual(['orders', of('orders', 7)]);
    expect(ends(sql, [], { tables, rules: rules(['logs']) })).toEqual(
      [...stars('logs'), 'orders', of('orders', 7)].sort(),
    );
    expect(ends(sql, [], { tables, rules: rules(['nothing']) })).toEqual(['*']);
    expect(ends(sql, [], { tables, rules: rules(['orders']) })).toEqual([...stars('lines'), ...stars('orders')]);
  });

  it('matters not to who reads', () => {
    expect(plan('SELECT * FROM orders', { tables })).toMatchObject({ writes: false, everything: undefined });
  });
});

describe('a view that is written to', () => {
  it('changes its tables anywhere', () => {
    expect(ends('UPDATE open_orders SET id = 1 WHERE id = 7 AND org_id = 7')).toEqual(
      [...stars('open_orders'), ...stars('orders'), ...stars('lines')].sort(),
    );
  });

  it('changes anything when a trigger stands in for it', () => {
    const tables = { ...shop, open_orders: { ...shop.open_orders, triggers: ['instead'] } };
    expect(ends('DELETE FROM open_orders', [], { tables })).toEqual(['*']);
  });

  it('changes anything when nobody knows its tables', () => {
    const tables = { ...shop, open_orders: { columns: {}, bases: [] } };
    expect(ends('DELETE FROM open_orders', [], { tables })).toEqual(['*']);
  });
});

describe('a partition', () => {
  it('has the tags of its root', () => {
    const tables = { ...shop, orders_2026: { columns: shop.orders.columns, key: ['id'], sharesTagOf: 'orders' } };
    expect(ends('INSERT INTO orders_2026 (org_id) VALUES (7)', [], { tables })).toEqual(['orders', of('orders', 7)]);
  });
});

describe('columns that are ignored', () => {
  const rules = { tenant: 'org_id', tables: { orders: { ignoreColumns: ['seen', 'data'] } } };
  const around = { rules };

  it('end their row, and those who see them', () => {
    expect(ends('UPDATE orders SET seen = 1 WHERE id = 7', [], around)).toEqual(
      ['orders!ignored', row('orders', 7)].sort(),
    );
    expect(ends('UPDATE orders SET seen = 1, data = NULL', [], around)).toEqual(['orders!ignored', 'orders!rows']);
  });

  it('do not count when another column is assigned with them', () => {
    expect(ends("UPDATE orders SET seen = 1, state = 'x' WHERE id = 7", [], around)).toContain('orders');
  });

  it('do not count in an upsert or a DELETE', () => {
    const upsert = 'INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET seen = 1';
    expect(ends(upsert, [], around)).toContain('orders');
    expect(ends('DELETE FROM orders WHERE seen = 1', [], around)).toContain('orders');
  });

  it('do not count where a generated column, or a trigger, may make something of them', () => {
    const sql = 'UPDATE orders SET seen = 1 WHERE id = 7';
    const columns = { ...shop.orders.columns, day: 'integer generated' } as const;
    const generated = { ...shop, orders: { ...shop.orders, columns } };
    expect(ends(sql, [], { rules, tables: generated })).toContain('orders');
    const all = { ...rules, tables: { orders: { ignoreColumns: ['seen', 'day'] } } };
    expect(ends(sql, [], { rules: all, tables: generated })).not.toContain('orders');
    const triggered = { ...shop, orders: { ...shop.orders, triggers: ['touch'] } };
    const declared = { ...rules, tables: { orders: { ignoreColumns: ['seen'], writes: [] } } };
    expect(ends(sql, [], { rules: declared, tables: triggered })).toContain('orders');
  });

  it('cannot be the key or the tenant', () => {
    const own = { tenant: 'org_id', tables: { orders: { ignoreColumns: ['id', 'org_id'] } } };
    expect(ends('UPDATE orders SET org_id = 1 WHERE id = 7', [], { rules: own })).toContain('orders!tenants');
    expect(ends('UPDATE orders SET id = 1 WHERE id = 7', [], { rules: own })).toEqual(stars('orders'));
  });
});
