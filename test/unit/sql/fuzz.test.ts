import { describe, expect, it } from 'vitest';
import { compareConditions, compareNeeds, type Narrowed, type Question } from '../../fuzz/sql/conditions.js';
import { sampleOf } from '../../fuzz/sql/statements.js';
import { compareTables } from '../../fuzz/sql/tables.js';
import { naiveTables } from './naive.js';

// The long runs, with PostgreSQL's own grammar and a real server, are test/fuzz/sql/run.ts.
describe('1,000 random statements', { timeout: 60_000 }, () => {
  it.each(['postgres', 'mysql', 'sqlite'] as const)(
    'of %s hold no table that is missed, and none too many',
    (dialect) => {
      const figures = compareTables(dialect, 1, 1000);
      expect(figures).toMatchObject({ exact: 1000, over: 0, opaque: 0, unsound: [] });
    },
  );

  it('defeat a reader that looks for words', () => {
    let wrong = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const sample = sampleOf('postgres', seed);
      const found = naiveTables(sample.sql);
      if ([...sample.reads].some((name) => !found.reads.has(name))) wrong++;
    }
    expect(wrong).toBeGreaterThan(50);
  });
});

describe('2,000 random conditions', { timeout: 60_000 }, () => {
  it('are never failed by a row that matters', () => {
    const { narrowed, unsound } = compareConditions(1, 2000);
    expect(unsound).toEqual([]);
    expect(narrowed).toBeGreaterThan(500);
  });

  it('leave no row in the result without those that they name, where that is said', () => {
    const { needed, unsound } = compareNeeds(1, 2000);
    expect(unsound).toEqual([]);
    expect(needed).toBeGreaterThan(50);
  });

  it('are failed by such rows when every comparison is believed', () => {
    expect(compareConditions(1, 500, believesAll).unsound.length).toBeGreaterThan(50);
  });

  it('are failed by such rows when those of an outer join are believed', () => {
    expect(compareConditions(1, 2000, believesJoins).unsound).not.toEqual([]);
  });
});

function believesAll({ sql }: Question): Narrowed {
  return comparisons(sql, sql);
}

/** Reads the text up to the first WHERE, if there is no OR, NOT or CASE that could be to blame. */
function believesJoins({ sql }: Question): Narrowed {
  const from = sql.slice(0, sql.indexOf(' WHERE '));
  return /\b(OR|NOT|CASE|EXISTS)\b/.test(sql) ? {} : comparisons(from, sql);
}

function comparisons(part: string, sql: string): Narrowed {
  const narrowed: { [table: string]: { columns: string[]; rows: { kind: 'number'; text: string }[][] }[] } = {};
  for (const [, alias, column, value] of part.matchAll(/\b(\w+)\.(\w+) = (\d)\b/g)) {
    const table = new RegExp(`\\b([tuv]) ${alias}\\b`).exec(sql)?.[1] ?? alias!;
    narrowed[table] ??= [];
    narrowed[table].push({ columns: [column!], rows: [[{ kind: 'number', text: value! }]] });
  }
  return narrowed;
}
