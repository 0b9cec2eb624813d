import { AsyncLocalStorage } from 'node:async_hooks';
import Knex, { type Knex as Instance } from 'knex';
import { withCache } from '../../../adapters/knex/index.js';
import { redisStore } from '../../../adapters/redis/index.js';
import { type Cache, createCache, type Mode } from '../../../src/index.js';
import type { Random } from '../../transparency/random.js';

export interface ShopOptions {
  readonly postgres: string;
  readonly redis: string;
  readonly name: string;
  readonly mode?: Mode;
  /** Whether the app has a tag that was forgotten, and a function whose key leaves something out. @defaultValue false */
  readonly planted?: boolean;
  /** Milliseconds. @defaultValue 1_000 */
  readonly ackTimeout?: number;
}

/** A small service over a cache that audits each of its hits. */
export interface Shop {
  readonly cache: Cache;
  /** Milliseconds after which each difference is explained or told. */
  readonly patience: number;
  /** One of the things that its users look at. */
  read(random: Random): Promise<unknown>;
  /** One of the things that they change. */
  write(random: Random): Promise<unknown>;
  close(): Promise<void>;
}

export const flaws = { forgottenTag: 'offers', underKeyed: 'greeting' } as const;

const orgs = 12;
const customers = 120;
const orders = 400;
const skus = 40;

/** The tables of the shop, filled. */
export async function createTables(url: string): Promise<void> {
  const knex = Knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } });
  await knex.raw(`
    create table orgs (id int primary key, name text not null);
    create table customers (id int primary key, org_id int not null references orgs, name text not null);
    create table orders (id int primary key, customer_id int not null references customers, org_id int not null,
      state text not null, total int not null);
    create table lines (id serial primary key, order_id int not null references orders on delete cascade,
      sku int not null, quantity int not null);
    create index on orders (customer_id); create index on orders (org_id); create index on lines (order_id);
    create table prices (sku int primary key, cents int not null);
    create table discounts (sku int primary key, percent int not null);
    insert into orgs select i, 'org ' || i from generate_series(1, ${orgs}) i;
    insert into customers select i, 1 + i % ${orgs}, 'customer ' || i from generate_series(1, ${customers}) i;
    insert into orders select i, 1 + i % ${customers}, 1 + (1 + i % ${customers}) % ${orgs}, 'open', i
      from generate_series(1, ${orders}) i;
    insert into lines (order_id, sku, quantity) select 1 + i % ${orders}, 1 + i % ${skus}, 1 from generate_series(1, 800) i;
    insert into prices select i, 100 * i from generate_series(1, ${skus}) i;
    insert into discounts select i, 0 from generate_series(1, ${skus}) i;`);
  await knex.destroy();
}

export function openShop(options: ShopOptions): Shop {
  const { postgres, redis, name, mode = 'on', planted = false, ackTimeout = 1000 } = options;
  const cache = createCache({
    name,
    mode,
    audit: 1,
    ackTimeout,
    ttl: '5m',
    store: redisStore(redis, { timeout: '2s' }),
  });
  const config = { client: 'pg', connection: postgres };
  const db = withCache(Knex({ ...config, pool: { min: 0, max: 8 } }), { cache, tenant: 'org_id' });
  /** Nobody sees what it reads and writes: tags are written by hand. */
  const bare = Knex({ ...config, pool: { min: 0, max: 4 } });
  const reads = Object.values({ ...readsOf(cache, db, bare), ...(planted ? plantedIn(cache, db, bare) : {}) });
  const writes = Object.values(writesOf(cache, db, bare));
  return {
    cache,
    patience: ackTimeout + 1500,
    read: (random) => random.one(reads)(random),
    write: (random) => random.one(writes)(random),
    async close() {
      await Promise.all([db.destroy(), bare.destroy()]);
      await cache.close();
    },
  };
}

type Deed = (random: Random) => Promise<unknown>;

/** Some are asked for more often than others. */
const some = (random: Random, count: number) => Math.floor((count + 1) ** random.next());

function readsOf(cache: Cache, db: Instance, bare: Instance): Record<string, Deed> {
  const customer = (id: number) => db('customers').where({ id }).first().cache('5m');
  const page = cache.withCache(
    async (id: number) => {
      const who = await customer(id);
      const all = await db('orders').where({ customer_id: id }).orderBy('id');
      return { who, all, lines: await Promise.all(all.slice(0, 3).map((order) => lines.load(order.id))) };
    },
    { name: 'page' },
  );
  const lines = cache.batch({
    name: 'lines',
    load: (ids: readonly number[]) => db('lines').whereIn('order_id', ids).orderBy('id'),
    ...{ by: 'order_id', many: true, apart: true },
  });
  const price = (sku: number) =>
    cache.getOrSet({
      key: ['price', sku],
      tags: [`price ${sku}`, 'discounts'],
      load: async () => {
        const [{ cents }, { percent }] = await Promise.all([
          bare('prices').where({ sku }).first('cents'),
          bare('discounts').where({ sku }).first('percent'),
        ]);
        return { cents: (cents * (100 - percent)) / 100 };
      },
    });
  return {
    customer: (random) => customer(some(random, customers)),
    orderOf: (random) =>
      db('orders')
        .where({ id: some(random, orders) })
        .first()
        .cache('5m'),
    page: (random) => page(some(random, customers)),
    lines: (random) => lines.load(some(random, orders)),
    price: (random) => price(some(random, skus)),
    totals: (random) =>
      db('orders')
        .where({ org_id: some(random, orgs) })
        .groupBy('state')
        .orderBy('state')
        .select('state', db.raw('count(*) as orders, sum(total) as total'))
        .cache('5m'),
    joined: (random) =>
      db('customers as c')
        .join('orders as o', 'o.customer_id', 'c.id')
        .where('c.id', some(random, customers))
        .orderBy('o.id')
        .select('c.name', 'o.id', 'o.state')
        .cache('5m'),
    names: (random) =>
      cache.getOrSetMany({
        inputs: [some(random, customers), some(random, customers), some(random, customers)],
        key: (id) => ['name', id],
        load: async (ids) => {
          const rows = await db('customers').whereIn('id', ids).select('id', 'name');
          return ids.map((id) => rows.find((row) => row.id === id)?.name);
        },
      }),
  };
}

function writesOf(cache: Cache, db: Instance, bare: Instance): Record<string, Deed> {
  const word = (random: Random) => random.below(2 ** 30).toString(36);
  const order = (random: Random) => some(random, orders);
  return {
    rename: (random) =>
      db('customers')
        .where({ id: some(random, customers) })
        .update({ name: word(random) }),
    advance: (random) =>
      db('orders')
        .where({ id: order(random) })
        .update({ state: random.one(['open', 'paid', 'sent']) }),
    add: (random) =>
      db('lines').insert({ order_id: order(random), sku: some(random, skus), quantity: random.below(9) }),
    drop: (random) =>
      db.raw('delete from lines where id = (select min(id) from lines where order_id = ?)', [order(random)]),
    pay: (random) =>
      db.transaction(async (trx) => {
        const id = order(random);
        await trx('orders')
          .where({ id })
          .update({ total: random.below(1000) });
        await trx('lines')
          .where({ order_id: id })
          .update({ quantity: random.below(9) });
      }),
    regret: (random) =>
      db
        .transaction(async (trx) => {
          await trx('orders')
            .where({ id: order(random) })
            .update({ total: random.below(1000) });
          await trx
            .transaction(async (inner) => {
              await inner('customers')
                .where({ id: some(random, customers) })
                .update({ name: word(random) });
              throw new Regret();
            })
            .catch(forgiven);
          if (random.chance(0.5)) throw new Regret();
        })
        .catch(forgiven),
    price: async (random) => {
      const sku = some(random, skus);
      await bare('prices')
        .where({ sku })
        .update({ cents: random.below(10_000) });
      await cache.invalidate(`price ${sku}`);
    },
    discount: async (random) => {
      await bare('discounts')
        .where({ sku: some(random, skus) })
        .update({ percent: random.below(50) });
      await cache.invalidate('discounts');
    },
  };
}

class Regret extends Error {}

function forgiven(error: unknown): void {
  if (!(error instanceof Regret)) throw error;
}

/** What is wrong with many a service. */
function plantedIn(cache: Cache, db: Instance, bare: Instance): Record<string, Deed> {
  const whose = new AsyncLocalStorage<number>();
  const greeting = cache.withCache(async () => db('orgs').where({ id: whose.getStore() }).first('name'), {
    name: flaws.underKeyed,
  });
  return {
    offers: (random) => {
      const sku = some(random, skus);
      return cache.getOrSet({
        key: [flaws.forgottenTag, sku],
        // It should say 'discounts' too.
        tags: [`price ${sku}`],
        load: async () => [await bare('prices').where({ sku }).first(), await bare('discounts').where({ sku }).first()],
      });
    },
    greeting: (random) => whose.run(some(random, orgs), greeting),
  };
}
