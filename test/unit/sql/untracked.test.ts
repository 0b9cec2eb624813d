import { describe, expect, it } from 'vitest';
import { mysql, narrowed, postgres, sqlite, understood } from './a-statement.js';

describe('rows that depend on more than rows', () => {
  it.each([
    ['SELECT now(), random(), gen_random_uuid(), age(a) FROM t', postgres],
    ["SELECT * FROM t WHERE a = 'today'", postgres],
    ['SELECT CURRENT_DATE, LOCALTIMESTAMP', postgres],
    ['SELECT * FROM t TABLESAMPLE SYSTEM (1)', postgres],
    ['SELECT CURDATE(), RAND(), UUID(), SLEEP(1), UTC_TIMESTAMP', mysql],
    ["SELECT datetime('now'), random()", sqlite],
  ])('are tracked when that is the clock or chance: %s', (sql, dialect) => {
    expect(understood(sql, dialect)).toMatchObject({ uncacheable: expect.any(String), untracked: undefined });
  });

  it.each([
    ['SELECT current_user', postgres],
    ["SELECT current_setting('app.user')", postgres],
    ["SELECT nextval('s')", postgres],
    ['SELECT pg_advisory_lock(1)', postgres],
    ['SELECT * FROM t FOR UPDATE', postgres],
    ['SELECT now() FROM t FOR UPDATE', postgres],
    ['SELECT * FROM pg_class', postgres],
    ['SELECT last_insert_id(), found_rows(), database()', mysql],
    ['SELECT @a', mysql],
    ['SELECT changes()', sqlite],
    ['DELETE FROM t', postgres],
    ['EXPLAIN SELECT 1', postgres],
    ['SELECT 1; SELECT 2', postgres],
  ])('are not when it is anything else: %s', (sql, dialect) => {
    expect(understood(sql, dialect).untracked).toBeTypeOf('string');
  });
});

describe('settings', () => {
  it.each([
    ["SELECT set_config('search_path', 'a', false)", 'set_config', undefined],
    ["SELECT set_config('search_path', 'a', $1)", 'set_config', undefined],
    ["SELECT set_config('app.org', '7', TRUE)", undefined, 'set_config'],
    ['SET LOCAL search_path = a', undefined, 'search_path'],
    ['SET search_path = a', 'search_path', undefined],
  ])('hold for the connection, or for the transaction: %s', (sql, session, local) => {
    expect(understood(sql)).toMatchObject({ session, local });
  });
});

describe('columns that an alias names', () => {
  it('are not those of the table', () => {
    expect(narrowed('SELECT * FROM t AS x(b, a) WHERE a = 1')).toEqual([]);
    expect(narrowed('SELECT * FROM (t JOIN u ON true) AS x(b, a) WHERE a = 1')).toEqual([]);
    expect(narrowed('SELECT * FROM t AS x WHERE a = 1')).toEqual(['t.a = 1']);
    expect(narrowed('SELECT * FROM ONLY (t) WHERE a = 1')).toEqual(['t.a = 1']);
  });

  it('may be any of it', () => {
    expect(understood('SELECT a FROM t AS x(b, a)')).toMatchObject({ readsWholeRows: true, rowOutput: undefined });
    expect(understood('SELECT a FROM t AS x')).toMatchObject({ readsWholeRows: false });
  });
});
