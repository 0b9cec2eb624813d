import { type Naming, planOf } from '../../../../src/adapter/plan.js';
import { checkRules, type RuleOptions, type Rules } from '../../../../src/adapter/rules.js';
import type { Plan } from '../../../../src/adapter/types.js';
import { readStatement } from '../../../../src/sql/index.js';
import { type Random, randomFrom } from '../../../fuzz/sql/random.js';
import { sqlite } from '../../sql/a-statement.js';
import { aCatalog } from '../a-catalog.js';
import { type Change, someChange } from './changes.js';
import { byKey, type Query, someQuery } from './queries.js';
import { columnsOf, keyOf, type Row, type Rows, specs } from './shop.js';
import { someValue } from './text.js';

/** Who answers: a few lines here, or a real database. */
export interface World {
  fill(rows: Rows): void;
  ask(query: Query): readonly Row[];
  /** Undefined when it was refused; else the rows of a RETURNING, if there was one. */
  change(change: Change): { readonly shown: readonly Row[] | undefined } | undefined;
}

export class Here implements World {
  #rows: Rows = { t: [], u: [] };

  fill(rows: Rows): void {
    this.#rows = rows;
  }

  ask(query: Query): readonly Row[] {
    return query.answer(this.#rows);
  }

  change(change: Change) {
    const done = change.applied(this.#rows);
    if (done === undefined) return undefined;
    this.#rows = done.rows;
    return { shown: change.sql.endsWith('RETURNING *') ? done.shown : undefined };
  }
}

/** A mistake on purpose: what is taken away from the tags of one side. */
export interface Mistake {
  readonly reads?: (tag: string) => boolean;
  readonly writes?: (tag: string) => boolean;
  readonly dropsAlways?: boolean;
}

export interface Figures {
  /** Writes while an entry was there. */
  steps: number;
  /** Of those, how many did not end it. */
  kept: number;
  /** Of those that changed its answer. */
  changed: number;
  readonly unsound: string[];
}

/**
 * What the algebra is for: as long as no write has raised a tag of a read, asking again gives the same answer. A query is
 * asked and its tags are kept; then things are written, until one of them ends it.
 */
export function compare(seed: number, count: number, world: World): Figures {
  const figures: Figures = { steps: 0, kept: 0, changed: 0, unsound: [] };
  for (let at = seed; figures.steps < count; at++) story(at, world, {}, figures);
  return figures;
}

/** How many writes it takes until the mistake shows; undefined when it never does. */
export function findMistake(mistake: Mistake, count: number, world: World): number | undefined {
  const figures: Figures = { steps: 0, kept: 0, changed: 0, unsound: [] };
  for (let at = 1; figures.steps < count; at++) {
    story(at, world, mistake, figures);
    if (figures.unsound.length > 0) return figures.steps;
  }
  return undefined;
}

function story(seed: number, world: World, mistake: Mistake, figures: Figures): void {
  const random = randomFrom(seed);
  const rules = random.pick(allRules);
  world.fill(someRows(random));
  const query = someQuery(random);
  const answer = world.ask(query);
  const read = planIn(rules, query.sql);
  if (read.refused !== undefined) throw new Error(`${read.refused}: ${query.sql}`);
  const { tags, droppable, drop } = read.readTags(query.params);
  const dropped = mistake.dropsAlways ? droppable : drop(answer);
  const held = new Set([...tags, ...droppable.filter((tag) => !dropped.includes(tag))]);
  for (const tag of [...held]) if (mistake.reads?.(tag)) held.delete(tag);
  const before = textOf(answer, query);
  for (let writes = 0; writes < 4; writes++) {
    const change = someChange(random);
    const write = planIn(rules, change.sql);
    if (write.everything !== undefined) throw new Error(`${write.everything}: ${change.sql}`);
    const raised = write.writeTags(change.params);
    const done = world.change(change);
    if (done === undefined) continue;
    const isSame = textOf(world.ask(query), query) === before;
    figures.steps++;
    if (!isSame) figures.changed++;
    // Who does not look at what came back raises more.
    const all = [raised.tags, done.shown === undefined ? raised.tags : raised.refine(done.shown)];
    const ends = all.map((some) => some.some((tag) => held.has(tag) && !mistake.writes?.(tag)));
    if (!isSame && ends.includes(false))
      figures.unsound.push(`seed ${seed}: ${say(query)}\n  is not ended by: ${say(change)}`);
    if (!isSame || ends.includes(true)) return;
    figures.kept++;
  }
}

const allRules: Rules[] = [
  { tenant: 'org' },
  { tenant: 'org', tables: { t: { ignoreColumns: ['seen'] } } },
  { tenant: 'org', tables: { t: { grain: 'name' }, u: { grain: 't_id' } } },
  { tables: { u: { ignoreColumns: ['t_id', 'org'] } } },
].map((options: RuleOptions) => checkRules(options, sqlite));

const catalog = aCatalog(sqlite, specs);

function planIn(rules: Rules, sql: string, naming?: Naming): Plan {
  return planOf(readStatement(sql, sqlite), sql, catalog, rules, naming);
}

function someRows(random: Random): Rows {
  const some = (name: 't' | 'u', chance: number, keys: readonly Row[]) =>
    keys.flatMap((key) => {
      if (!random.chance(chance)) return [];
      return [{ ...Object.fromEntries(columnsOf[name].map((column) => [column, someValue(random, column)])), ...key }];
    });
  const ids = [1, 2, 3, 4];
  const t = some(
    't',
    0.7,
    ids.map((id) => ({ id, name: ['a', 'A', 'b', 'c'][id - 1]! })),
  );
  const u = some(
    'u',
    0.5,
    ids.flatMap((id) => [1, 2].map((at) => ({ id, at }))),
  );
  return { t, u: u.filter(({ t_id }) => t_id === null || t.some(({ id }) => id === t_id)) };
}

/** The order is part of an answer only where it was asked for. */
function textOf(rows: readonly Row[], { sql }: Query): string {
  const isOrdered = sql.includes(' ORDER BY ');
  return JSON.stringify(isOrdered ? rows : [...rows].sort(byKey([...new Set(rows.flatMap(Object.keys)), ...keyOf.t])));
}

function say({ sql, params }: Query | Change): string {
  return `${sql} [${params.map((it) => (typeof it === 'bigint' ? `${it}n` : JSON.stringify(it))).join(', ')}]`;
}
