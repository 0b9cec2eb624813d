import type { Random } from '../../../fuzz/sql/random.js';
import { columnsOf, keyOf, type Row, type Rows } from './shop.js';
import { conditions, someValue, type Test, Text } from './text.js';

/** A statement that writes, and what it makes of these rows. */
export interface Change {
  readonly sql: string;
  readonly params: readonly unknown[];
  /** Undefined when the database would refuse it. `shown` are the rows of its RETURNING. */
  applied(rows: Rows): { readonly rows: Rows; readonly shown: Row[] } | undefined;
}

type Base = 't' | 'u';

export function someChange(random: Random): Change {
  const name = random.pick<Base>(['t', 't', 'u']);
  const text = new Text(random);
  const make = random.pick([insert, insert, update, update, update, remove]);
  const apply = make(text, name);
  if (random.chance(0.5)) text.add(' RETURNING *');
  return { sql: text.sql, params: text.params, applied: (rows) => checked(rows, apply) };
}

/** What a database would say to the result, and what foreign keys make of it. */
type Apply = (rows: Mutable) => Row[];
interface Mutable {
  t: Row[];
  u: Row[];
}

class Refused extends Error {}

function checked(rows: Rows, apply: Apply): ReturnType<Change['applied']> {
  const after: Mutable = { t: [...rows.t], u: [...rows.u] };
  try {
    const shown = apply(after);
    for (const name of ['t', 'u'] as const) if (hasTwice(after[name], keyOf[name])) return undefined;
    if (hasTwice(after.t, ['name'])) return undefined;
    if (after.u.some(({ t_id }) => t_id !== null && !after.t.some(({ id }) => id === t_id))) return undefined;
    return { rows: after, shown };
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function hasTwice(rows: readonly Row[], columns: readonly string[]): boolean {
  return new Set(rows.map((row) => JSON.stringify(columns.map((column) => row[column])))).size < rows.length;
}

function insert(text: Text, name: Base): Apply {
  const { random } = text;
  const replaces = random.chance(0.15);
  const ignores = !replaces && random.chance(0.15);
  text.add(`INSERT ${replaces ? 'OR REPLACE ' : ''}INTO ${name}`);
  const all = columnsOf[name];
  const listed = random.chance(0.2) ? all : all.filter((column) => keyOf[name].includes(column) || random.chance(0.8));
  if (listed !== all) text.add(` (${listed.join(', ')})`);
  text.add(' VALUES ');
  const rows: Row[] = [];
  for (let count = 1 + random.below(2); count > 0; count--) {
    text.add(rows.length === 0 ? '(' : ', (');
    const row: Record<string, number | string | null> = Object.fromEntries(all.map((column) => [column, null]));
    for (const [at, column] of listed.entries()) {
      row[column] = someValue(random, column);
      text.add(at === 0 ? '' : ', ').value(row[column]!);
    }
    text.add(')');
    rows.push(row);
  }
  let conflict: { columns: readonly string[]; set: Row } | undefined;
  if (ignores) text.add(' ON CONFLICT DO NOTHING');
  else if (!replaces && random.chance(0.4)) {
    const columns = name === 't' && random.chance(0.5) ? ['name'] : keyOf[name];
    text.add(` ON CONFLICT (${columns.join(', ')}) DO UPDATE`);
    conflict = { columns, set: assigned(text, name) };
  }
  return (tables) => {
    const shown: Row[] = [];
    for (const row of rows) {
      const unique = name === 't' ? [['id'], ['name']] : [keyOf.u];
      const others = tables[name].filter((other) => unique.some((columns) => isSame(row, other, columns)));
      if (others.length > 0 && ignores) continue;
      if (replaces) for (const other of others) deleted(tables, name, other);
      const found = conflict && tables[name].find((other) => isSame(row, other, conflict.columns));
      if (conflict && found) shown.push(changed(tables, name, found, conflict.set));
      else {
        tables[name].push(row);
        if (others.length > 0 && !replaces) throw new Refused();
        shown.push(row);
      }
    }
    return shown;
  };
}

function isSame(a: Row, b: Row, columns: readonly string[]): boolean {
  return columns.every((column) => a[column] !== null && a[column] === b[column]);
}

/** ` SET column = value, …` */
function assigned(text: Text, name: Base): Row {
  const { random } = text;
  const columns = random.chance(0.25)
    ? [columnsOf[name].at(-1)!]
    : columnsOf[name].filter((column) => random.chance(keyOf[name].includes(column) ? 0.15 : 0.4));
  if (columns.length === 0) columns.push(columnsOf[name].at(-1)!);
  const set: Record<string, number | string | null> = {};
  text.add(' SET ');
  for (const [at, column] of columns.entries()) {
    set[column] = someValue(random, column);
    text.add(`${at === 0 ? '' : ', '}${column} = `).value(set[column]!);
  }
  return set;
}

function update(text: Text, name: Base): Apply {
  text.add(`UPDATE ${name}`);
  const set = assigned(text, name);
  const test = whereOf(text, name);
  return (tables) =>
    tables[name].filter(test).map((row) => {
      // An earlier one may have changed it by a foreign key.
      if (!tables[name].includes(row)) throw new Refused();
      return changed(tables, name, row, set);
    });
}

function remove(text: Text, name: Base): Apply {
  text.add(`DELETE FROM ${name}`);
  const test = whereOf(text, name);
  return (tables) => {
    const rows = tables[name].filter(test);
    for (const row of rows) deleted(tables, name, row);
    return rows;
  };
}

function whereOf(text: Text, name: Base): Test {
  if (text.random.chance(0.07)) return () => true;
  return conditions(text.add(' WHERE '), columnsOf[name], text.random.chance(0.5) ? `${name}.` : '', 2);
}

function changed(tables: Mutable, name: Base, row: Row, set: Row): Row {
  const after = { ...row, ...set };
  tables[name][tables[name].indexOf(row)] = after;
  if (name === 't' && after.id !== row.id)
    tables.u = tables.u.map((it) => (it.t_id === row.id ? { ...it, t_id: after.id! } : it));
  return after;
}

function deleted(tables: Mutable, name: Base, row: Row): void {
  tables[name] = tables[name].filter((other) => other !== row);
  if (name === 't') tables.u = tables.u.filter(({ t_id }) => t_id !== row.id);
}
