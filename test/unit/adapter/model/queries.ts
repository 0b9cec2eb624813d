import type { Random } from '../../../fuzz/sql/random.js';
import { columnsOf, keyOf, type Name, type Row, type Rows, rowsOf } from './shop.js';
import { conditions, someValue, type Test, Text } from './text.js';

/** A query, and its answer over these rows. */
export interface Query {
  readonly sql: string;
  readonly params: readonly unknown[];
  /** Of the answer. */
  readonly columns: readonly string[];
  answer(rows: Rows): Row[];
}

export function someQuery(random: Random): Query {
  const query = random.chance(0.65) ? overOne(random) : overTwo(random);
  return random.chance(0.2) ? overThat(random, random.chance(0.5) ? query : ofOneRow(random)) : query;
}

function ofOneRow(random: Random): Query {
  const text = new Text(random).add('SELECT id, name FROM t WHERE id = ');
  const wanted = someValue(random, 'id') as number;
  text.value(wanted);
  return {
    sql: text.sql,
    params: text.params,
    columns: ['id', 'name'],
    answer: ({ t }) => t.filter(({ id }) => id === wanted).map(({ id, name }) => ({ id: id!, name: name! })),
  };
}

/** A query over the rows of another one, alone or beside a table. */
function overThat(random: Random, { sql, params, columns, answer }: Query): Query {
  const kind = random.pick(['distinct', 'all', 'count', 'beside', 'beside']);
  const lists = { distinct: 'DISTINCT x.*', all: 'x.*', count: 'count(*) AS n', beside: 'y.id AS y, x.*' };
  const from = kind === 'beside' ? `u y LEFT JOIN (${sql}) x ON true` : `(${sql}) x`;
  return {
    sql: `SELECT ${lists[kind as keyof typeof lists]} FROM ${from}`,
    params,
    columns: kind === 'count' ? ['n'] : kind === 'beside' ? ['y', ...columns] : columns,
    answer(rows) {
      const found = answer(rows);
      if (kind === 'count') return [{ n: found.length }];
      if (kind === 'all') return found;
      if (kind === 'distinct') return [...new Map(found.map((row) => [JSON.stringify(row), row])).values()];
      const nobody = Object.fromEntries(columns.map((column) => [column, null]));
      return rows.u.flatMap(({ id }) => (found.length > 0 ? found : [nobody]).map((row) => ({ y: id!, ...row })));
    },
  };
}

/** Rows, some columns of them, the first of them, or their number. */
function overOne(random: Random): Query {
  const text = new Text(random);
  const name = random.pick<Name>(['t', 't', 't', 'u', 'u', 'v']);
  const all = columnsOf[name];
  const shown = random.pick(['*', 'count', 'some', 'some', 'max']);
  const columns = all.filter((column) => keyOf[name].includes(column) || random.chance(0.4));
  const lists = { '*': '*', count: 'count(*) AS n', some: columns.join(', '), max: `max(${all.at(-1)}) AS n` };
  const beside = random.chance(0.1) && shown !== '*' ? random.pick<Name>(['t', 'u', 'v']) : undefined;
  text.add(`SELECT ${lists[shown as keyof typeof lists]}`);
  if (beside !== undefined) text.add(`, (SELECT count(*) FROM ${beside}) AS m`);
  text.add(` FROM ${name}`);
  let test: Test = () => true;
  if (random.chance(0.9)) test = conditions(text.add(' WHERE '), all, random.chance(0.5) ? `${name}.` : '');
  const isRows = shown === '*' || shown === 'some';
  const list = shown === '*' ? all : columns;
  const first = isRows && random.chance(0.15);
  if (first) text.add(` ORDER BY ${keyOf[name].join(', ')} LIMIT 1`);
  return {
    sql: text.sql,
    params: text.params,
    columns: [...(isRows ? list : ['n']), ...(beside === undefined ? [] : ['m'])],
    answer(rows) {
      const found = rowsOf(rows, name).filter(test);
      const m = beside === undefined ? {} : { m: rowsOf(rows, beside).length };
      if (shown === 'count') return [{ n: found.length, ...m }];
      if (shown === 'max')
        return [{ n: found.reduce<Row[string]>((a, row) => larger(a, row[all.at(-1)!]!), null), ...m }];
      const kept = first ? [...found].sort(byKey(keyOf[name])).slice(0, 1) : found;
      return kept.map((row) => ({ ...Object.fromEntries(list.map((column) => [column, row[column]!])), ...m }));
    },
  };
}

function larger(a: Row[string], b: Row[string]): Row[string] {
  return a === null || (b !== null && b > a) ? b : a;
}

export function byKey(key: readonly string[]) {
  return (a: Row, b: Row) => {
    for (const column of key) if (a[column] !== b[column]) return a[column]! < b[column]! ? -1 : 1;
    return 0;
  };
}

/** Joins of all kinds, with conditions in ON and in WHERE; also of a table with itself. */
function overTwo(random: Random): Query {
  const text = new Text(random);
  const [left, right] = random.pick<[Name, Name]>([
    ['t', 'u'],
    ['u', 't'],
    ['t', 't'],
    ['v', 'u'],
    ['t', 'v'],
    ['u', 'v'],
  ]);
  const kind = random.pick(['JOIN', 'LEFT JOIN']);
  const counts = random.chance(0.3);
  text.add(`SELECT ${counts ? 'count(*) AS n' : 'a.id AS a, a.org AS b, b.id AS c, b.org AS d'}`);
  const linked = left === 'u' && right !== 'u' ? ['t_id', 'id'] : right === 'u' ? ['id', 't_id'] : ['org', 'org'];
  text.add(` FROM ${left} a ${kind} ${right} b ON a.${linked[0]} = b.${linked[1]}`);
  const on: [Test, Test] = [() => true, () => true];
  const where: [Test, Test] = [() => true, () => true];
  if (random.chance(0.4)) on[0] = conditions(text.add(' AND '), columnsOf[left], 'a.', 1);
  if (random.chance(0.4)) on[1] = conditions(text.add(' AND '), columnsOf[right], 'b.', 1);
  const narrows = random.below(4);
  if (narrows > 0) text.add(' WHERE ');
  if (narrows === 1 || narrows === 3) where[0] = conditions(text, columnsOf[left], 'a.', 2);
  if (narrows === 3) text.add(' AND ');
  if (narrows >= 2) where[1] = conditions(text, columnsOf[right], 'b.', 2);
  const nobody = Object.fromEntries(columnsOf[right].map((column) => [column, null]));
  return {
    sql: text.sql,
    params: text.params,
    columns: counts ? ['n'] : ['a', 'b', 'c', 'd'],
    answer(rows) {
      const pairs: [Row, Row][] = [];
      for (const a of rowsOf(rows, left)) {
        const isLinked = (b: Row) => a[linked[0]!] !== null && a[linked[0]!] === b[linked[1]!];
        const found = rowsOf(rows, right).filter((b) => isLinked(b) && on[0](a) && on[1](b));
        if (found.length === 0 && kind === 'LEFT JOIN') found.push(nobody);
        for (const b of found) if (where[0](a) && where[1](b)) pairs.push([a, b]);
      }
      if (counts) return [{ n: pairs.length }];
      return pairs.map(([a, b]) => ({ a: a.id!, b: a.org!, c: b.id!, d: b.org! }));
    },
  };
}
