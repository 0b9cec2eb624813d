import { afterAll, describe, expect, inject, it } from 'vitest';
import { randomFrom } from '../../fuzz/sql/random.js';
import { effort } from '../../support/effort.js';
import { someQuery } from '../../unit/adapter/model/queries.js';
import { compare, findMistake } from '../../unit/adapter/model/run.js';
import { InSqlite } from './a-database.js';

describe.skipIf(inject('services').sqlite === undefined)('5,000 writes beside a random query in SQLite', () => {
  const world = new InSqlite();
  afterAll(() => world.close());

  it('leave its answer as it was, or end it', () => {
    const figures = compare(1, effort(5000), world);
    expect(figures.unsound).toEqual([]);
    expect(figures.changed / figures.steps).toBeGreaterThan(0.05);
    expect(figures.kept / figures.steps).toBeGreaterThan(0.1);
  });

  it('end answers that a wrong algebra would keep', () => {
    expect(findMistake({ writes: (tag) => tag.endsWith('!rows') }, 4000, world)).toBeGreaterThan(0);
  });

  it('are answered as the evaluator of the unit tests does', () => {
    const rows = {
      t: [
        { id: 1, org: 1, name: 'a', seen: 2 },
        { id: 2, org: 2, name: 'A', seen: 0 },
        { id: 3, org: 1, name: 'b', seen: 3 },
      ],
      u: [
        { id: 1, at: 1, org: 1, t_id: 3 },
        { id: 1, at: 2, org: 2, t_id: null },
      ],
    };
    world.fill(rows);
    const sorted = (list: readonly object[]) => list.map((row) => JSON.stringify(row)).sort();
    for (let seed = 1; seed <= 2000; seed++) {
      const query = someQuery(randomFrom(seed));
      expect(sorted(world.ask(query)), `seed ${seed}: ${query.sql}`).toEqual(sorted(query.answer(rows)));
    }
  });
});
