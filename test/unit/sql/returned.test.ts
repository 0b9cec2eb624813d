import { describe, expect, it } from 'vitest';
import type { Dialect } from '../../../src/sql/index.js';
import { mysql, postgres, sqlite, understood } from './a-statement.js';

const returned = (sql: string, dialect: Dialect = postgres) => understood(sql, dialect).writes[0]!.returned;
const columns = (sql: string, dialect: Dialect = postgres) => Object.fromEntries(returned(sql, dialect) as never);

describe('RETURNING shows', () => {
  it.each([
    'INSERT INTO t (a) VALUES (1) RETURNING *',
    'INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1 RETURNING *',
    'UPDATE t SET a = 1 RETURNING *',
    'UPDATE t x SET a = 1 RETURNING x.*',
    'DELETE FROM t WHERE a = 1 RETURNING *',
  ])('all columns: %s', (sql) => {
    expect(returned(sql)).toBe('all');
  });

  it('columns under their names', () => {
    expect(columns('UPDATE t SET a = 1 RETURNING id, t.b AS "C", d e')).toEqual({ id: 'id', b: 'C', d: 'e' });
    expect(columns('DELETE FROM t x RETURNING x.id')).toEqual({ id: 'id' });
    expect(columns('INSERT INTO t AS x (a) VALUES (1) RETURNING x.ID')).toEqual({ id: 'id' });
    expect(columns('INSERT INTO T (a) VALUES (1) RETURNING Id', sqlite)).toEqual({ id: 'Id' });
  });

  it('of one of several tables only the columns that are its own for sure', () => {
    expect(columns('UPDATE t SET a = 1 FROM u RETURNING t.id, u.b, c')).toEqual({ id: 'id', c: 'c' });
    expect(returned('UPDATE t SET a = 1 FROM u RETURNING *')).toBeUndefined();
    expect(columns('DELETE FROM t USING u RETURNING u.*')).toEqual({});
  });

  it('nothing that can be told of expressions, of a MERGE, of the old row', () => {
    expect(columns('UPDATE t SET a = 1 RETURNING a + 1 AS b, c')).toEqual({ c: 'c' });
    expect(columns('UPDATE t SET a = 1 RETURNING upper(a), c')).toEqual({});
    expect(columns('UPDATE t SET a = 1 RETURNING old.a, new.a')).toEqual({});
    expect(returned('MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE RETURNING *')).toBeUndefined();
    expect(returned('UPDATE t SET a = 1')).toBeUndefined();
    expect(returned('UPDATE t SET a = 1 /*!50000 , b = 2 */ RETURNING a', mysql)).toBeUndefined();
  });
});

describe('the rows of an INSERT', () => {
  it('are not told when MySQL stores what is nearest to them', () => {
    expect(understood('INSERT LOW_PRIORITY IGNORE INTO t (a) VALUES (1)', mysql).writes[0]!.inserted).toBeUndefined();
    expect(understood('INSERT IGNORE t SET a = 1', mysql).writes[0]!.inserted).toBeUndefined();
    expect(understood('INSERT INTO t (a) VALUES (1)', mysql).writes[0]!.inserted).toBeDefined();
    expect(understood('INSERT OR IGNORE INTO t (a) VALUES (1)', sqlite).writes[0]!.inserted).toBeDefined();
  });
});

describe('a table that is made', () => {
  it.each([
    ['CREATE TABLE t (a int)', true],
    ['CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS a', true],
    ['SELECT 1 AS a INTO t', true],
    ['DROP TABLE t', false],
    ['REFRESH MATERIALIZED VIEW t', false],
    ['INSERT INTO t VALUES (1)', false],
  ])('is told from one that changes: %s', (sql, creates) => {
    expect(understood(sql).writes[0]!.creates).toBe(creates);
  });
});
