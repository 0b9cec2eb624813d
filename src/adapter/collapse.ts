import { rowsStar } from '../core/table-tags.js';

/** So many rows of a table are named one by one. */
const maxRows = 256;

/** More rows of a table than that become all of its rows: what reads one of them depends on that, too. */
export function collapse(tags: readonly string[]): readonly string[] {
  if (tags.length <= maxRows) return tags;
  const rows = new Map<string, number>();
  for (const tag of tags) {
    const table = tableOfRow(tag);
    if (table !== undefined) rows.set(table, (rows.get(table) ?? 0) + 1);
  }
  const collapsed = new Set<string>();
  for (const tag of tags) {
    const table = tableOfRow(tag);
    collapsed.add(table !== undefined && (rows.get(table) ?? 0) > maxRows ? rowsStar(table) : tag);
  }
  return [...collapsed];
}

function tableOfRow(tag: string): string | undefined {
  return /^(table:[^@#!]*)#\d+$/.exec(tag)?.[1];
}
