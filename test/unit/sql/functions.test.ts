import { expect, it } from 'vitest';
import { readStatement } from '../../../src/sql/index.js';

const functionsOf = (sql: string, name: 'postgres' | 'mysql' | 'sqlite') => readStatement(sql, { name }).functions;

it.each(['total', 'lcase', 'json_extract'])('%s() is no function of PostgreSQL: somebody wrote it', (name) => {
  expect(functionsOf(`SELECT ${name}(a) FROM t`, 'postgres')).toEqual([name]);
});

it('what each database has is known there, and nowhere else', () => {
  expect(functionsOf('SELECT total(a) FROM t', 'sqlite')).toEqual([]);
  expect(functionsOf('SELECT total(a) FROM t', 'mysql')).toEqual(['total']);
  expect(functionsOf('SELECT lcase(a) FROM t', 'mysql')).toEqual([]);
  expect(functionsOf('SELECT lpad(a, 3) FROM t', 'sqlite')).toEqual(['lpad']);
  expect(functionsOf('SELECT lpad(a, 3) FROM t', 'postgres')).toEqual([]);
});

it('max() and min() of one value are aggregates of SQLite: a row of the result is no row of the table', () => {
  for (const name of ['max', 'min'])
    expect(readStatement(`SELECT ${name}(a) FROM t WHERE id = 1`, { name: 'sqlite' }).rowOutput).toBeUndefined();
});
