import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { type Cache, createCache } from '../../src/index.js';
import { shop } from '../../src/testing/adapter/shop.js';
import { type Contender, type Effort, measure } from '../bench/harness.js';
import { mysqlServer } from '../contract/adapters/mysql-server.js';
import { postgresServer } from '../contract/adapters/postgres-server.js';
import type { LibraryClient } from '../support/libraries.js';
import { libraries } from '../support/libraries-by-server.js';
import { Replayed, replay } from './replayed.js';

// What every adapter adds to a look-up of its library, beside what the library takes itself. With `--write`, the page.

interface Setting extends Effort {
  readonly postgres?: string;
  readonly mysql?: string;
  /** Where the page goes. */
  readonly page?: string;
}

const { postgres, mysql, page, ...effort } = JSON.parse(process.argv[2] as string) as Setting;

/** µs that a query through a wrapped client may cost more, and a miss: 5 % of a query of 1 ms. */
const bounds = { uncached: 20, miss: 50 };

interface Row {
  readonly name: string;
  readonly bare: number;
  readonly uncached: number;
  readonly miss: number;
  readonly loaded: number;
  readonly hit: number;
}

const rows: Row[] = [];
if (postgres !== undefined) {
  const place = await (await postgresServer(postgres)).make(shop);
  const at = { config: place.config, max: 1, Client: Replayed };
  for (const library of libraries.postgres) rows.push(await rowOf(library.name, (wrap) => library.open(at, wrap)));
  await place.drop();
}
if (mysql !== undefined) {
  const place = await (await mysqlServer(mysql)).make(shop);
  const [itself] = libraries.mysql;
  rows.push(
    await rowOf('mysql2', async (wrap) => {
      const client = await (itself as NonNullable<typeof itself>).open({ config: place.config, max: 1 }, wrap);
      replay(client.parts[1]);
      return client;
    }),
  );
  await place.drop();
}

async function rowOf(
  name: string,
  open: (wrap?: { cache: Cache; default?: '1h' }) => Promise<LibraryClient>,
): Promise<Row> {
  const caches: Cache[] = [];
  const clients: LibraryClient[] = [];
  const known = async (wrap?: { default?: '1h' }) => {
    const cache = createCache({ ttl: '1h', memory: { maxEntries: 2048 } });
    caches.push(cache);
    const client = await open(wrap && { cache, ...wrap });
    clients.push(client);
    for (const id of [1, 2]) await client.find(id);
    return { client, cache };
  };
  const [bare, off, through, inLoad, hits] = [
    await known(),
    await known({}),
    await known({ default: '1h' }),
    await known({}),
    await known({ default: '1h' }),
  ];
  const hot = 1024;
  for (let id = 1; id <= hot; id++) await hits.client.find(id);
  let id = hot;
  const contender = (name: string, read: Contender['read']): Contender => ({ name, read });
  const { cpu } = await measure(
    [
      contender('bare', (at) => bare.client.find(at)),
      contender('uncached', (at) => off.client.find(at)),
      contender('miss', () => through.client.find(++id)),
      contender('loaded', () => {
        const own = ++id;
        return inLoad.cache.getOrSet({ key: ['account', own], load: () => inLoad.client.find(own) });
      }),
      contender('hit', (at) => hits.client.find(1 + (at & (hot - 1)))),
    ],
    effort,
  );
  for (const client of clients) await client.close();
  for (const cache of caches) await cache.close();
  const row = { name, ...cpu } as unknown as Row;
  console.log(lineOf(row));
  return row;
}

function lineOf({ name, bare, uncached, miss, loaded, hit }: Row): string {
  const us = (value: number) => value.toFixed(1);
  const more = (value: number, bound?: number) => {
    const isMissed = bound !== undefined && value - bare > bound;
    return `${us(value - bare)}${isMissed ? ' (missed)' : ''} | ${(value / bare).toFixed(2)}`;
  };
  const cells = [
    name,
    us(bare),
    more(uncached, bounds.uncached),
    more(miss, bounds.miss),
    more(loaded, bounds.miss),
    us(hit),
  ];
  return `| ${[...cells, (bare / hit).toFixed(1)].join(' | ')} |`;
}

const isMet = rows.every(
  ({ bare, uncached, miss, loaded }) =>
    uncached - bare <= bounds.uncached && Math.max(miss, loaded) - bare <= bounds.miss,
);
if (page !== undefined)
  writeFileSync(
    join(page),
    `# What an adapter costs

By \`npx tsx test/precision/cost.ts --adapters --write\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model.trim()},
load ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores, seed ${effort.seed}, medians of ${effort.rounds} rounds of ${effort.ms} ms.

CPU µs of this process for the look-up of one row by its key, in each library's own way. The driver's answer is played
back: what is left is the library, and what the adapter adds. *Uncached*: through a wrapped client that caches nothing; at
most ${bounds.uncached} µs more. *Miss*: read through and kept; *load*: the query in a load of \`getOrSet\`; at most ${bounds.miss} µs more, which is 5 % of
a query that takes 1 ms. × is the ratio to bare; of a hit, how many times less it takes than bare, which has no server here.

| adapter | bare | uncached: + | × | miss: + | × | load: + | × | hit | × |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.map(lineOf).join('\n')}
`,
  );
process.exit(isMet || effort.ms < 10 ? 0 : 1);
