import type { Random } from '../../../fuzz/sql/random.js';
import type { Row } from './shop.js';

/** A statement while it is written: values become parameters or literals, in whatever spelling the database takes. */
export class Text {
  sql = '';
  readonly params: unknown[] = [];
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  add(text: string): this {
    this.sql += text;
    return this;
  }

  value(value: number | string | null): this {
    if (value === null) return this.add('NULL');
    if (this.random.chance(0.3)) return this.add(typeof value === 'number' ? `${value}` : `'${value}'`);
    const spellings =
      typeof value === 'number' ? [value, value, BigInt(value), `${value}`, ` 0${value}`, `${value}.0`] : [value];
    this.params.push(this.random.pick(spellings));
    return this.add('?');
  }
}

/** Whether a row fulfils something. */
export type Test = (row: Row) => boolean;

/** Small, so that things meet. Names differ in case, which the database sees and tags do not. */
export function someValue(random: Random, column: string): number | string | null {
  switch (column) {
    case 'id':
      return 1 + random.below(4);
    case 'at':
    case 'org':
      return 1 + random.below(2);
    case 't_id':
      return random.chance(0.2) ? null : 1 + random.below(4);
    case 'seen':
      return random.below(4);
    default:
      return random.pick(['a', 'A', 'b', 'B', 'c']);
  }
}

/** Conditions on the columns of a table, put together by AND; `alias` is what stands in front of them, with its dot. */
export function conditions(text: Text, columns: readonly string[], alias: string, most = 3): Test {
  const tests: Test[] = [];
  for (let count = 1 + text.random.below(most); count > 0; count--) {
    if (tests.length > 0) text.add(' AND ');
    tests.push(condition(text, columns, alias));
  }
  return (row) => tests.every((test) => test(row));
}

function condition(text: Text, columns: readonly string[], alias: string): Test {
  const { random } = text;
  // Keys and tenants most of the time: that is what this is about.
  const column = random.chance(0.7) ? random.pick(columns.slice(0, 3)) : random.pick(columns);
  const name = alias + column;
  const value = () => someValue(random, column) ?? 1;
  switch (random.below(7)) {
    case 0:
    case 1:
    case 2: {
      const wanted = value();
      text.add(`${name} = `).value(wanted);
      return (row) => row[column] === wanted;
    }
    case 3:
    case 4: {
      const list = Array.from({ length: 1 + random.below(3) }, value);
      text.add(`${name} IN (`);
      for (const [at, one] of list.entries()) text.add(at === 0 ? '' : ', ').value(one);
      text.add(')');
      return (row) => list.some((one) => row[column] === one);
    }
    case 5: {
      const least = value();
      text.add(`${name} > `).value(least);
      return (row) => row[column] != null && row[column]! > least;
    }
    default: {
      text.add('(');
      const one = condition(text, columns, alias);
      text.add(' OR ');
      const other = condition(text, columns, alias);
      text.add(')');
      return (row) => one(row) || other(row);
    }
  }
}
