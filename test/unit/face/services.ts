import { vi } from 'vitest';

/** A repository whose rows are counted loads. */
export function aRepository() {
  const rows = new Map([[7, { id: 7, name: 'Ada' }], [8, { id: 8, name: 'Bob' }]]); // biome-ignore format: a line
  return {
    rows,
    find: vi.fn(async (id: number) => rows.get(id) ?? null),
    save: vi.fn(async (id: number, name: string) => {
      const row = { id, name };
      rows.set(id, row);
      return row;
    }),
  };
}
