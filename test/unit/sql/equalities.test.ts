import { describe, expect, it } from 'vitest';
import { type Dialect, readStatement } from '../../../src/sql/index.js';
import { changed, mysql, narrowed, postgres, sqlite, understood, valueText } from './a-statement.js';

describe('a table is narrowed by', () => {
  it.each<[string, Dialect, string[]]>([
    ['SELECT * FROM a WHERE id = $1', postgres, ['a.id = $1']],
    ['SELECT * FROM a WHERE 7 = id AND (x = -3)', postgres, ['a.id = 7', 'a.x = -3']],
    ["SELECT * FROM a x WHERE (((x.id = 'it''s')) AND (x.b IS NULL OR x.c = 1))", postgres, ["a.id = 'it's'"]],
    ['SELECT * FROM app.a WHERE app.a.id = $1 AND a.x = $2', postgres, ['a.id = $1', 'a.x = $2']],
    ['SELECT * FROM a WHERE id IN ($1, 2, (3))', postgres, ['a.id = $1 or 2 or 3']],
    ['SELECT * FROM a WHERE id = ANY($1::int[])', postgres, ['a.id = each $1::int[]']],
    ["SELECT * FROM a WHERE id = $1::uuid AND x = '07'::int", postgres, ['a.id = $1::uuid', "a.x = '07'::int"]],
    ['SELECT * FROM a WHERE (x, a.y) = ($1, $2)', postgres, []],
    ['SELECT * FROM a WHERE (a.x, a.y) IN (($1, $2), (3, 4))', postgres, ['a.x,y = $1,$2 or 3,4']],
    ['SELECT * FROM a WHERE b BETWEEN 1 AND 2 AND id = 3', postgres, ['a.id = 3']],
    ['SELECT * FROM a WHERE id == ?2 AND x = :x AND y = $y', sqlite, ['a.id = $2', 'a.x = :x', 'a.y = $y']],
    ['SELECT * FROM a WHERE id = ? && x = ?', mysql, ['a.id = $1', 'a.x = $2']],
    ['SELECT * FROM a JOIN b ON a.id = b.id AND b.x = 1', postgres, ['b.x = 1']],
    ['SELECT * FROM a LEFT JOIN b ON b.x = 1 AND a.y = 2', postgres, ['b.x = 1']],
    ['SELECT * FROM a RIGHT JOIN b ON b.x = 1 AND a.y = 2', postgres, ['a.y = 2']],
    ['SELECT * FROM a FULL JOIN b ON b.x = 1 AND a.y = 2', postgres, []],
    ['SELECT * FROM a FULL JOIN b ON b.x = 1 WHERE a.y = 2', postgres, ['a.y = 2']],
    ['SELECT * FROM (a JOIN c ON c.z = 3) LEFT JOIN b ON true', postgres, ['c.z = 3']],
    ['SELECT * FROM x WHERE EXISTS (SELECT 1 FROM a WHERE a.id = 1 AND x.y = 2)', postgres, ['a.id = 1']],
    ['WITH w AS (SELECT * FROM a WHERE id = 1) SELECT * FROM w, w w2', postgres, ['a.id = 1']],
    ['SELECT 1 FROM a WHERE id = 1 UNION SELECT 1 FROM b WHERE x = 2 OR y = 1', postgres, ['a.id = 1']],
    ['INSERT INTO t SELECT * FROM a WHERE id = 1 ON CONFLICT DO NOTHING', postgres, ['a.id = 1']],
  ])('%s', (sql, dialect, expected) => {
    expect(narrowed(sql, dialect)).toEqual(expected);
  });
});

describe('a table is not narrowed by', () => {
  it.each<[string, Dialect]>([
    ['SELECT * FROM a WHERE id = 1 OR x = 2', postgres],
    ['SELECT * FROM a WHERE id = 1 AND x = 2 OR y = 3', postgres],
    ['SELECT * FROM a WHERE NOT id = 1', postgres],
    ['SELECT * FROM a WHERE NOT (id = 1 AND x = 2)', postgres],
    ['SELECT * FROM a WHERE (id = 1) IS NOT TRUE', postgres],
    ['SELECT * FROM a WHERE CASE WHEN x THEN id = 1 AND y = 2 END', postgres],
    ['SELECT * FROM a WHERE b BETWEEN 1 AND id = 7', mysql],
    ['SELECT * FROM a WHERE id = 1 || x = 2', mysql],
    ['SELECT * FROM a WHERE id = 1 XOR x = 2', mysql],
    ['SELECT * FROM a WHERE @x := 1 AND id = 2', mysql],
    ['SELECT * FROM a WHERE "id" = 7', mysql],
    ['SELECT * FROM a WHERE id = 1 AND offset = 3 OR y = 2', mysql],
    ['SELECT * FROM a WHERE id <> 1', postgres],
    ['SELECT * FROM a WHERE id NOT IN (1)', postgres],
    ['SELECT * FROM a WHERE id IN (1, x)', postgres],
    ['SELECT * FROM a WHERE id IN (SELECT 1)', postgres],
    ['SELECT * FROM a WHERE id = ALL($1)', postgres],
    ['SELECT * FROM a WHERE id + 1 = 2', postgres],
    ['SELECT * FROM a WHERE id = 1 + 1', postgres],
    ['SELECT * FROM a WHERE id = 1 = true', postgres],
    ['SELECT * FROM a WHERE id::text = $1', postgres],
    ['SELECT * FROM a WHERE lower(id) = $1', postgres],
    ["SELECT * FROM a WHERE id = E'\\x41'", postgres],
    ["SELECT * FROM a WHERE id = 'a' 'b'", postgres],
    ["SELECT * FROM a WHERE id = 'a\\b'", mysql],
    ['SELECT * FROM a WHERE user = $1', postgres],
    ['SELECT * FROM a WHERE id = NULL', postgres],
    ['SELECT * FROM a WHERE ? = ?1', sqlite],
    ['SELECT * FROM a WHERE id = ? AND x > :x', sqlite],
    ['SELECT (SELECT count(*) FROM a) FROM a b WHERE b.id = 1', postgres],
    ['SELECT * FROM a, s.a WHERE s.a.id = 1', postgres],
    ['SELECT * FROM a LEFT JOIN x ON a.tenant = 1', postgres],
    ['SELECT * FROM a LEFT JOIN b JOIN c ON id = 1 ON true', postgres],
    ['SELECT * FROM (SELECT * FROM a) x WHERE x.id = 1', postgres],
    ['SELECT * FROM x, LATERAL (SELECT 1 FROM a WHERE x.id = 1) y', postgres],
    ['SELECT count(*) FROM a HAVING id = 1', postgres],
    ['SELECT count(*) FILTER (WHERE id = 1) FROM a', postgres],
    ['SELECT * FROM a ORDER BY id = 1', postgres],
  ])('%s', (sql, dialect) => {
    const { reads, opaque } = readStatement(sql, dialect);
    expect(opaque).toBeUndefined();
    expect(reads.filter(({ table }) => table.name === 'a').flatMap(({ equalities }) => equalities)).toEqual([]);
  });
});

describe('the rows that a write changes are narrowed by', () => {
  it.each<[string, Dialect, string[]]>([
    ['UPDATE a SET x = 1 WHERE id = $1', postgres, ['a.id = $1']],
    ['UPDATE a SET id = 2 FROM b WHERE a.id = b.id AND b.x = 1 AND a.t = 3', postgres, ['a.t = 3']],
    ['DELETE FROM a AS x USING b WHERE x.id = 1 AND b.id = 2', postgres, ['a.id = 1']],
    ['DELETE FROM a WHERE id = ? ORDER BY x LIMIT 1', mysql, ['a.id = $1']],
    ['UPDATE a LEFT JOIN b ON b.x = 1 AND a.z = 3 SET a.y = 1, b.y = 2 WHERE a.id = 7', mysql, ['a.id = 7', 'b.x = 1']],
    ['UPDATE OR REPLACE a SET x = 1 WHERE id = 1', sqlite, []],
    ['DELETE FROM a WHERE CURRENT OF c', postgres, []],
    ['INSERT INTO a (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 1 WHERE a.x = 2', postgres, []],
    ['MERGE INTO a USING b ON a.id = 1 WHEN MATCHED THEN DELETE', postgres, []],
  ])('%s', (sql, dialect, expected) => {
    expect(changed(sql, dialect)).toEqual(expected);
  });
});

describe('the rows of an insert', () => {
  const rows = (sql: string, dialect = postgres) => {
    const { inserted } = understood(sql, dialect).writes[0]!;
    return inserted && [inserted.columns?.join(), ...inserted.rows.map((row) => row.map(valueText).join())];
  };

  it('are told value by value', () => {
    expect(rows(`INSERT INTO a (id, "B") VALUES ($1, 'x'), (DEFAULT, now()), (-1, (SELECT 1))`)).toEqual([
      'id,B',
      "$1,'x'",
      '…,…',
      '-1,…',
    ]);
    expect(rows('INSERT INTO a VALUES (1, 2 + 3)')).toEqual([undefined, '1,…']);
    expect(rows('INSERT INTO a SET x = ?, y = now(), z = 3', mysql)).toEqual(['x,y,z', '$1,…,3']);
    expect(rows('INSERT INTO a () VALUES ROW()', mysql)).toEqual(['', '']);
  });

  it('are not told when a query makes them', () => {
    expect(rows('INSERT INTO a (id) SELECT 1')).toBeUndefined();
    expect(rows('INSERT INTO a (id) VALUES (1) UNION SELECT 2')).toBeUndefined();
  });
});
