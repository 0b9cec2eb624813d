import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../../src/sql/index.js';
import { mysql, postgres, sqlite } from '../sql/a-statement.js';
import { of, plan, reads, readsAfter, row, shop } from './a-plan.js';

const uuid = '0b6ee6e3-44f2-4d11-8a0e-9a1f9c3b7a10';

describe('a query that says nothing of its rows', () => {
  it.each([
    'SELECT * FROM orders',
    'SELECT count(*) FROM orders WHERE state = $1',
    'SELECT * FROM orders WHERE id > $1',
    'SELECT * FROM orders WHERE id = $1 OR org_id = 2',
    'SELECT * FROM orders WHERE NOT (id = $1)',
    'SELECT * FROM orders WHERE data = $1',
  ])('depends on the table: %s', (sql) => {
    expect(reads(sql, [1])).toEqual(['orders']);
  });

  it('depends on every table of a join, a subquery, a union and a WITH', () => {
    const sql = `WITH x AS (SELECT * FROM logs) SELECT (SELECT count(*) FROM users) FROM orders JOIN lines ON true
      UNION SELECT 1 FROM tags`;
    expect(reads(sql)).toEqual(['lines', 'logs', 'orders', 'tags', 'users']);
  });
});

describe('a query of one tenant', () => {
  it('depends on the tenant, and on writes that cannot name theirs', () => {
    expect(reads('SELECT * FROM orders WHERE org_id = $1', [7])).toEqual(['orders!tenants', of('orders', 7)]);
  });

  it('depends on each of several tenants', () => {
    const expected = ['orders!tenants', of('orders', 1), of('orders', 2)].sort();
    expect(reads('SELECT * FROM orders WHERE org_id IN ($1, $2)', [1, 2])).toEqual(expected);
    expect(reads('SELECT * FROM orders WHERE org_id = ANY($1)', [[1, 2]])).toEqual(expected);
  });

  it('may count, group and join', () => {
    const sql = 'SELECT state, count(*) FROM orders o JOIN lines l ON l.order_id = o.id WHERE o.org_id = 7 GROUP BY 1';
    expect(reads(sql)).toEqual(['lines', 'orders!tenants', of('orders', 7)]);
  });

  it('depends on tenants by the column that the rule of its table names instead', () => {
    const rules = { tenant: 'org_id', tables: { lines: { grain: 'order_id' } } };
    expect(reads('SELECT * FROM lines WHERE order_id = 3', [], { rules })).toEqual(['lines!tenants', of('lines', 3)]);
    expect(reads('SELECT * FROM lines WHERE org_id = 3', [], { rules })).toEqual(['lines']);
  });

  it('depends on the table where its rule says that this is no tenant', () => {
    const rules = { tenant: 'org_id', tables: { orders: { tenant: false } } } as const;
    expect(reads('SELECT * FROM orders WHERE org_id = 3', [], { rules })).toEqual(['orders']);
  });
});

describe('a query of rows by their primary key', () => {
  const byId = 'SELECT * FROM orders WHERE id = $1';

  it('depends on the row, and on the table until the row was seen', () => {
    expect(reads(byId, [7])).toEqual(['-orders', 'orders!rows', row('orders', 7)]);
    expect(readsAfter([{ id: 7 }], byId, [7])).toEqual(['orders!rows', row('orders', 7)]);
    expect(readsAfter([], byId, [7])).toEqual(['orders', 'orders!rows', row('orders', 7)]);
  });

  it('stays dependent on the table while one of several rows is absent', () => {
    const sql = 'SELECT id, state FROM orders WHERE id IN (7, 8)';
    const rows = ['orders!rows', row('orders', 7), row('orders', 8)];
    expect(readsAfter([{ id: 7 }], sql)).toEqual(['orders', ...rows].sort());
    expect(readsAfter([{ id: 7 }, { id: '8' }], sql)).toEqual(rows.sort());
  });

  it('stays dependent on the table when one row came twice', () => {
    const sql = 'SELECT id, unnest(data) FROM orders WHERE id IN (7, 8)';
    expect(readsAfter([{ id: 7 }, { id: 7 }], sql)).toContain('orders');
  });

  it('counts keys that share a tag as two', () => {
    const sql = "SELECT * FROM tags WHERE name IN ('a', 'A')";
    expect(readsAfter([{ name: 'a' }], sql)).toContain('tags');
    expect(readsAfter([{ name: 'a' }, { name: 'A' }], sql)).not.toContain('tags');
    expect(row('orders', 21)).toBe(row('orders', 119));
    expect(readsAfter([{ id: 21 }], 'SELECT * FROM orders WHERE id IN (21, 119)')).toContain('orders');
  });

  it('needs no key in its rows when it asks for one', () => {
    expect(readsAfter([{ state: 'new' }], 'SELECT state FROM orders WHERE id = 7')).not.toContain('orders');
    const two = 'SELECT state FROM orders WHERE id IN (7, 8)';
    expect(readsAfter([{ state: 'new' }, { state: 'old' }], two)).toContain('orders');
  });

  it('finds the key under the name that it has in the result', () => {
    const sql = 'SELECT id AS key, org_id AS id FROM orders WHERE id IN (7, 8)';
    expect(
      readsAfter(
        [
          { key: 7, id: 7 },
          { key: 8, id: 7 },
        ],
        sql,
      ),
    ).not.toContain('orders');
    expect(
      readsAfter(
        [
          { key: 7, id: 7 },
          { key: 7, id: 8 },
        ],
        sql,
      ),
    ).toContain('orders');
  });

  it.each([
    'SELECT count(*) FROM orders WHERE id = 7',
    'SELECT max(state) FROM orders WHERE id = 7',
    'SELECT state FROM orders WHERE id = 7 GROUP BY state',
    'SELECT state FROM orders WHERE id = 7 UNION SELECT text FROM logs WHERE id = 1',
    'SELECT * FROM logs LEFT JOIN orders ON orders.id = 7',
    'SELECT EXISTS (SELECT 1 FROM orders WHERE id = 7)',
    'VALUES ((SELECT state FROM orders WHERE id = 7))',
  ])('never drops the table where a row of the result is not a row of it: %s', (sql) => {
    expect(readsAfter([{ id: 7 }], sql)).toContain('orders');
  });

  it('depends on its tenant instead of the table when it names that too', () => {
    const sql = 'SELECT * FROM orders WHERE id = $1 AND org_id = $2';
    expect(readsAfter([], sql, [7, 1])).toEqual(
      ['orders!rows', 'orders!tenants', row('orders', 7), of('orders', 1)].sort(),
    );
    expect(readsAfter([{ id: 7 }], sql, [7, 1])).toEqual(['orders!rows', row('orders', 7)]);
  });

  it('may be joined with others: a row in the result shows that it is there', () => {
    const sql = 'SELECT * FROM orders o LEFT JOIN lines l ON l.order_id = o.id WHERE o.id = 7';
    expect(reads(sql)).toEqual(['-orders', 'lines', 'orders!rows', row('orders', 7)]);
    expect(readsAfter([{ id: 7 }], sql)).toEqual(['lines', 'orders!rows', row('orders', 7)]);
    expect(readsAfter([], sql)).toContain('orders');
  });

  it.each([
    'SELECT * FROM lines l LEFT JOIN orders o ON o.id = 7',
    'SELECT * FROM lines l RIGHT JOIN (logs JOIN orders o ON o.id = 7) ON true',
    'SELECT count(*) FROM orders o JOIN lines l ON true WHERE o.id = 7',
    'SELECT * FROM orders o JOIN lines l ON true WHERE o.id IN (7, 8)',
    'SELECT 1 FROM orders o JOIN lines l ON true WHERE o.id = 7 UNION ALL SELECT 2',
    'SELECT (SELECT o.id FROM orders o JOIN logs ON true WHERE o.id = 7) FROM lines',
  ])('depends on the table if a join has rows without it: %s', (sql) => {
    expect(readsAfter([{ id: 7 }], sql)).toContain('orders');
  });

  it.each([
    'SELECT DISTINCT state FROM orders WHERE id = 7',
    'SELECT * FROM (SELECT * FROM orders WHERE id = 7) o',
    'SELECT DISTINCT a.o_id FROM (SELECT o.id AS o_id FROM orders o WHERE (((o.id = 7)))) a ORDER BY o_id LIMIT 1',
    'SELECT 1 FROM (SELECT DISTINCT state FROM (SELECT * FROM orders WHERE id = 7 LIMIT 1) a) b WHERE state > 3',
  ])('may be handed on by the query around it, and by DISTINCT: %s', (sql) => {
    expect(reads(sql)).toEqual(['-orders', 'orders!rows', row('orders', 7)]);
    expect(readsAfter([{ o_id: 7 }], sql)).toEqual(['orders!rows', row('orders', 7)]);
    expect(readsAfter([], sql)).toEqual(['orders', 'orders!rows', row('orders', 7)]);
  });

  it('may be handed on with those that are joined to it', () => {
    const inner = 'SELECT o.id AS o_id FROM orders o LEFT JOIN lines l ON l.order_id = o.id WHERE o.id = $1';
    const sql = `SELECT DISTINCT a.o_id FROM (${inner}) a ORDER BY o_id LIMIT 1`;
    expect(readsAfter([{ o_id: 7 }], sql, [7])).toEqual(['lines', 'orders!rows', row('orders', 7)]);
    expect(readsAfter([], sql, [7])).toEqual(['lines', 'orders', 'orders!rows', row('orders', 7)].sort());
  });

  it('may have a key of several columns where it is handed on', () => {
    const sql = 'SELECT DISTINCT a.at FROM (SELECT * FROM lines WHERE order_id = 1 AND at = 2) a';
    expect(readsAfter([{ at: 2 }], sql)).toEqual(['lines!rows', row('lines', 1, 2)]);
    const part = 'SELECT DISTINCT a.at FROM (SELECT * FROM lines WHERE order_id = 1) a';
    expect(readsAfter([{ at: 2 }], part)).toEqual(['lines']);
  });

  it.each<[string, Dialect]>([
    // Whatever makes a row of none, inside and around it.
    ['SELECT count(*) FROM (SELECT * FROM orders WHERE id = 7) o', postgres],
    ['SELECT * FROM (SELECT max(id) AS id FROM orders WHERE id = 7) o', postgres],
    ['SELECT id FROM (SELECT id FROM orders WHERE id = 7) o GROUP BY GROUPING SETS ((id), ())', postgres],
    ['SELECT * FROM (SELECT id FROM orders WHERE id = 7 UNION SELECT 1) o', postgres],
    ['SELECT id FROM (SELECT id FROM orders WHERE id = 7) o UNION ALL SELECT 1', postgres],
    ['SELECT my(id) FROM (SELECT id FROM orders WHERE id = 7) o', postgres],
    // It is not all there is behind FROM.
    ['SELECT * FROM (SELECT * FROM orders WHERE id = 7) o RIGHT JOIN lines ON true', postgres],
    ['SELECT * FROM lines LEFT JOIN (SELECT * FROM orders WHERE id = 7) o ON true', postgres],
    ['SELECT * FROM (SELECT * FROM orders WHERE id = 7) o, lines RIGHT JOIN logs ON true', sqlite],
    ['SELECT * FROM lines LEFT JOIN LATERAL (SELECT * FROM orders WHERE id = 7) o ON true', postgres],
    // There is another query, and it has rows of its own.
    ['SELECT extract(year FROM (SELECT o.state FROM orders o WHERE o.id = 7)) FROM logs', postgres],
    ['SELECT 1 FROM logs WHERE text IS DISTINCT FROM (SELECT o.state FROM orders o WHERE o.id = 7)', postgres],
    ['SELECT (SELECT o.id FROM orders o WHERE o.id = 7) FROM (SELECT 1 AS x) a', postgres],
    ['SELECT (SELECT o.id FROM orders o WHERE o.id = 7) FROM (logs JOIN lines ON true)', postgres],
    ['SELECT (SELECT x FROM (SELECT o.id AS x FROM orders o WHERE o.id = 7) a) FROM logs', postgres],
    ['SELECT (SELECT o.id FROM orders o WHERE o.id = 7) FROM (VALUES (1)) a', postgres],
    ['WITH a AS (SELECT * FROM (SELECT * FROM orders WHERE id = 7) o) SELECT * FROM logs', postgres],
    // The condition is not one that its rows must fit.
    ['SELECT * FROM (SELECT 1 FROM logs LEFT JOIN orders o ON o.id = 7) a', postgres],
    ['SELECT org_id AS id FROM (SELECT id, org_id FROM orders WHERE id IN (7, 8)) o', postgres],
    ['SELECT * FROM (SELECT * FROM orders) o WHERE o.id = 7', postgres],
  ])('is not known to be there from what is around it: %s', (sql, dialect) => {
    const rules = { tenant: 'org_id', functions: { my: 'pure' } } as const;
    const seen = [{ id: 7 }, { id: 8 }];
    expect(readsAfter(seen, sql, [], { dialect, rules })).toContain('orders');
  });

  it('may be one of several that OR puts together', () => {
    for (const sql of ['id = 7 OR id = $1', '($1 = orders.id OR orders.id IN (7))', 'id = 7 OR id = 8 OR id = 7'])
      expect(reads(`SELECT * FROM orders WHERE ${sql}`, [8])).toEqual(
        ['-orders', 'orders!rows', row('orders', 7), row('orders', 8)].sort(),
      );
  });

  it.each([
    'id = 7 OR total = 8',
    'id = 7 OR id > 8',
    'id = 7 OR id = 8 XOR id = 9',
    'NOT id = 7 OR id = 8',
    'id = 7 OR id = 8 AND NOT id = 7 OR true',
    'lines.id = 7 OR orders.id = 8',
  ])('is none of them when one says something else: %s', (condition) => {
    expect(reads(`SELECT * FROM orders WHERE ${condition}`)).toEqual(['orders']);
  });

  it('may have a limit, an order and further conditions', () => {
    const sql = `SELECT id FROM orders WHERE id = 7 AND state = 'new' ORDER BY id LIMIT 1 OFFSET 0`;
    expect(reads(sql)).toEqual(['-orders', 'orders!rows', row('orders', 7)]);
  });

  it('takes the shorter of two lists', () => {
    expect(reads('SELECT * FROM orders WHERE id IN (1, 2, 3) AND id = 3')).toContain(row('orders', 3));
    expect(reads('SELECT * FROM orders WHERE id IN (1, 2, 3) AND id = 3')).not.toContain(row('orders', 1));
  });
});

describe('a key of several columns', () => {
  it.each([
    'SELECT * FROM lines WHERE order_id = 1 AND at = 2',
    'SELECT * FROM lines WHERE (order_id, at) = (1, 2)',
    'SELECT * FROM lines WHERE (at, order_id) IN ((2, 1))',
  ])('is one row: %s', (sql) => {
    expect(reads(sql)).toEqual(['-lines', 'lines!rows', row('lines', 1, 2)]);
  });

  it('has all combinations of separate lists, and only the pairs of a list of pairs', () => {
    const pairs = [row('lines', 1, 2), row('lines', 3, 4)];
    const others = [row('lines', 1, 4), row('lines', 3, 2)];
    const listed = reads('SELECT * FROM lines WHERE (order_id, at) IN ((1, 2), (3, 4))');
    expect(listed).toEqual(['-lines', 'lines!rows', ...pairs].sort());
    const crossed = reads('SELECT * FROM lines WHERE order_id IN (1, 3) AND at IN (2, 4)');
    expect(crossed).toEqual(['-lines', 'lines!rows', ...pairs, ...others].sort());
  });

  it('is not known by one of them', () => {
    expect(reads('SELECT * FROM lines WHERE order_id = 1')).toEqual(['lines']);
  });

  it('is seen when each of its columns is', () => {
    const sql = 'SELECT at, order_id FROM lines WHERE (order_id, at) IN ((1, 2), (3, 4))';
    const seen = [
      { order_id: 1, at: 2 },
      { order_id: 3, at: 4 },
    ];
    expect(readsAfter(seen, sql)).not.toContain('lines');
    expect(readsAfter(seen, sql.replace('at, ', ''))).toContain('lines');
  });
});

describe('a table with two places in a statement', () => {
  it.each([
    'SELECT (SELECT count(*) FROM orders) FROM orders a WHERE a.org_id = 7',
    'SELECT * FROM orders a JOIN orders b ON a.id = b.id WHERE a.org_id = 7',
    'SELECT * FROM orders WHERE org_id = 7 UNION SELECT * FROM orders WHERE org_id = 8',
  ])('is narrowed by neither: %s', (sql) => {
    expect(reads(sql)).toEqual(['orders']);
  });

  it('is not narrowed when the other place is behind a view', () => {
    const sql = 'SELECT * FROM orders a WHERE a.org_id = 7 AND EXISTS (SELECT 1 FROM open_orders)';
    expect(reads(sql)).toEqual(['open_orders', 'orders']);
  });

  it('is not narrowed when the other place has the name of a partition', () => {
    const tables = {
      ...shop,
      orders_2026: { columns: shop.orders.columns, key: ['id'], sharesTagOf: 'orders' },
    };
    const sql = 'SELECT * FROM orders a, orders_2026 b WHERE a.org_id = 7 AND b.org_id = 7';
    expect(reads(sql, [], { tables })).toEqual(['orders']);
    expect(reads('SELECT * FROM orders_2026 WHERE org_id = 7', [], { tables })).toEqual([
      'orders!tenants',
      of('orders', 7),
    ]);
  });

  it('is not narrowed when a function reads it as well', () => {
    const rules = { tenant: 'org_id', functions: { sums: ['orders'] } };
    expect(reads('SELECT sums() FROM orders WHERE org_id = 7', [], { rules })).toEqual(['orders']);
  });
});

describe('an outer join', () => {
  it('narrows by its condition only the side that may be missing', () => {
    const left = 'SELECT * FROM orders o LEFT JOIN lines l ON l.order_id = o.id AND o.org_id = 7 AND l.org_id = 7';
    expect(reads(left)).toEqual(['lines!tenants', of('lines', 7), 'orders'].sort());
    const full = 'SELECT * FROM orders o FULL JOIN lines l ON l.order_id = o.id AND o.org_id = 7 AND l.org_id = 7';
    expect(reads(full)).toEqual(['lines', 'orders']);
  });

  it('narrows both by WHERE', () => {
    const sql = 'SELECT * FROM orders o LEFT JOIN lines l ON l.order_id = o.id WHERE o.org_id = 7 AND l.org_id = 7';
    expect(reads(sql)).not.toContain('orders');
    expect(reads(sql)).not.toContain('lines');
  });
});

describe('columns under other names', () => {
  it('are not taken for those of the table', () => {
    expect(reads('SELECT id FROM orders AS o(org_id, id) WHERE o.org_id = 7')).toEqual(['orders']);
    expect(reads('SELECT id FROM (orders JOIN logs ON true) AS o(org_id, id) WHERE org_id = 7')).toEqual([
      'logs',
      'orders',
    ]);
  });
});

describe('a view', () => {
  it('is what is behind it, whatever a condition says', () => {
    expect(reads('SELECT * FROM open_orders WHERE id = 7 AND org_id = 7')).toEqual(['open_orders', 'orders']);
  });

  it('is told with its tables, for their rules', () => {
    expect(plan('SELECT * FROM open_orders').reads.map(({ name }) => name)).toEqual(['open_orders', 'orders']);
  });
});

describe('many values', () => {
  const list = (count: number) => Array.from({ length: count }, (_, at) => at + 1).join(', ');

  it('are named up to 128, and the table beyond', () => {
    expect(reads(`SELECT * FROM orders WHERE id IN (${list(128)})`)).toContain(row('orders', 128));
    expect(reads(`SELECT * FROM orders WHERE id IN (${list(129)})`)).toEqual(['orders']);
    expect(reads(`SELECT * FROM orders WHERE org_id IN (${list(128)})`)).toHaveLength(129);
    expect(reads(`SELECT * FROM orders WHERE org_id IN (${list(129)})`)).toEqual(['orders']);
  });

  it('are as many in an array', () => {
    const array = Array.from({ length: 129 }, (_, at) => at);
    expect(reads('SELECT * FROM orders WHERE id = ANY($1)', [array])).toEqual(['orders']);
    expect(reads('SELECT * FROM orders WHERE id = ANY($1)', [array.slice(1)])).toContain(row('orders', 128));
  });

  it('are not multiplied beyond that', () => {
    const sql = `SELECT * FROM lines WHERE order_id IN (${list(12)}) AND at IN (${list(12)})`;
    expect(reads(sql)).toEqual(['lines']);
  });

  it('may be none', () => {
    expect(reads('SELECT * FROM orders WHERE org_id = ANY($1)', [[]])).toEqual(['orders!tenants']);
  });
});

describe('values by name', () => {
  it('are found with and without their mark', () => {
    const sql = 'SELECT * FROM orders WHERE org_id = :org';
    const expected = ['orders!tenants', of('orders', 7)];
    expect(reads(sql, { org: 7 }, { dialect: sqlite })).toEqual(expected);
    expect(reads(sql, { ':org': 7 }, { dialect: sqlite })).toEqual(expected);
    expect(reads(sql, [7], { dialect: sqlite })).toEqual(['orders']);
  });

  it('are found by position', () => {
    const sql = 'SELECT * FROM orders WHERE state = ? AND org_id = ?';
    expect(reads(sql, ['new', 7], { dialect: mysql })).toEqual(['orders!tenants', of('orders', 7)]);
    expect(reads('SELECT * FROM orders WHERE state = $2 AND org_id = $1', [7, 'new'])).toContain(of('orders', 7));
  });
});

describe('columns that are ignored', () => {
  const rules = { tenant: 'org_id', tables: { orders: { ignoreColumns: ['seen'] } } };
  const around = { rules };

  it.each([
    ['SELECT * FROM orders', ['orders', 'orders!ignored']],
    ['SELECT seen FROM orders', ['orders', 'orders!ignored']],
    ['SELECT id FROM orders ORDER BY seen', ['orders', 'orders!ignored']],
    ['SELECT id FROM orders', ['orders']],
    ['SELECT count(*) FROM orders', ['orders']],
    ['SELECT seen FROM orders WHERE org_id = 7', ['orders!ignored', 'orders!tenants', of('orders', 7)].sort()],
    ['SELECT state FROM orders WHERE org_id = 7', ['orders!tenants', of('orders', 7)].sort()],
    ['SELECT orders FROM orders', ['orders', 'orders!ignored']],
    ['SELECT xmin FROM orders', ['orders', 'orders!ignored']],
    ['SELECT b FROM orders AS o(a, b)', ['orders', 'orders!ignored']],
  ] as const)('are depended on by those who see them: %s', (sql, expected) => {
    expect(reads(sql, [], around)).toEqual(expected);
  });

  it('are seen by a view and by a function, whose text is not here', () => {
    expect(reads('SELECT id FROM open_orders', [], around)).toContain('orders!ignored');
    const functions = { sums: ['orders'] };
    expect(reads('SELECT sums()', [], { rules: { ...rules, functions } })).toEqual(['orders', 'orders!ignored']);
  });

  it('are part of a row: who names it hears of no other', () => {
    expect(reads('SELECT * FROM orders WHERE id = 7', [], around)).not.toContain('orders!ignored');
    const joined = reads('SELECT * FROM orders o JOIN logs ON true WHERE o.id = 7', [], around);
    expect(joined).toEqual(['-orders', 'logs', 'orders!rows', row('orders', 7)].sort());
    const several = reads('SELECT * FROM orders o JOIN logs ON true WHERE o.id IN (7, 8)', [], around);
    expect(several).toEqual(['logs', 'orders', 'orders!rows', row('orders', 7), row('orders', 8)].sort());
  });
});

describe('the keys of tables', () => {
  it('may be UUIDs, in any case', () => {
    const sql = 'SELECT * FROM users WHERE id = $1';
    expect(reads(sql, [uuid.toUpperCase()])).toEqual(reads(sql, [uuid]));
    expect(reads(sql, [uuid])).toContain(row('users', uuid));
  });

  it('are none where there is none', () => {
    const tables = { logs: { columns: { id: 'integer' } } } as const;
    expect(reads('SELECT * FROM logs WHERE id = 7', [], { tables })).toEqual(['logs']);
  });
});
