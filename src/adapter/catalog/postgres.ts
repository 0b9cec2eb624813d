import { tableTag } from '../../core/table-tags.js';
import { type Dialect, foldName } from '../../sql/index.js';
import { aDraft, addChild, addColumn, addTrigger, type Draft, Drafts } from './draft.js';
import { joinFamilies, type Link } from './families.js';
import { impureQuery, type PostgresAnswer, type PostgresColumn, postgresQuery } from './postgres-query.js';
import type { Ask, Column, LoadCatalog } from './types.js';
import { type Declared, type Definition, readDefinition, readFunctions, settleViews } from './views.js';

type ByOid = Map<number, Draft>;
type Types = ReadonlyMap<number, PostgresAnswer['types'][number]>;

/** PostgreSQL 12 and later. One query, and a second when views call functions that are on no list of ours. */
export const loadPostgres: LoadCatalog = async (ask, database, dialect, functions = {}, home) => {
  const answer = await answerOf(ask);
  const drafts = new Drafts();
  const byOid: ByOid = new Map();
  const types = new Map(answer.types.map((type) => [type[0], type]));

  for (const [oid, schema, name, kind, isTemporary, isRowSecurityActive, isReturnable, columns] of answer.relations) {
    const key = foldName(name, dialect, true);
    const inside = schema === 'public' ? undefined : foldName(isTemporary ? 'pg_temp' : schema, dialect, true);
    const draft = aDraft({
      schema: inside ?? 'public',
      key,
      tag: tableTag(database, inside, key),
      name: inside === undefined ? name : `${inside}.${name}`,
      kind: kind === 'v' ? 'view' : 'table',
    });
    draft.returnable = isReturnable;
    if (isTemporary) draft.unreadable = `a temporary ${draft.kind}`;
    else if (isRowSecurityActive) draft.unreadable = 'row level security is active on it';
    else draft.unreadable = kinds[kind];
    for (const column of columns ?? []) addColumn(draft, foldName(column[1], dialect, true), columnOf(column, types));
    byOid.set(oid, drafts.add(draft));
  }
  addWhatHangsOn(answer, byOid, dialect);

  // Temporary tables come before all others, and have no schema in the search path.
  const path = home?.path ?? ['pg_temp', ...answer.path.map((schema) => foldName(schema, dialect, true))];
  settleViews(await definitionsOf(ask, answer, byOid, { functions, drafts, path, dialect }));
  return drafts.toCatalog(dialect, answer.server, path);
};

const kinds: Record<string, string | undefined> = { f: 'a foreign table', S: 'a sequence' };

async function answerOf(ask: Ask): Promise<PostgresAnswer> {
  const catalog = (await ask(postgresQuery))[0]?.catalog;
  const answer = typeof catalog === 'string' ? JSON.parse(catalog) : catalog;
  if (typeof answer !== 'object' || answer === null) throw new Error('its answer was not understood');
  // An aggregate of no rows is null.
  return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key, value ?? []])) as never;
}

/** Keys, triggers and rules; foreign keys last, when partitions share what refers to any of them. */
function addWhatHangsOn(
  { relations, keys, triggers, inherits }: PostgresAnswer,
  drafts: ByOid,
  dialect: Dialect,
): void {
  const numbered = new Map(
    relations.map(([oid, , , , , , , columns]) => [
      oid,
      new Map((columns ?? []).map(([at, name]) => [at, foldName(name, dialect, true)])),
    ]),
  );
  const names = (oid: number, columns: readonly number[]) => columns.map((at) => numbered.get(oid)?.get(at) as string);

  for (const [kind, oid, , columns] of keys) if (kind === 'p') drafts.get(oid)!.primaryKey = names(oid, columns);
  for (const [oid, name] of triggers) addTrigger(drafts.get(oid), name);
  for (const draft of drafts.values()) draft.returnable &&= draft.triggers.length === 0;

  joinFamilies(
    inherits.flatMap(([child, parent, isPartition]): Link[] => {
      const known = drafts.get(parent);
      return known === undefined ? [] : [[drafts.get(child)!, known, isPartition]];
    }),
  );
  for (const [kind, oid, parent, columns, onDelete, onUpdate] of keys) {
    const referred = drafts.get(parent);
    if (kind !== 'f' || referred === undefined) continue;
    addChild(referred, drafts.get(oid)!, { columns: names(parent, columns), onDelete, onUpdate });
  }
}

/**
 * What views read. PostgreSQL says which relations and which functions of users; the text shows clocks, locks, system
 * tables, and the functions that are built in. Of those on no list, the server is asked whether they only compute.
 */
async function definitionsOf(
  ask: Ask,
  { definitions, reads, calls }: PostgresAnswer,
  drafts: ByOid,
  declared: Declared,
): Promise<Map<Draft, Definition>> {
  const users = new Set(calls.map(([, , name]) => name));
  const texts = definitions.map(([view, text]) => {
    const { functions, trouble } = readDefinition(text ?? '', { name: 'postgres' });
    const bare = functions.map((name) => name.slice(name.lastIndexOf('.') + 1));
    return { view, trouble, builtIn: bare.filter((name) => !users.has(name)) };
  });
  const asked = [...new Set(texts.flatMap((text) => text.builtIn))];
  const impure = new Set(asked.length === 0 ? [] : (await ask(impureQuery(asked))).map((row) => row.name));

  return new Map(
    texts.map(({ view, trouble, builtIn }): [Draft, Definition] => {
      const called = calls.filter(([caller, , , isPure]) => caller === view && !isPure);
      const names = [
        ...called.map(([, schema, name]) => `${schema}.${name}`),
        ...builtIn.filter((it) => impure.has(it)),
      ];
      const byCalls = readFunctions(names, declared);
      const direct = reads.filter(([reader]) => reader === view);
      const relations = direct.map(([, oid]) => drafts.get(oid)).filter((it) => it !== undefined);
      return [
        drafts.get(view)!,
        { reads: [...relations, ...byCalls.reads], trouble: trouble ?? rowSecurity(direct, drafts) ?? byCalls.trouble },
      ];
    }),
  );
}

function rowSecurity(reads: PostgresAnswer['reads'], drafts: ByOid): string | undefined {
  const [, secured] = reads.find(([, , isActive]) => isActive) ?? [];
  return secured === undefined
    ? undefined
    : `it reads ${drafts.get(secured)?.name}: row level security is active on it`;
}

function columnOf(column: PostgresColumn, types: Types): Column {
  const [, name, type, nullable, generated, isDeterministic] = column;
  const found = typeOf(type, types);
  return { name, type: found === 'text' && !isDeterministic ? 'other' : found, nullable, generated };
}

const builtIn: Record<number, Column['type']> = {
  20: 'integer',
  21: 'integer',
  23: 'integer',
  1700: 'numeric',
  25: 'text',
  1042: 'text',
  1043: 'text',
  2950: 'uuid',
};

/** A domain is its base, an enum its labels, and what `citext` calls equal is equal after folding too. */
function typeOf(oid: number, types: Types): Column['type'] {
  const [, kind, base] = types.get(oid) ?? [];
  if (kind === undefined) return builtIn[oid] ?? 'other';
  return kind === 'd' ? typeOf(base as number, types) : 'text';
}
