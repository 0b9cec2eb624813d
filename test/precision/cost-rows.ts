import Knex, { type Knex as Instance } from 'knex';
import { withCache } from '../../adapters/knex/index.js';
import { type Cache, createCache } from '../../src/index.js';
import { type Contender, type Effort, measure } from '../bench/harness.js';

const { url, ...effort } = JSON.parse(process.argv[2] as string) as Effort & { url: string };

/**
 * PostgreSQL, whose answer to the query that is measured is played back: the driver and the server cost many times more
 * than all that is measured here, and never the same. All else is asked for in earnest.
 */
const Pg = Knex({ client: 'pg' }).client.constructor as new () => {
  _query(connection: unknown, query: Sent): Promise<Sent>;
};

class Replayed extends Pg {
  override async _query(connection: unknown, query: Sent): Promise<Sent> {
    if (!query.sql.startsWith('select * from "contacts"')) return super._query(connection, query);
    query.response = { command: 'SELECT', rowCount: 1, oid: null, rows: [rowOf(query.bindings[0])], fields };
    return query;
  }
}

interface Sent {
  readonly sql: string;
  readonly bindings: readonly unknown[];
  response?: unknown;
}

const fields = ['id', 'tenant_id', 'name', 'phone'].map((name) => ({ name, dataTypeID: 23 }));
const rowOf = (id: unknown) => ({ id, tenant_id: 7, name: 'Ada Lovelace', phone: '+4912345678' });
const open = () =>
  Knex({ client: Replayed as unknown as typeof Instance.Client, connection: url, pool: { min: 1, max: 1 } });

const admin = Knex({ client: 'pg', connection: url });
await admin.schema.dropTableIfExists('contacts');
await admin.schema.createTable('contacts', (table) => {
  table.integer('id').primary();
  table.integer('tenant_id');
  table.string('name');
  table.string('phone');
});

const closing: (() => Promise<unknown>)[] = [() => admin.destroy()];
const bare = open();
closing.push(() => bare.destroy());

function aCache(): Cache {
  const cache = createCache({ ttl: '1h', memory: { maxEntries: 2048 } });
  closing.unshift(() => cache.close());
  return cache;
}

/** A wrapped instance that knows its catalogue, and its cache. */
async function wrapped(): Promise<{ cache: Cache; knex: Instance }> {
  const cache = aCache();
  const knex = withCache(open(), { cache, tenant: 'tenant_id' });
  closing.unshift(() => knex.destroy());
  await knex('contacts').where({ id: 1 });
  return { cache, knex };
}

const ask = (knex: Instance, id: number) => knex('contacts').where({ id }).first();
const contender = (name: string, read: Contender['read']): Contender => ({ name, read });

/** Among many, so that each read of one that was not read before is a miss. */
let id = 0;
const off = await wrapped();
const inLoad = await wrapped();
const through = await wrapped();
const plain = aCache();
const hits = await wrapped();
const byKey = aCache();
const hot = 1024;
for (let at = 0; at < hot; at++) {
  await ask(hits.knex, at).cache('1h');
  await byKey.getOrSet({ key: ['contact', at], load: async () => rowOf(at) });
}

const { cpu } = await measure(
  [
    contender('bare', (at) => ask(bare, at)),
    contender('wrapped', (at) => ask(off.knex, at)),
    contender('cache, bare', () => load(plain, bare)),
    contender('cache, wrapped', () => load(inLoad.cache, inLoad.knex)),
    contender('.cache(), miss', () => ask(through.knex, ++id).cache('1h')),
    contender('.cache(), hit', (at) => ask(hits.knex, at & (hot - 1)).cache('1h')),
    contender('getOrSet, hit', (at) =>
      byKey.getOrSet({ key: ['contact', at & (hot - 1)], load: async () => rowOf(at) }),
    ),
    contender('toSQL', (at) =>
      ask(bare, at & (hot - 1))
        .toSQL()
        .toNative(),
    ),
  ],
  { ...effort, profile: false },
);

function load(cache: Cache, knex: Instance): Promise<unknown> {
  const own = ++id;
  return cache.getOrSet({ key: ['contact', own], load: async () => ask(knex, own) });
}

const of = (name: string) => cpu[name] as number;
const us = (value: number) => `${value.toFixed(1)} µs`;
for (const name of Object.keys(cpu)) console.log(`${name.padEnd(16)} ${us(of(name)).padStart(10)}`);
const missed = of('.cache(), miss') - of('bare');
const loaded = of('cache, wrapped') - of('bare');
let isMet = true;
const say = (text: string, value: number, bound?: number) => {
  isMet &&= bound === undefined || value <= bound;
  const target = bound === undefined ? '' : `  target ${us(bound)}${value <= bound ? '' : '  MISSED'}`;
  console.log(`${text.padEnd(60)} ${us(value).padStart(10)}${target}`);
};
console.log();
say('a query through the wrapped instance, caching off', of('wrapped') - of('bare'), 20);
say('a miss of .cache(); 5 % of a query of 1 ms', missed, 50);
say('a miss of getOrSet with one query in it', loaded, 50);
say('of that, what its query is collected for', of('cache, wrapped') - of('cache, bare'));
say('a hit of .cache()', of('.cache(), hit'));
say('of that, building and compiling the query', of('toSQL'));
say('a hit of getOrSet', of('getOrSet, hit'));

if (effort.profile)
  await measure(
    [
      contender('unstale: wrapped', (at) => ask(off.knex, at)),
      contender('unstale: cache, wrapped', () => load(inLoad.cache, inLoad.knex)),
      contender('unstale: .cache(), miss', () => ask(through.knex, ++id).cache('1h')),
      contender('unstale: .cache(), hit', (at) => ask(hits.knex, at & (hot - 1)).cache('1h')),
    ],
    effort,
  );
for (const close of closing) await close();
process.exit(isMet || effort.ms < 10 ? 0 : 1);
