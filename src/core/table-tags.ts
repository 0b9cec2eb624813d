import { hash } from 'node:crypto';
import { encodeKey, type KeyPart } from '../values/index.js';

/**
 * The names of a table's tags, which adapters and `table()` must agree on.
 *
 * `T` stands for the table as a whole; `T#5` for some of its rows, `T@…` for the rows of a tenant. A read that names its
 * rows or its tenant has these instead of `T`, and beside them the star that a write raises which cannot name its own:
 * `T!rows`, `T!tenants`. `T!ignored` is raised by writes of columns that most reads do not want to hear of.
 */

/**
 * `T`. The parts come as the database compares them, folded. A schema that needs no name (`public` in PostgreSQL, `main` in
 * SQLite) is left out; in MySQL the schema is the database.
 */
export function tableTag(database: string | undefined, schema: string | undefined, name: string): string {
  return `table:${database === undefined ? '' : `${database}.`}${schema === undefined ? '' : `${schema}.`}${name}`;
}

/** Rows share this many tags in each table, so that tags stay bounded; a collision costs a load. */
const buckets = 2 ** 20;

/** Of what the catalogue of a database says: raised by whoever defines tables. */
export function catalogTag(database: string): string {
  return `catalog:${database}`;
}

/** Of the rules by which the tags of a database are made: raised by whoever goes by others. */
export function rulesTag(database: string): string {
  return `rules:${database}`;
}

/** A row, by its primary key: the values in the order of the key's columns, or the value of its only column. */
export function rowTag(table: string, id: KeyPart | readonly KeyPart[]): string {
  return table + rowMark(id);
}

/** What stands behind `T` in a row's tag. */
export function rowMark(id: KeyPart | readonly KeyPart[]): string {
  const digest = hash('sha256', encodeKey([canonical(Array.isArray(id) && id.length === 1 ? id[0] : id)]), 'hex');
  return `#${Number.parseInt(digest.slice(0, 8), 16) % buckets}`;
}

/** The rows of one tenant, or of one value of the column that stands for it. */
export function tenantTag(table: string, value: KeyPart): string {
  return table + tenantMark(value);
}

/** What stands behind `T` in a tenant's tag. */
export function tenantMark(value: KeyPart): string {
  return `@${encodeKey([canonical(value)])}`;
}

/** Raised by writes that cannot name their rows. */
export const rowsStar = (table: string) => `${table}!rows`;
/** Raised by writes that cannot name their tenants. */
export const tenantsStar = (table: string) => `${table}!tenants`;
/** Raised by writes of columns that do not count as a change of the table. */
export const ignoredStar = (table: string) => `${table}!ignored`;

/** One form for all that a database may take for the same value: coarser than any collation, so that nothing is missed. */
export function canonical(value: KeyPart): KeyPart {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value + 0);
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return value;
  // By way of the upper case, since that is where `ß` meets `ss`.
  const text = String(value).normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().toLowerCase().trim();
  // Some collations do not see punctuation, and a UUID is the same with braces and without hyphens.
  return numeric(text) ?? (text.replace(/[^\p{L}\p{N}]/gu, '') || text);
}

/** A number has one form: no plus, no needless zeros, no exponent. Undefined for anything else. */
function numeric(text: string): string | undefined {
  const radix = /^([+-]?)(0[xob][0-9a-f_]+)$/.exec(text);
  if (radix) return integer(radix[1] as string, (radix[2] as string).replaceAll('_', ''));
  const match = /^([+-]?)(\d[\d_]*)?(?:\.(\d[\d_]*)?)?(?:e([+-]?\d{1,3}))?$/.exec(text);
  if (!match || (match[2] === undefined && match[3] === undefined)) return undefined;
  const [, sign, before = '', after = '', exponent = '0'] = match;
  let point = before.replaceAll('_', '').length + Number(exponent);
  let digits = `${before}${after}`.replaceAll('_', '');
  if (point <= 0) {
    digits = '0'.repeat(1 - point) + digits;
    point = 1;
  }
  digits = digits.padEnd(point, '0');
  const whole = digits.slice(0, point).replace(/^0+(?=\d)/, '');
  const fraction = digits.slice(point).replace(/0+$/, '');
  const plain = fraction === '' ? whole : `${whole}.${fraction}`;
  return sign === '-' && plain !== '0' ? `-${plain}` : plain;
}

function integer(sign: string, text: string): string | undefined {
  try {
    const whole = String(BigInt(text));
    return sign === '-' && whole !== '0' ? `-${whole}` : whole;
  } catch {
    return undefined;
  }
}
