import Knex, { type Knex as Instance } from 'knex';
import { withCache } from '../../adapters/knex/index.js';
import { type Cache, createCache } from '../../src/index.js';
import { type Contender, type Effort, measure } from '../bench/harness.js';

const { url, ...effort } = JSON.parse(process.argv[2] as string) as Effort & { url: string };

/**
 * PostgreSQL, whose answer to the query that is measured is played back: the driver and the server cost many times more
 * than all that is measured here, and never the same. All else is asked for in earnest.
 */
class Replayed extends (Knex({ client: 'pg' }).client.constructor as typeof Instance.Client) {
  async _query(connection: unknown, query: { sql: string; bindings: unknown[]; response?: unknown }) {
    if (!query.sql.startsWith('select * from "contacts"')) return super._query(connection, query);
    query.response = { command: 'SELECT', rowCount: 1, oid: null, rows: [rowOf(query.bindings[0])], fields };
    return query;
  }
}

const fields = ['id', 'tenant_id', 'name', 'phone'].map((name) => ({ name, dataTypeID: 23 }));
const rowOf = (id: unknown) => ({ id, tenant_id: 7, name: 'Ada Lovelace', phone: '+4912345678' });
const open = () => Knex({ client: Replayed, connection: url, pool: { min: 1, max: 1 } });

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

function load(cache: Cache, knex: Instance): Promise<unknown> {
  const own = ++id;
  return cache.getOrSet({ key: ['contact', own], load: async () => ask(knex, own) });
}


const { Session } = await import('node:inspector/promises');
const { writeFileSync } = await import('node:fs');
const session = new Session();
session.connect();
for (let n = 0; n < 20000; n++) await ask(through.knex, ++id).cache('1h');
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: 250 });
await session.post('Profiler.start');
const c0 = process.cpuUsage();
for (let n = 0; n < 20000; n++) await ask(through.knex, ++id).cache('1h');
const c1 = process.cpuUsage(c0);
console.log('per miss µs', (c1.user + c1.system) / 20000);
const { profile } = await session.post('Profiler.stop');
writeFileSync('/tmp/miss.cpuprofile', JSON.stringify(profile));
const c2 = process.cpuUsage();
for (let n = 0; n < 20000; n++) await load(inLoad.cache, inLoad.knex);
const c3 = process.cpuUsage(c2);
console.log('per load µs', (c3.user + c3.system) / 20000);
process.exit(0);
