import type { Cache } from '../../src/index.js';
import type { AdapterClient, AdapterDriver, AdapterRow } from '../../src/testing/adapter-contract.js';
import type { For, Idiomatic } from './idioms.js';
import type { Random } from './random.js';
import { aRead } from './statements.js';
import type { Said } from './values.js';

export interface Actor {
  readonly client: AdapterClient;
  readonly cache: Cache;
}

/** Something that is asked in several ways: one statement, values inside of a value, or a list by keys. */
export type Question =
  | { readonly how: 'through'; readonly said: Said }
  | { readonly how: 'load'; readonly said: Said }
  | { readonly how: 'nested'; readonly parts: readonly Question[] }
  | { readonly how: 'many'; readonly ids: readonly number[] };

export function aQuestion(random: Random, driver: AdapterDriver, depth = 0): Question {
  const how = random.pick({ through: 5, load: 4, nested: depth < 2 ? 2 : 0, many: 1 });
  if (how === 'nested')
    return { how, parts: Array.from({ length: 1 + random.below(3) }, () => aQuestion(random, driver, depth + 1)) };
  if (how === 'many') return { how, ids: Array.from({ length: 1 + random.below(4) }, () => 1 + random.below(8)) };
  return { how, said: aRead(random, driver.dialect) };
}

/** The answer by way of the cache. */
export async function ask({ client, cache }: Actor, question: Question): Promise<unknown> {
  const { how } = question;
  if (how === 'through') return answerTo(client, question.said);
  const ttl = '1h';
  const key = [how, nameOf(question)];
  if (how === 'load') return cache.getOrSet({ key, ttl, load: () => answerTo(client, question.said, false) });
  if (how === 'nested')
    return cache.getOrSet({
      key,
      ttl,
      async load() {
        // A connection of a transaction takes one statement at a time.
        if ('handle' in client) return oneByOne(question.parts, (part) => ask({ client, cache }, part));
        return Promise.all(question.parts.map((part) => ask({ client, cache }, part)));
      },
    });
  return cache.getOrSetMany({
    inputs: question.ids,
    key: (id) => ['account', id],
    ttl,
    load: async (missing) => {
      const { sql, params } = byIds(missing);
      return inOrder(missing, await client.read(sql, params, false));
    },
  });
}

/** Reads in words of the client's own, if it has some; then the twin is what it reads by SQL. */
function answerTo(client: Idiomatic, { sql, params, own }: Said, per?: For): Promise<unknown> {
  if (own && client.idioms) return own(client.idioms(per));
  return own && client.prepared ? client.prepared(sql, params, per) : client.read(sql, params, per);
}

/** Writes in words of the client's own, if it has some. */
export function tell(client: Idiomatic, { sql, params, own }: Said): Promise<unknown> {
  return own && client.idioms ? own(client.idioms()) : client.write(sql, params);
}

/** The same without one. */
export async function answer(question: Question, read: (said: Said) => Promise<AdapterRow[]>): Promise<unknown> {
  const { how } = question;
  if (how === 'nested') return oneByOne(question.parts, (part) => answer(part, read));
  if (how === 'many') return inOrder(question.ids, await read(byIds(question.ids)));
  return read(question.said);
}

async function oneByOne<T>(all: readonly T[], fn: (one: T) => Promise<unknown>): Promise<unknown[]> {
  const done: unknown[] = [];
  for (const one of all) done.push(await fn(one));
  return done;
}

function byIds(ids: readonly number[]): Said {
  return { sql: `select id, name from accounts where id in (${ids.map(() => '?').join(', ')})`, params: ids };
}

function inOrder(ids: readonly number[], rows: readonly AdapterRow[]): unknown[] {
  return ids.map((id) => rows.find((row) => row.id === id) ?? null);
}

export function nameOf(question: Question): string {
  if (question.how === 'nested') return `nested(${question.parts.map(nameOf).join('; ')})`;
  if (question.how === 'many') return `many(${question.ids.join(', ')})`;
  return `${question.how}(${text(question.said)})`;
}

export function text({ sql, params, own }: Said): string {
  const words = own ? `in own words: ${sql}` : sql;
  return params.length === 0 ? words : `${words} ${JSON.stringify(params)}`;
}

/** Lists of rows in one order: nobody asked for another, and `limit` has its own. */
export function canonical(value: unknown): unknown {
  if (!Array.isArray(value)) return sorted(value);
  const texts = value.map((one) => JSON.stringify(canonical(one), (_, it) => (typeof it === 'bigint' ? `${it}n` : it)));
  return value.every((one) => one !== null && typeof one === 'object' && !Array.isArray(one)) ? texts.sort() : texts;
}

/** A row with its columns in one order. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
