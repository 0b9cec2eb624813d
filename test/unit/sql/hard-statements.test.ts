import { describe, expect, it } from 'vitest';
import { foldName, readStatement } from '../../../src/sql/index.js';
import { type HardStatement, hardStatements } from './hard-statements.js';
import { naiveTables } from './naive.js';

function wanted({ reads, writes, dialect }: HardStatement) {
  const fold = (names: readonly string[]) => new Set(names.map((name) => foldName(name, { name: dialect }, true)));
  return { reads: fold(reads), writes: fold(writes) };
}

function missed(found: ReadonlySet<string>, all: ReadonlySet<string>): string[] {
  return [...all].filter((name) => !found.has(name));
}

describe('the hard statements', () => {
  let exact = 0;
  it.each(hardStatements.map((statement) => [statement.sql, statement] as const))('%s', (sql, statement) => {
    const read = readStatement(sql, { name: statement.dialect });
    if (statement.opaque) return expect(read.opaque).toBeTypeOf('string');
    const { reads, writes } = wanted(statement);
    const found = {
      reads: new Set(read.reads.map(({ table }) => table.name)),
      writes: new Set(read.writes.map(({ table }) => table.name)),
    };
    expect(read.opaque).toBeUndefined();
    expect([...missed(found.reads, reads), ...missed(found.writes, writes)]).toEqual([]);
    if (found.reads.size === reads.size && found.writes.size === writes.size) exact++;
  });

  it('name no table too many', () => {
    expect(exact).toBe(hardStatements.filter(({ opaque }) => !opaque).length);
  });

  it('defeat a reader that looks for words', () => {
    const wrong = hardStatements.filter((statement) => {
      const found = naiveTables(statement.sql);
      const { reads, writes } = wanted(statement);
      return missed(found.reads, reads).length + missed(found.writes, writes).length > 0;
    });
    expect(wrong.length).toBeGreaterThan(15);
  });
});
