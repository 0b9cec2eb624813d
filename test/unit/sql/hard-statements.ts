import type { Dialect } from '../../../src/sql/index.js';

/**
 * Statements on which readers of SQL have failed, each with the tables it reads and changes, schemas left out. Several
 * well-known parsers miss a table in some of them, or give up.
 */
export interface HardStatement {
  readonly dialect: Dialect['name'];
  readonly sql: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Nobody can tell from the text. */
  readonly opaque?: true;
}

export const hardStatements: readonly HardStatement[] = [
  {
    dialect: 'postgres',
    sql: 'WITH moved AS (DELETE FROM orders WHERE id=$1 RETURNING *) INSERT INTO archive SELECT * FROM moved',
    reads: ['orders'],
    writes: ['orders', 'archive'],
  },
  {
    dialect: 'postgres',
    sql: 'WITH RECURSIVE t(id) AS (SELECT id FROM cats WHERE id=1 UNION ALL SELECT c.id FROM cats c JOIN t ON c.parent=t.id) SELECT * FROM t',
    reads: ['cats'],
    writes: [],
  },
  { dialect: 'postgres', sql: 'SELECT * FROM a, b, c d WHERE a.id=b.id', reads: ['a', 'b', 'c'], writes: [] },
  {
    dialect: 'postgres',
    sql: 'SELECT u.* FROM users u, LATERAL (SELECT * FROM posts p WHERE p.uid=u.id LIMIT 1) x',
    reads: ['users', 'posts'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: `SELECT * FROM "Weird ""Name""" WHERE "select"='from secret'`,
    reads: ['Weird "Name"'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: 'SELECT * FROM app.users JOIN "Billing"."Invoices" i ON i.uid=users.id',
    reads: ['users', 'Invoices'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: 'SELECT 1 /* from x /* nested from y */ join z */ FROM real_t -- from fake',
    reads: ['real_t'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: String.raw`SELECT $tag$ delete from users; $tag$ AS s, E'it\'s from x' FROM notes`,
    reads: ['notes'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: 'INSERT INTO dst (a,b) SELECT a,b FROM src s JOIN other o USING (id) WHERE NOT EXISTS (SELECT 1 FROM dst2 WHERE dst2.a=s.a)',
    reads: ['src', 'other', 'dst2'],
    writes: ['dst'],
  },
  {
    dialect: 'postgres',
    sql: 'UPDATE acc SET bal=bal-x.amt FROM tx x WHERE x.acc=acc.id',
    reads: ['tx'],
    writes: ['acc'],
  },
  {
    dialect: 'postgres',
    sql: 'DELETE FROM films USING producers p, studios s WHERE p.id=films.pid AND s.id=p.sid',
    reads: ['producers', 'studios'],
    writes: ['films'],
  },
  {
    dialect: 'postgres',
    sql: 'MERGE INTO cust c USING (SELECT * FROM daily) d ON d.id=c.id WHEN MATCHED THEN UPDATE SET n=d.n WHEN NOT MATCHED THEN INSERT (id,n) VALUES (d.id,d.n)',
    reads: ['daily'],
    writes: ['cust'],
  },
  { dialect: 'postgres', sql: 'TRUNCATE TABLE ONLY t1, sch.t2 RESTART IDENTITY', reads: [], writes: ['t1', 't2'] },
  { dialect: 'postgres', sql: 'TRUNCATE t1, sch.t2 CONTINUE IDENTITY CASCADE', reads: [], writes: ['t1', 't2'] },
  { dialect: 'postgres', sql: 'COPY logs (a,b) FROM STDIN WITH (FORMAT csv)', reads: [], writes: ['logs'] },
  { dialect: 'postgres', sql: 'COPY (SELECT * FROM logs) TO STDOUT', reads: ['logs'], writes: [] },
  { dialect: 'postgres', sql: 'CALL do_stuff(1,2)', reads: [], writes: [], opaque: true },
  { dialect: 'postgres', sql: 'DO $$ BEGIN DELETE FROM users; END $$', reads: [], writes: [], opaque: true },
  {
    dialect: 'postgres',
    sql: 'SELECT 1 FROM a; UPDATE b SET x=1; DELETE FROM c WHERE id=2',
    reads: ['a'],
    writes: ['b', 'c'],
  },
  {
    dialect: 'postgres',
    sql: 'SELECT id FROM a UNION SELECT id FROM b EXCEPT (SELECT id FROM c INTERSECT SELECT id FROM d)',
    reads: ['a', 'b', 'c', 'd'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: 'INSERT INTO kv (k,v) VALUES ($1,$2) ON CONFLICT (k) DO UPDATE SET v=excluded.v WHERE kv.v IS DISTINCT FROM excluded.v',
    reads: [],
    writes: ['kv'],
  },
  {
    dialect: 'postgres',
    sql: `SELECT extract(year from created), trim(both ' ' from name), substring(name from 1 for 3) FROM users`,
    reads: ['users'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: 'SELECT * FROM users WHERE id = ANY($1) FOR UPDATE SKIP LOCKED',
    reads: ['users'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: 'SELECT (SELECT count(*) FROM posts) AS n, CASE WHEN EXISTS (TABLE flags) THEN 1 END FROM users',
    reads: ['posts', 'flags', 'users'],
    writes: [],
  },
  { dialect: 'postgres', sql: 'SELECT * INTO newt FROM oldt', reads: ['oldt'], writes: ['newt'] },
  { dialect: 'postgres', sql: 'CREATE TABLE copy_t AS SELECT * FROM base_t', reads: ['base_t'], writes: ['copy_t'] },
  {
    dialect: 'postgres',
    sql: 'WITH a AS (SELECT 1), upd AS (UPDATE stock SET n=n-1 WHERE id=$1 RETURNING *) SELECT * FROM upd, a',
    reads: ['stock'],
    writes: ['stock'],
  },
  {
    dialect: 'postgres',
    sql: 'SELECT * FROM generate_series(1,10) g JOIN nums ON nums.n=g',
    reads: ['nums'],
    writes: [],
  },
  {
    dialect: 'postgres',
    sql: `SELECT * FROM ONLY parent_t p LEFT JOIN LATERAL jsonb_to_recordset(p.j) AS x(a int) ON true WHERE p.meta ? 'k' AND p.tags ?| array['a','b']`,
    reads: ['parent_t'],
    writes: [],
  },
  { dialect: 'postgres', sql: 'EXPLAIN ANALYZE DELETE FROM users WHERE id=1', reads: [], writes: ['users'] },
  { dialect: 'postgres', sql: 'REFRESH MATERIALIZED VIEW CONCURRENTLY mv_stats', reads: [], writes: ['mv_stats'] },
  {
    dialect: 'postgres',
    sql: 'SELECT * FROM ((a JOIN b ON a.id=b.id) LEFT JOIN (c CROSS JOIN d) ON c.id=a.id)',
    reads: ['a', 'b', 'c', 'd'],
    writes: [],
  },
  {
    dialect: 'mysql',
    sql: 'UPDATE `orders` o JOIN `items` i ON i.oid=o.id SET i.price=o.total, o.x=1 WHERE o.id=?',
    reads: ['orders', 'items'],
    writes: ['orders', 'items'],
  },
  {
    dialect: 'mysql',
    sql: 'DELETE a, b FROM t1 a INNER JOIN t2 b ON a.id=b.id WHERE a.id=5',
    reads: ['t1', 't2'],
    writes: ['t1', 't2'],
  },
  { dialect: 'mysql', sql: `REPLACE INTO sess SET id='x', d="from users"`, reads: [], writes: ['sess'] },
  {
    dialect: 'mysql',
    sql: String.raw`INSERT INTO c (k,n) VALUES ('it\'s; delete from z',1) ON DUPLICATE KEY UPDATE n=n+1 # from y`,
    reads: [],
    writes: ['c'],
  },
  {
    dialect: 'mysql',
    sql: 'SELECT /*! STRAIGHT_JOIN */ * FROM a /*!50000 JOIN b ON a.id=b.id */ WHERE a.x=1',
    reads: ['a', 'b'],
    writes: [],
  },
  {
    dialect: 'mysql',
    sql: `INSERT IGNORE INTO t SELECT REPLACE(name,'a','b') FROM src USE INDEX (ix) WHERE id IN (SELECT id FROM s2) LOCK IN SHARE MODE`,
    reads: ['src', 's2'],
    writes: ['t'],
  },
  {
    dialect: 'sqlite',
    sql: 'INSERT OR REPLACE INTO [my table](id) SELECT id FROM main.src',
    reads: ['src'],
    writes: ['my table'],
  },
  {
    dialect: 'sqlite',
    sql: 'UPDATE OR IGNORE inv SET q=q-1 FROM daily WHERE inv.id=daily.id RETURNING *',
    reads: ['daily'],
    writes: ['inv'],
  },
  {
    dialect: 'sqlite',
    sql: 'WITH c(x) AS (VALUES(1) UNION ALL SELECT x+1 FROM c LIMIT 3) DELETE FROM t WHERE id IN (SELECT x FROM c)',
    reads: [],
    writes: ['t'],
  },
];
