import type { Dialect, Value } from '../sql/index.js';
import type { Column } from './catalog/types.js';
import type { Params } from './types.js';

/**
 * Which values of a statement are surely those of its rows.
 *
 * A database compares and stores by its own rules: `varchar = 0` is true for many texts in MySQL, `6.6` becomes 7 in an
 * integer column, digits behind the fifteenth vanish where numbers are compared as floats. A value is taken only if none
 * of that can happen to it, so what comes out here may be made into a tag, and equal values make equal tags. Everything
 * else is no value: the star is raised, or the whole table is depended on.
 */

/** How a value meets its column: it is compared with it, stored into it, or came out of it. */
export type Use = 'compared' | 'stored' | 'returned';

/** The value as text, the same for all spellings of it; or undefined. */
export type Fit = (raw: unknown, isNumber: boolean) => string | undefined;

export function fitOf(column: Column, dialect: Dialect, use: Use): Fit {
  const fit = typeFitOf(column, dialect, use);
  const { type, max } = column;
  if (use !== 'stored' || max === undefined || type === 'uuid') return fit;
  return (raw, isNumber) => {
    const text = fit(raw, isNumber);
    const isWhole = text !== undefined && (type === 'integer' ? isBetween(Number(text), max) : text.length <= max);
    return isWhole ? text : undefined;
  };
}

/** One below 0 is 0 in a column that has no sign. */
const isBetween = (value: number, max: number) => value >= 0 && value <= max;

function typeFitOf(column: Column, dialect: Dialect, use: Use): Fit {
  switch (column.type) {
    case 'integer':
      return (raw, isNumber) => number(raw, whole, digitsOf(dialect, isNumber));
    case 'numeric':
      // Stored ones are rounded to the column's scale, and a driver may return the nearest float.
      if (use === 'stored') return () => undefined;
      return (raw, isNumber) =>
        use === 'returned' && typeof raw === 'number' ? undefined : number(raw, decimal, digitsOf(dialect, isNumber));
    case 'text':
      return (raw, isNumber) => (typeof raw === 'string' && !isNumber && printable.test(raw) ? raw : undefined);
    case 'uuid':
      return (raw) => (typeof raw === 'string' && uuid.test(raw) ? raw.toLowerCase() : undefined);
    default:
      return () => undefined;
  }
}

/** The values that one place of a statement stands for: one, or as many as an array parameter has. */
export function textsOf(value: Value | undefined, column: Column, fit: Fit, params: Params): string[] | undefined {
  if (value === undefined || !castFits(value, column)) return undefined;
  const accept = castIsWhole(value) ? onlyWhole(fit) : fit;
  if (value.kind !== 'parameter') return one(accept(value.text, value.kind === 'number'));
  const given = parameterOf(value.at, params);
  if (!value.each) return one(accept(given, false));
  if (!Array.isArray(given) || given.length > maxClaims) return undefined;
  const texts: string[] = [];
  for (const element of given) {
    const text = accept(element, false);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}

/** So many rows or tenants of a table are named at most; beyond, the table is. */
export const maxClaims = 128;

function one(text: string | undefined): string[] | undefined {
  return text === undefined ? undefined : [text];
}

/** By its number, or by its name with or without the `:`, `@` or `$` in front. */
export function parameterOf(at: number | string, params: Params): unknown {
  const named = params as Readonly<Record<string, unknown>>;
  if (typeof at === 'number') return Array.isArray(params) ? params[at] : named[at + 1];
  return Array.isArray(params) ? undefined : (named[at] ?? named[at.slice(1)]);
}

const whole = /^ *([+-]?)0*(\d+)(?:\.0+)? *$/;
const decimal = /^ *([+-]?)0*(\d+)(?:\.(\d*?)0*)? *$/;
/** Beyond them, databases find texts equal that differ; and control characters do not count for any. */
const printable = /^[\x20-\x7e]{0,256}$/;
const uuid = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

function number(raw: unknown, form: RegExp, digits: Digits): string | undefined {
  if (typeof raw === 'number') {
    if (Number.isInteger(raw) && !Number.isSafeInteger(raw)) return undefined;
  } else if (typeof raw !== 'string' && typeof raw !== 'bigint') return undefined;
  const match = form.exec(String(raw));
  if (match === null) return undefined;
  const [, sign, before = '', after = ''] = match;
  if (before.length + after.length > (after === '' ? digits.whole : digits.broken)) return undefined;
  const text = after === '' ? before : `${before}.${after}`;
  return sign === '-' && text !== '0' ? `-${text}` : text;
}

/** How many digits count, of a number without and with a fraction. */
interface Digits {
  readonly whole: number;
  readonly broken: number;
}

function digitsOf(dialect: Dialect, isNumber: boolean): Digits {
  if (dialect.name === 'postgres') return exact;
  // SQLite has 64 bits for whole numbers; MySQL compares a text with a number as floats.
  return dialect.name === 'sqlite' || isNumber ? long : float;
}

const exact: Digits = { whole: 1000, broken: 1000 };
const long: Digits = { whole: 18, broken: 15 };
const float: Digits = { whole: 15, broken: 15 };

/** A cast may change a value: to another type's, or to one with fewer digits. `'07'::int` is 7, as in an int column. */
function castFits({ cast, ...value }: Value, column: Column): boolean {
  if (cast === undefined) return true;
  const type = value.kind === 'parameter' && value.each ? cast.replace(/\[\]$/, '') : cast;
  const of = casts.get(type);
  return (
    of === column.type || (of === 'integer' && column.type === 'numeric') || (of === 'numeric' && isNumeric(column))
  );
}

function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'numeric';
}

const casts = new Map<string, Column['type']>([
  ...['int', 'int2', 'int4', 'int8', 'integer', 'smallint', 'bigint'].map((it) => [it, 'integer'] as const),
  ...['numeric', 'decimal'].map((it) => [it, 'numeric'] as const),
  ...['text', 'varchar'].map((it) => [it, 'text'] as const),
  ['uuid', 'uuid'],
]);

function castIsWhole({ cast }: Value): boolean {
  return cast !== undefined && casts.get(cast.replace(/\[\]$/, '')) === 'integer';
}

function onlyWhole(fit: Fit): Fit {
  return (raw, isNumber) => {
    const text = fit(raw, isNumber);
    return text?.includes('.') ? undefined : text;
  };
}
