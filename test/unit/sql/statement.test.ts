import { describe, expect, it } from 'vitest';
import { type Dialect, foldName, maxStatements, readStatement } from '../../../src/sql/index.js';
import { mysql, postgres, reads, sqlite, understood, writes } from './a-statement.js';

describe('tables', () => {
  it('are folded as the database folds them', () => {
    expect(reads('SELECT * FROM Users, "Users", "users"')).toEqual(['users', 'Users']);
    expect(reads('SELECT * FROM `Users`, USERS', mysql)).toEqual(['users']);
    expect(reads('SELECT * FROM [Users], "USERS"', sqlite)).toEqual(['users']);
    expect(foldName('É'.repeat(40), postgres)).toBe('É'.repeat(31));
    expect(foldName('Ténant', mysql)).toBe('tenant');
  });

  it('have the schema that is written', () => {
    expect(understood('SELECT * FROM app."Users" u').reads[0]!.table).toEqual({ schema: 'app', name: 'Users' });
    expect(understood('SELECT * FROM db.app.users').reads[0]!.table).toEqual({ schema: 'app', name: 'users' });
  });

  it('are hidden by names of a WITH only where those are known', () => {
    expect(reads('WITH a AS (SELECT * FROM a) SELECT * FROM a')).toEqual(['a']);
    expect(reads('WITH RECURSIVE a AS (SELECT * FROM a) SELECT * FROM a')).toEqual([]);
    expect(reads('SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x, a')).toEqual(['a']);
    expect(reads('WITH a AS (SELECT 1) SELECT * FROM a, public.a')).toEqual(['a']);
    expect(reads('INSERT INTO t WITH a AS (SELECT 1) SELECT * FROM a RETURNING (SELECT 1 FROM a)')).toEqual(['a']);
    expect(writes('WITH t AS (SELECT 1) UPDATE t SET x = 1', sqlite)).toEqual(['update t']);
  });

  it.each([
    ['SELECT 1 FROM a JOIN b USING (id), c', ['a', 'b', 'c']],
    ['SELECT * FROM a LEFT JOIN b JOIN c ON b.i = c.i ON a.i = b.i, d', ['a', 'b', 'c', 'd']],
    ['SELECT * FROM a WHERE x IS NOT DISTINCT FROM y', ['a']],
    ['SELECT DISTINCT FROM a', ['a']],
    ['SELECT x AS from FROM a', ['a']],
    ['SELECT t.from, t.select FROM a t', ['a']],
    ['SELECT left(x, 1) FROM a LEFT JOIN b ON left(a.x, 1) = b.x', ['a', 'b']],
    ['TABLE a UNION TABLE b', ['a', 'b']],
    ['SELECT 1FROM a', ['a']],
    ['((SELECT 1 FROM a) UNION SELECT 2 FROM b) ORDER BY 1', ['a', 'b']],
    ['SELECT ((SELECT 1 FROM a) + 1) FROM ((SELECT 1 FROM b) x JOIN c ON true)', ['a', 'b', 'c']],
    ['SELECT * FROM a ORDER BY (SELECT x FROM b) LIMIT (SELECT 1 FROM c)', ['a', 'b', 'c']],
    ['INSERT INTO t VALUES (1) UNION SELECT x FROM a ON CONFLICT DO NOTHING RETURNING (SELECT 1 FROM b)', ['a', 'b']],
    ['VALUES ((SELECT 1 FROM a)), (2)', ['a']],
    [
      'SELECT count(*) FILTER (WHERE EXISTS (TABLE a)) OVER w FROM b WINDOW w AS (ORDER BY (SELECT 1 FROM c))',
      ['a', 'b', 'c'],
    ],
    [
      'WITH RECURSIVE a AS (SELECT 1) SEARCH DEPTH FIRST BY x, y SET z, b AS (SELECT * FROM c) SELECT * FROM a, b',
      ['c'],
    ],
    ["SELECT U&'d\\0061t' FROM a -- '\n, b", ['a', 'b']],
    ['DECLARE x CURSOR FOR SELECT * FROM a', ['a']],
  ])('of PostgreSQL: %s', (sql, tables) => {
    expect(reads(sql).sort()).toEqual(tables);
  });

  it.each<[string, Dialect, string[]]>([
    ['SELECT * FROM 2024_orders, db.1st', mysql, ['2024_orders', '1st']],
    ['SELECT 1 FROM a -- x\n, b # , c\n, d', mysql, ['a', 'b', 'd']],
    ['SELECT 1--1 FROM a', mysql, ['a']],
    ['SELECT * FROM a FORCE INDEX FOR ORDER BY (i), b PARTITION (p0) x', mysql, ['a', 'b']],
    ['SELECT * FROM offset, b', mysql, ['offset', 'b']],
    ['SELECT x FROM a WHERE y IN b', sqlite, ['a', 'b']],
    ["SELECT * FROM 'a', mails('fts')", sqlite, ['a', 'mails']],
    ['SELECT * FROM a INDEXED BY i, b NOT INDEXED', sqlite, ['a', 'b']],
  ])('%s', (sql, dialect, tables) => {
    expect(reads(sql, dialect)).toEqual(tables);
  });

  it('are read both ways where MySQL runs a comment or not', () => {
    expect(reads('SELECT * FROM a /*!99999 , b */', mysql)).toEqual(['a', 'b']);
    expect(reads('SELECT * FROM a /*!80000 WHERE id IN (SELECT 1 FROM b) */', mysql)).toEqual(['a', 'b']);
    expect(understood('SELECT * FROM a WHERE id = 1 /*!80000 OR 1 = 1 */', mysql).reads[0]!.equalities).toEqual([]);
    expect(readStatement('SELECT 1 /*!80000 FROM a */ /*!50000 , b */', mysql).opaque).toBeDefined();
    expect(readStatement('SELECT 1 /*!80000 ; DELETE FROM a */', mysql).opaque).toBeDefined();
  });

  it('are another set in another mode', () => {
    const sql = "SELECT 'a\\' , b FROM c -- ' FROM d";
    expect(reads(sql)).toEqual(['c']);
    expect(reads(sql, { name: 'postgres', backslashEscapes: true })).toEqual(['d']);
    expect(reads('SELECT * FROM "a"', { name: 'mysql', ansiQuotes: true })).toEqual(['a']);
    expect(readStatement('SELECT * FROM "a"', mysql).opaque).toBeDefined();
    expect(reads("SELECT 'a\\' FROM b", { name: 'mysql', backslashEscapes: false })).toEqual(['b']);
  });
});

describe('writes', () => {
  it.each<[string, Dialect, string[]]>([
    ['INSERT INTO t DEFAULT VALUES', postgres, ['insert t']],
    ['INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING', postgres, ['insert t']],
    ['INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2', postgres, ['upsert t']],
    ['INSERT t SET a = 1', mysql, ['insert t']],
    ['INSERT INTO t VALUES (1) AS new ON DUPLICATE KEY UPDATE a = new.a', mysql, ['upsert t']],
    ['INSERT OR REPLACE INTO t VALUES (1)', sqlite, ['replace t']],
    ['UPDATE OR REPLACE t SET a = 1 WHERE id = 1', sqlite, ['replace t']],
    ['UPDATE a JOIN b ON a.id = b.id SET a.x = 1', mysql, ['update a']],
    ['UPDATE a JOIN b ON a.id = b.id SET x = 1', mysql, ['update a', 'update b']],
    ['DELETE FROM x USING a x JOIN b ON x.id = b.id', mysql, ['delete a']],
    ['DELETE nobody FROM a JOIN b', mysql, ['delete a', 'delete b']],
    ['DELETE FROM t ORDER BY id LIMIT 1', mysql, ['delete t']],
    ['DROP TABLE IF EXISTS a, b', postgres, ['ddl a', 'ddl b']],
    ['CREATE TABLE a (id int) WITH (fillfactor = 70)', postgres, ['ddl a']],
    ['EXPLAIN (ANALYZE, VERBOSE) UPDATE t SET a = 1', postgres, ['update t']],
    ['EXPLAIN UPDATE t SET a = 1', postgres, []],
    ['ANALYZE FORMAT=JSON DELETE FROM t', mysql, ['delete t']],
    ['SELECT 1 INTO @a', mysql, []],
  ])('%s', (sql, dialect, expected) => {
    expect(writes(sql, dialect)).toEqual(expected);
  });

  it('tell which columns are assigned, and what the conflict is about', () => {
    const [update] = understood('UPDATE t SET a = 1, (b, c) = (2, 3), d[1] = 4, e.f = 5 FROM x').writes;
    expect(update!.assigned).toEqual(['a', 'b', 'c', 'd', 'e']);
    const upsert = (sql: string) => understood(`INSERT INTO t (id) VALUES (1) ON CONFLICT ${sql}`).writes[0]!;
    expect(upsert('(id, b COLLATE "C") WHERE a > 1 DO UPDATE SET x = 1')).toMatchObject({
      conflict: ['id', 'b'],
      assigned: ['x'],
    });
    expect(upsert('(lower(a)) DO UPDATE SET x = 1').conflict).toBeUndefined();
    expect(upsert('ON CONSTRAINT c DO UPDATE SET x = 1').conflict).toBeUndefined();
  });

  it('in a SELECT make it a write, and what they return is read', () => {
    const statement = understood('WITH x AS (DELETE FROM a WHERE id = 1 RETURNING *) SELECT * FROM x, b');
    expect(statement).toMatchObject({ kind: 'select', uncacheable: 'a statement that writes' });
    expect(statement.reads.map(({ table }) => table.name)).toEqual(['a', 'b']);
  });
});

describe('a statement is opaque', () => {
  it.each([
    'CALL f()',
    'DO $$ BEGIN END $$',
    'EXECUTE p',
    'PREPARE p AS SELECT 1',
    "LOAD 'x'",
    "SELECT 'a",
    'SELECT "a',
    'SELECT $a$ x',
    'SELECT (1',
    'SELECT 1)',
    'SELECT /* a',
    'SELECT [1)',
    'SELECT * FROM a b c',
    'SELECT * FROM WHERE',
    'FROM a',
    'EXPLAIN ANALYZE EXECUTE p',
    "ROLLBACK PREPARED 'x'",
    "COMMIT PREPARED 'x'",
    'ROLLBACK AND',
    'SELECT 1 FROM a FROM b',
    'SELECT \u0000',
    'SELECT * FROM U&"a"',
  ])('%s', (sql) => {
    expect(readStatement(sql, postgres)).toMatchObject({
      kind: 'opaque',
      opaque: expect.any(String),
      uncacheable: expect.any(String),
    });
  });

  it.each(['ALTER TABLE a ADD b int', 'CREATE VIEW v AS SELECT 1', 'DROP TABLE a CASCADE', 'GRANT ALL ON a TO b'])(
    '%s, and ends no transaction but in MySQL',
    (sql) => {
      const opaque = expect.any(String);
      expect(readStatement(sql, postgres)).toMatchObject({ kind: 'ddl', opaque, commitsImplicitly: false });
      expect(readStatement(sql, mysql)).toMatchObject({ kind: 'opaque', opaque, commitsImplicitly: true });
    },
  );

  it('as a whole when one of several is', () => {
    const statement = readStatement('SELECT 1 FROM a; CALL f()', postgres);
    expect(statement).toMatchObject({ kind: 'several', opaque: 'CALL at its start' });
    expect(statement.parts.map(({ kind }) => kind)).toEqual(['select', 'opaque']);
  });

  it('and never cut inside the body of a trigger', () => {
    const sql =
      'CREATE TRIGGER x AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; DELETE FROM d; END; COMMIT';
    expect(readStatement(sql, sqlite).parts.map(({ kind }) => kind)).toEqual(['ddl', 'transaction']);
    expect(readStatement(sql, mysql)).toMatchObject({ kind: 'opaque', commitsImplicitly: true });
  });

  it('without telling the values in it', () => {
    expect(readStatement("SELECT * FROM a b 'secret'", postgres).opaque).not.toContain('secret');
  });
});

describe('rows are not cacheable', () => {
  it.each<[string, Dialect]>([
    ['SELECT * FROM a FOR UPDATE', postgres],
    ['SELECT * FROM a FOR NO KEY UPDATE OF a NOWAIT', postgres],
    ['(SELECT * FROM a) FOR SHARE', postgres],
    ['SELECT * FROM a LOCK IN SHARE MODE', mysql],
    ['SELECT now() FROM a', postgres],
    ['SELECT pg_catalog.now() FROM a', postgres],
    ['SELECT * FROM a WHERE at < CURRENT_TIMESTAMP', sqlite],
    ["SELECT * FROM a WHERE at > 'Yesterday'", postgres],
    ['SELECT current_user, x FROM a', postgres],
    ['SELECT age(x) FROM a', postgres],
    ["SELECT nextval('s')", postgres],
    ["SELECT current_setting('app.tenant')", postgres],
    ['SELECT @a', mysql],
    ['SELECT @@session.time_zone', mysql],
    ['SELECT unix_timestamp()', mysql],
    ['SELECT RAND()', mysql],
    ["SELECT date('now')", sqlite],
    ['SELECT date(?)', sqlite],
    ["SELECT strftime('%Y')", sqlite],
    ['SELECT * FROM a TABLESAMPLE BERNOULLI (10)', postgres],
    ['SELECT * FROM pg_stat_activity', postgres],
    ['SELECT * FROM information_schema.tables', mysql],
    ['SELECT * FROM sqlite_master', sqlite],
    ['SELECT 1; SELECT 2', postgres],
    ['SHOW search_path', postgres],
    ['', postgres],
  ])('%s', (sql, dialect) => {
    expect(understood(sql, dialect).uncacheable).toBeTypeOf('string');
  });

  it.each<[string, Dialect]>([
    ['SELECT a.now, "user", count(*) FROM a GROUP BY 1', postgres],
    ['SELECT age(x, y), lower(z)::varchar(10), CAST(q AS numeric(10, 2)) FROM a', postgres],
    ["SELECT strftime('%Y', at), date(at) FROM a", sqlite],
    ['SELECT unix_timestamp(at), `user` FROM a', mysql],
    ["SELECT 'from now on it is known, in a text of more than forty characters'", postgres],
  ])('but those of %s are', (sql, dialect) => {
    expect(understood(sql, dialect)).toMatchObject({ uncacheable: undefined, functions: [] });
  });

  it('as far as is known when functions are called that nobody knows', () => {
    expect(understood('SELECT my_fn(1), app.lower(x), "Odd"(2), lower(x) FROM t').functions).toEqual([
      'my_fn',
      'app.lower',
      'Odd',
    ]);
    expect(understood('SELECT * FROM my_rows(1) r').functions).toEqual(['my_rows']);
  });
});

describe('a transaction', () => {
  it.each<[string, Dialect, string, string | undefined, boolean]>([
    ['BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY', postgres, 'begin', undefined, false],
    ['START TRANSACTION WITH CONSISTENT SNAPSHOT', mysql, 'begin', undefined, false],
    ['begin immediate', sqlite, 'begin', undefined, false],
    ['END', postgres, 'commit', undefined, false],
    ['COMMIT WORK AND CHAIN', postgres, 'commit', undefined, true],
    ['COMMIT AND NO CHAIN RELEASE', mysql, 'commit', undefined, false],
    ['ABORT', postgres, 'rollback', undefined, false],
    ['SAVEPOINT "A b"', postgres, 'savepoint', 'A b', false],
    ['ROLLBACK WORK TO SAVEPOINT S1;', postgres, 'rollback to', 's1', false],
    ['ROLLBACK TO savepoint', sqlite, 'rollback to', 'savepoint', false],
    ['RELEASE typeorm_1', postgres, 'release', 'typeorm_1', false],
    ['SET autocommit = 0', mysql, 'autocommit', undefined, false],
    ['SET @@session.autocommit = ON', mysql, 'autocommit', undefined, true],
  ])('%s', (sql, dialect, action, name, on) => {
    expect(understood(sql, dialect)).toMatchObject({ kind: 'transaction', transaction: { action, name, on } });
  });

  it('is never guessed', () => {
    expect(readStatement('SET a = 1, autocommit = 0', mysql).opaque).toBeDefined();
    expect(readStatement('COMMIT FORCE', postgres).opaque).toBeDefined();
  });

  it('ends where MySQL commits on its own', () => {
    expect(understood('TRUNCATE a', mysql).commitsImplicitly).toBe(true);
    expect(understood('CREATE INDEX a ON b (c)', mysql).commitsImplicitly).toBe(true);
    expect(understood('UPDATE a SET b = 1', mysql).commitsImplicitly).toBe(false);
    expect(understood('TRUNCATE a', postgres).commitsImplicitly).toBe(false);
  });

  it.each([
    '/* new */ CREATE DATABASE a',
    '-- new\nDROP TABLESPACE a',
    'ALTER SYSTEM SET a = 1',
    'DROP SUBSCRIPTION a',
    'CREATE UNIQUE INDEX /* quick */ CONCURRENTLY a ON b (c)',
    'DROP INDEX CONCURRENTLY a',
    'ALTER TABLE a DETACH PARTITION b CONCURRENTLY',
  ])('is refused by PostgreSQL around %s', (sql) => {
    expect(readStatement(sql, postgres).refusesTransaction).toBe(true);
    expect(readStatement(`SELECT 1; ${sql}`, postgres).refusesTransaction).toBe(true);
    expect(readStatement(sql, sqlite).refusesTransaction).toBe(false);
  });

  it.each([
    'REFRESH MATERIALIZED VIEW CONCURRENTLY a',
    "CREATE TABLE a (b text DEFAULT 'concurrently')",
    'ALTER TABLE a RENAME b TO "CONCURRENTLY"',
    'CREATE INDEX a ON b (c) -- not concurrently',
    'COMMENT ON DATABASE a IS NULL',
    'GRANT CONNECT ON DATABASE a TO b',
    'CREATE VIEW system AS SELECT 1',
  ])('may stand around %s', (sql) => {
    expect(readStatement(sql, postgres).refusesTransaction).toBe(false);
  });

  it('would unlock the tables of MySQL', () => {
    const holds = (sql: string, dialect: Dialect = mysql) => readStatement(sql, dialect).holdsTables;
    expect(holds('/* all */ LOCK TABLES a WRITE')).toBe(true);
    expect(holds('# done\nunlock tables')).toBe(false);
    expect(holds('SELECT 1; LOCK TABLE a READ; SELECT 2')).toBe(true);
    expect(holds('LOCK TABLES a READ; UNLOCK TABLES')).toBe(false);
    for (const sql of ['BEGIN', 'START TRANSACTION', 'COMMIT AND CHAIN', 'LOCK TABLE a READ; BEGIN WORK'])
      expect(holds(sql)).toBe(false);
    for (const sql of ['INSERT INTO a VALUES (1)', 'COMMIT', 'SET autocommit = 1', 'BEGIN NOT ATOMIC SELECT 1; END'])
      expect(holds(sql)).toBeUndefined();
    expect(holds('LOCK TABLE a', postgres)).toBeUndefined();
  });
});

describe('what is told besides', () => {
  it('is what later statements of the connection mean', () => {
    expect(understood('SET search_path = a, b').session).toBe('search_path');
    expect(understood('SET ROLE x').session).toBe('role');
    expect(understood('SET LOCAL search_path = a').session).toBeUndefined();
    expect(understood('CREATE TEMP TABLE a (b int)').session).toBe('temporary table');
    expect(understood('USE other', mysql).session).toBe('database');
  });

  it('are the names in it, and whether there may be columns that are not named', () => {
    const names = (sql: string) => understood(sql).readsWholeRows;
    expect(understood('SELECT u."Name" FROM users u').names).toEqual(new Set(['select', 'u', 'Name', 'from', 'users']));
    expect(names('SELECT u.a * 2, count(*) FROM users u')).toBe(false);
    for (const sql of [
      'SELECT * FROM a',
      'SELECT b, a.* FROM a',
      'SELECT u FROM users u',
      'SELECT to_json(u) FROM users u',
      'TABLE a',
      'SELECT x FROM a NATURAL JOIN b',
      'SELECT count(a.*) FROM a',
    ])
      expect(names(sql), sql).toBe(true);
  });

  it('is where the columns of rows are found, if each row is one of the table', () => {
    const output = (sql: string) => understood(sql).rowOutput;
    expect(output('SELECT "U"."id" AS "U_id", name n, 1 AS x FROM users "U" WHERE id = 1')).toEqual(
      new Map([
        ['id', 'U_id'],
        ['name', 'n'],
      ]),
    );
    expect(output('SELECT u.* FROM users u')).toBe('all');
    expect(output('SELECT id, 8 AS id FROM users')).toEqual(new Map());
    expect(output('SELECT *, 8 AS id FROM users')).toEqual(new Map());
    for (const sql of [
      'SELECT count(*) FROM a',
      'SELECT a.id FROM a, b',
      'SELECT DISTINCT id FROM a',
      'SELECT id FROM a GROUP BY id',
      'SELECT id FROM a UNION SELECT 1',
      'SELECT id FROM a WHERE x IN (SELECT 1)',
      'SELECT my(id) FROM a',
    ])
      expect(output(sql), sql).toBeUndefined();
  });
});

describe('a text', () => {
  it('is read once, and forgotten when others push it out', () => {
    const first = readStatement('SELECT 1 FROM memo', postgres);
    expect(readStatement('SELECT 1 FROM memo', { ...postgres })).toBe(first);
    expect(readStatement('SELECT 1 FROM memo', mysql)).not.toBe(first);
    for (let at = 0; at < maxStatements; at++) readStatement(`SELECT ${at}`, postgres);
    expect(readStatement('SELECT 1 FROM memo', postgres)).not.toBe(first);
  });

  it('of megabytes is read', () => {
    const text = "x''y".repeat(500_000);
    expect(reads(`SELECT '${text}' FROM a`)).toEqual(['a']);
    expect(reads(`SELECT '${text}\\'' FROM a`, mysql)).toEqual(['a']);
    expect(reads(`SELECT 1 FROM a WHERE b IN (${Array.from({ length: 50_000 }, (_, at) => at).join(',')})`)).toEqual([
      'a',
    ]);
  });

  it('that nests deeper than anybody writes is opaque, and no stack overflows', () => {
    expect(readStatement(`SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`, postgres).opaque).toBeDefined();
  });
});
