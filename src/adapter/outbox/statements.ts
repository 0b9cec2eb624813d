import { randomUUID } from 'node:crypto';
import type { Dialect } from '../../sql/index.js';
import type { Row } from '../types.js';

/** Rows of the outbox as they come out of it. */
export interface Sent {
  readonly id: string;
  readonly tags: readonly string[];
}

/**
 * What is said to the outbox, in each dialect. Every value is written as hexadecimal digits, so that no mode of the
 * server and no character set has a say in it, and each statement is one round trip: a row's id is made here.
 */
export interface Statements {
  insert(id: string, tags: readonly string[]): string;
  /** Whether there is any row older than so many milliseconds, by the database's clock. */
  anyOlder(ms: number): string;
  /** What begins a transaction in which nothing is locked but the rows that are taken. */
  readonly begin: readonly string[];
  /** Takes rows that are older, and that nobody else has taken. */
  take(ms: number): string;
  remove(ids: readonly string[]): string;
}

/** Rows that are taken at a time. */
export const most = 500;

/** By time, so that new ones are neighbours in the index; and unique whoever else makes one at the same time. */
export function newId(): string {
  return Date.now().toString(16).padStart(12, '0') + randomUUID().replaceAll('-', '').slice(12);
}

/**
 * @param cache - the name of the cache: what others have changed is none of its business
 * @param table - what the outbox is called on the connection
 */
export function statementsFor(name: Dialect['name'], cache: string, table = 'unstale_outbox'): Statements {
  const { id, at, text, older, key, lock, begin } = dialects[name];
  const mine = `cache = '${cache}'`;
  return {
    insert: (own, tags) =>
      `insert into ${table} (id, cache, at, tags) values (${id(own)}, '${cache}', ${at}, ${text(hexOf(tags))})`,
    anyOlder: (ms) => `select 1 as found from ${table} where ${mine} and at < ${older(ms)} limit 1`,
    begin,
    take: (ms) =>
      `select ${key} as id, tags from ${table} where ${mine} and at < ${older(ms)} order by unstale_outbox.id limit ${most}${lock}`,
    remove: (ids) => `delete from ${table} where id in (${ids.map(id).join(', ')})`,
  };
}

export function sentIn(rows: readonly Row[]): Sent[] {
  return rows.map(({ id, tags }) => ({ id: String(id), tags: JSON.parse(String(tags)) }));
}

function hexOf(tags: readonly string[]): string {
  return Buffer.from(JSON.stringify(tags)).toString('hex');
}

interface Words {
  readonly at: string;
  /** An id as text. */
  readonly key: string;
  readonly lock: string;
  readonly begin: readonly string[];
  id(hex: string): string;
  text(hex: string): string;
  older(ms: number): string;
}

/** MySQL locks what it looks at, and the gaps where others insert, unless it may read what is committed. */
const dialects: Readonly<Record<Dialect['name'], Words>> = {
  postgres: {
    at: 'clock_timestamp()',
    key: 'id::text',
    lock: ' for update skip locked',
    begin: ['begin isolation level read committed'],
    id: (hex) => `'${hex}'`,
    text: (hex) => `convert_from(decode('${hex}', 'hex'), 'UTF8')`,
    older: (ms) => `clock_timestamp() - interval '${ms} milliseconds'`,
  },
  mysql: {
    at: 'utc_timestamp(3)',
    key: 'lower(hex(id))',
    lock: ' for update skip locked',
    begin: ['set transaction isolation level read committed', 'begin'],
    id: (hex) => `x'${hex}'`,
    text: (hex) => `convert(x'${hex}' using utf8mb4)`,
    older: (ms) => `utc_timestamp(3) - interval ${ms * 1000} microsecond`,
  },
  sqlite: {
    at: `julianday('now')`,
    key: 'lower(hex(id))',
    lock: '',
    begin: [],
    id: (hex) => `x'${hex}'`,
    text: (hex) => `cast(x'${hex}' as text)`,
    older: (ms) => `julianday('now') - ${ms} / 86400000.0`,
  },
};
