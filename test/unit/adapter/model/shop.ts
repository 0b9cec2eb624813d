import type { Spec } from '../a-catalog.js';

/** A row, with `null` for nothing. */
export type Row = { readonly [column: string]: number | string | null };

/** Rows of `t` and `u`. `v` is a view: the rows of `t` that were seen more than once. */
export interface Rows {
  readonly t: readonly Row[];
  readonly u: readonly Row[];
}
export type Name = 't' | 'u' | 'v';

/** For a real database. */
export const schema = `
  CREATE TABLE t (id INTEGER PRIMARY KEY, org INTEGER, name TEXT UNIQUE, seen INTEGER);
  CREATE TABLE u (id INTEGER, at INTEGER, org INTEGER, t_id INTEGER REFERENCES t (id) ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY (id, at));
  CREATE VIEW v AS SELECT id, org, name FROM t WHERE seen > 1;`;

export const specs: Record<Name, Spec> = {
  t: { columns: { id: 'integer', org: 'integer', name: 'text', seen: 'integer' }, key: ['id'] },
  u: {
    columns: { id: 'integer', at: 'integer', org: 'integer', t_id: 'integer' },
    key: ['id', 'at'],
    refers: { t: ['id', 'both'] },
  },
  v: { columns: { id: 'integer', org: 'integer', name: 'text' }, bases: ['t'] },
};

export const columnsOf = { t: ['id', 'org', 'name', 'seen'], u: ['id', 'at', 'org', 't_id'], v: ['id', 'org', 'name'] };
export const keyOf = { t: ['id'], u: ['id', 'at'], v: ['id'] };

export function rowsOf({ t, u }: Rows, name: Name): readonly Row[] {
  if (name !== 'v') return name === 't' ? t : u;
  return t.filter(({ seen }) => (seen as number) > 1).map(({ id, org, name }) => ({ id: id!, org: org!, name: name! }));
}
