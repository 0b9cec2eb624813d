import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Which tables a statement reads and changes, as PostgreSQL's own grammar has it. It is for development only, and is
 * fetched when it is first asked for.
 */
export type Oracle = (sql: string) => { reads: Set<string>; writes: Set<string> } | undefined;

export async function loadOracle(): Promise<Oracle> {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const file = `${folder}/node_modules/libpg-query/wasm/index.js`;
  if (!existsSync(file))
    execFileSync('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
  const grammar: Grammar = await import(pathToFileURL(file).href);
  await grammar.loadModule();
  return (sql) => {
    let tree: { stmts?: unknown };
    try {
      tree = grammar.parseSync(sql);
    } catch {
      return undefined;
    }
    const found = { reads: new Set<string>(), writes: new Set<string>() };
    visit(tree.stmts, [], found);
    return found;
  };
}

interface Grammar {
  loadModule(): Promise<void>;
  parseSync(sql: string): { stmts?: unknown };
}

type Found = { reads: Set<string>; writes: Set<string> };
type Node = { [field: string]: any };

const changes = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];

function visit(node: unknown, ctes: readonly string[], found: Found): void {
  if (Array.isArray(node)) {
    for (const part of node) visit(part, ctes, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  for (const [kind, value] of Object.entries(node as Node)) {
    if (kind === 'RangeVar') {
      if (value.schemaname !== undefined || !ctes.includes(value.relname)) found.reads.add(value.relname);
    } else if (kind === 'TruncateStmt') {
      for (const { RangeVar } of value.relations) found.writes.add(RangeVar.relname);
    } else if (kind === 'CopyStmt' && value.relation !== undefined) {
      (value.is_from ? found.writes : found.reads).add(value.relation.relname);
    } else if (changes.includes(kind)) {
      found.writes.add(value.relation.relname);
      scoped({ ...value, relation: undefined }, ctes, found);
    } else if (kind === 'intoClause' || kind === 'into') {
      found.writes.add(value.rel.relname);
    } else if (kind === 'SelectStmt' || kind === 'larg' || kind === 'rarg') {
      scoped(value, ctes, found);
    } else visit(value, ctes, found);
  }
}

/** A statement and its WITH: each name is known behind it, and in itself when the WITH is recursive. */
function scoped(value: Node, ctes: readonly string[], found: Found): void {
  let known = ctes;
  for (const { CommonTableExpr } of value.withClause?.ctes ?? []) {
    const name: string = CommonTableExpr.ctename;
    // What a change in a WITH returns is read by the statement around it.
    for (const change of Object.values<Node>(CommonTableExpr.ctequery))
      if (change.returningClause !== undefined) found.reads.add(change.relation.relname);
    visit(CommonTableExpr.ctequery, value.withClause.recursive ? [...known, name] : known, found);
    known = [...known, name];
  }
  visit({ ...value, withClause: undefined }, known, found);
}
