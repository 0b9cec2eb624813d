import { createHash } from 'node:crypto';
import { type Dependency, makeDependency as make } from './core/dependency.js';
import { expected } from './core/errors.js';
import { encodeKey, type KeyPart } from './values/index.js';

/** Row ids share this many tags in each table, so that tags stay bounded; a collision costs a load. */
const buckets = 2 ** 20;

/**
 * Rows of a table, for jobs and code that no adapter watches: `cache.invalidate(table('orders', { id: 7 }))`.
 *
 * @param name - as the database writes it: `'orders'`, `'sales.orders'`
 * @param where - `id`: one primary key or a list of them; `tenant`: the value of the tenant column. Without it, all rows
 * @throws TypeError when `name` is no text, or `where` has neither
 */
export function table(name: string, where?: { id?: KeyPart | readonly KeyPart[]; tenant?: KeyPart }): Dependency {
  if (typeof name !== 'string' || name === '') throw expected('name', 'the name of a table', name);
  const whole = `table:${name}`;
  if (where === undefined) return make([whole], [whole, `${whole}!rows`, `${whole}!tenants`]);
  const unknown = Object.keys(where).find((key) => key !== 'id' && key !== 'tenant');
  if (unknown !== undefined || (where.id === undefined && where.tenant === undefined))
    throw expected('where', '{ id } or { tenant }, or both', where);
  const ids =
    where.id === undefined
      ? []
      : (Array.isArray(where.id) ? where.id : [where.id]).map((id) => `${whole}#${rowBucket(id)}`);
  const tenant = where.tenant === undefined ? undefined : `${whole}@${encodeKey([canonical(where.tenant)])}`;
  // A row narrows further than its tenant. It may not be there yet: whoever inserts it names it, or names the table.
  const reads = ids.length > 0 ? [...ids, `${whole}!rows`] : [tenant as string, `${whole}!tenants`];
  return make(reads, [whole, ...(ids.length > 0 ? ids : [`${whole}!rows`]), tenant ?? `${whole}!tenants`]);
}

function rowBucket(id: KeyPart): number {
  const digest = createHash('sha256')
    .update(encodeKey([canonical(id)]))
    .digest();
  return digest.readUInt32BE(0) % buckets;
}

/** One form for all that a database may take for the same id: coarser than any collation, so that nothing is missed. */
function canonical(id: KeyPart): KeyPart {
  if (Array.isArray(id)) return id.map(canonical);
  if (typeof id !== 'string' && typeof id !== 'number' && typeof id !== 'bigint') return id;
  const text = String(id).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim();
  return /^[+-]?\d+(\.\d+)?$/.test(text) ? numeric(text) : text;
}

function numeric(text: string): string {
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.');
  const decimals = fraction.replace(/0+$/, '');
  const digits = `${whole.replace(/^0+(?=\d)/, '')}${decimals === '' ? '' : `.${decimals}`}`;
  return text.startsWith('-') && digits !== '0' ? `-${digits}` : digits;
}
