import { type Dialect, foldName, readStatement, type Table } from '../../sql/index.js';
import type { Draft, Drafts } from './draft.js';
import type { Functions, Relation } from './types.js';

/** What a view's definition reads directly, and why that is not all. */
export interface Definition {
  readonly reads: readonly Draft[];
  readonly trouble: string | undefined;
}

/** What the text of a definition shows. */
export interface DefinitionText {
  readonly tables: readonly Table[];
  /** Functions that are not known to depend on their arguments alone. */
  readonly functions: readonly string[];
  readonly trouble: string | undefined;
}

export function readDefinition(text: string, dialect: Dialect): DefinitionText {
  const { opaque, uncacheable, reads, functions } = readStatement(text, dialect);
  const trouble =
    opaque === undefined ? uncacheable && `it has ${uncacheable}` : `its definition is unclear: ${opaque}`;
  return { tables: reads.map((read) => read.table), functions, trouble };
}

/** What a view reads whose text is all there is. `inside`: the schemas that names without one belong to. */
export function definitionOf(
  { text, dialect, inside }: { text: string; dialect: Dialect; inside: readonly string[] },
  declared: Declared,
): Definition {
  const { tables, functions, trouble } = readDefinition(text, dialect);
  const calls = readFunctions(functions, declared);
  const reads: Draft[] = [];
  let missing: string | undefined;
  for (const { schema, name } of tables) {
    const draft = declared.drafts.find(schema === undefined ? inside : [schema], name);
    if (draft) reads.push(draft);
    else missing = `it reads ${name}, which is not there or not to be seen`;
  }
  return { reads: [...reads, ...calls.reads], trouble: trouble ?? calls.trouble ?? missing };
}

/** What is declared of functions, and where the tables are found that are named there. */
export interface Declared {
  readonly functions: Functions;
  readonly drafts: Drafts;
  readonly path: readonly string[];
  readonly dialect: Dialect;
}

/** The relations that functions of a view read by declaration; a trouble is one of which nobody said anything. */
export function readFunctions(names: readonly string[], declared: Declared): Definition {
  const { functions, drafts, path, dialect } = declared;
  const reads: Draft[] = [];
  for (const name of names) {
    const tables = declarationOf(name, functions, dialect);
    if (tables === undefined) return { reads, trouble: `it calls ${name}(), and nobody said what that reads` };
    for (const table of tables === 'pure' ? [] : tables) {
      const dot = table.indexOf('.');
      const schemas = dot < 0 ? path : [foldName(table.slice(0, dot), dialect, true)];
      const draft = drafts.find(schemas, foldName(table.slice(dot + 1), dialect, true));
      if (draft === undefined) return { reads, trouble: `it calls ${name}(), which reads ${table}, and there is none` };
      reads.push(draft);
    }
  }
  return { reads, trouble: undefined };
}

/** Declared as `app.f`, or as `f` for all of that name. */
function declarationOf(name: string, functions: Functions, dialect: Dialect): Functions[string] | undefined {
  const bare = name.slice(name.lastIndexOf('.') + 1);
  const keys = Object.keys(functions);
  const found = [name, bare].map((it) => keys.find((key) => foldName(key, dialect, true) === it)).find(Boolean);
  return found === undefined ? undefined : functions[found];
}

/** Puts the tables behind views in their place, transitively, and whatever cannot be known of them. */
export function settleViews(definitions: ReadonlyMap<Draft, Definition>): void {
  const settled = new Set<Draft>();
  const settle = (view: Draft): void => {
    if (settled.has(view)) return;
    settled.add(view);
    const { reads, trouble } = definitions.get(view) as Definition;
    const bases = new Set<Relation>();
    view.unreadable ??= trouble;
    for (const read of reads) {
      if (definitions.has(read)) settle(read);
      for (const base of read.kind === 'view' ? read.bases : [read]) bases.add(base);
      if (read.unreadable !== undefined) view.unreadable ??= `it reads ${read.name}: ${read.unreadable}`;
    }
    view.bases = [...bases];
  };
  for (const view of definitions.keys()) settle(view);
}
