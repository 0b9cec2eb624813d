import { describe, expect, it } from 'vitest';
import { effort } from '../../support/effort.js';
import { compare, findMistake, Here, type Mistake } from './model/run.js';

// The same stories on a real database: test/integration/adapter/algebra.test.ts
describe('20,000 writes beside a random query', () => {
  it('leave its answer as it was, or end it', () => {
    const figures = compare(1, effort(20_000), new Here());
    expect(figures.unsound).toEqual([]);
    // Otherwise it would be no wonder.
    expect(figures.changed / figures.steps).toBeGreaterThan(0.05);
    expect(figures.kept / figures.steps).toBeGreaterThan(0.1);
  }, 60_000);

  it.each<[string, Mistake]>([
    ['a write does not raise the star of rows', { writes: (tag) => tag.endsWith('!rows') }],
    ['a write does not raise the star of tenants', { writes: (tag) => tag.endsWith('!tenants') }],
    ['a write does not raise the rows that it names', { writes: (tag) => tag.includes('#') }],
    ['a write does not raise the tenants that it names', { writes: (tag) => tag.includes('@') }],
    ['a write does not raise the table', { writes: (tag) => /^table:app\.\w+$/.test(tag) }],
    ['a write does not raise the star of ignored columns', { writes: (tag) => tag.endsWith('!ignored') }],
    ['a read drops its table before the rows were seen', { dropsAlways: true }],
  ])('find out when %s', (_, mistake) => {
    expect(findMistake(mistake, 4000, new Here())).toBeGreaterThan(0);
  });
});
