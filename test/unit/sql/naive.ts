/** Readers as one writes them in an afternoon. The tests of the real one must be able to fail, and these fail them. */
export function naiveTables(sql: string): { reads: Set<string>; writes: Set<string> } {
  const find = (pattern: RegExp) =>
    new Set(Array.from(sql.matchAll(pattern), (found) => found[1]!.replace(/^\w+\./, '')));
  return {
    reads: find(/\b(?:from|join)\s+(?:only\s+)?["`[]?([\w.]+)/gi),
    writes: find(/\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?)\s+(?:only\s+)?["`[]?([\w.]+)/gi),
  };
}
