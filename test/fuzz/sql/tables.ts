import { type Dialect, readStatement } from '../../../src/sql/index.js';
import type { Oracle } from './oracle.js';
import { sampleOf } from './statements.js';

/** What came of a run: `unsound` must be empty, the rest is to be low. */
export interface Figures {
  statements: number;
  exact: number;
  /** A table that is not read or changed was named. */
  over: number;
  opaque: number;
  /** The oracle's grammar refused the statement, so that only the generator's knowledge counts. */
  refused: number;
  unsound: string[];
}

/** Reads `count` random statements from `seed` on, and compares with what they are known to hold. */
export function compareTables(dialect: Dialect['name'], seed: number, count: number, oracle?: Oracle): Figures {
  const figures: Figures = { statements: count, exact: 0, over: 0, opaque: 0, refused: 0, unsound: [] };
  for (let at = seed; at < seed + count; at++) {
    const sample = sampleOf(dialect, at);
    const known = oracle?.(sample.sql);
    if (oracle !== undefined && known === undefined) figures.refused++;
    const statement = readStatement(sample.sql, { name: dialect });
    if (statement.opaque !== undefined) {
      figures.opaque++;
      continue;
    }
    const reads = new Set(statement.reads.map(({ table }) => table.name));
    const writes = new Set(statement.writes.map(({ table }) => table.name));
    const wanted = known ?? sample;
    const missed = [...wanted.reads]
      .filter((name) => !reads.has(name))
      .concat([...wanted.writes].filter((name) => !writes.has(name)));
    if (missed.length > 0) figures.unsound.push(`seed ${at}: ${missed.join(', ')} in ${sample.sql}`);
    else if (reads.size > wanted.reads.size || writes.size > wanted.writes.size) figures.over++;
    else figures.exact++;
  }
  return figures;
}
