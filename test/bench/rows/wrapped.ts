import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { Cacheable } from 'cacheable';
import { Loader } from 'layered-loader';
import { LRUCache } from 'lru-cache';
import { createCache } from 'unstale';
import { type Contender, measure, us } from '../harness.js';
import { IdealMemory } from '../ideal.js';
import { atLeast, type Outcome, type Row } from '../row.js';
import { plainRow } from '../samples.js';

type Filter = number | { readonly page: number; readonly sort: string; readonly status: string };
interface Call {
  readonly title: string;
  filterAt(at: number): Filter;
  /** The key, where the caller has to write it. */
  key(tenant: string, filter: Filter): string;
}

/** Two arguments: a text and a number, and a text and an object. */
const calls: readonly Call[] = [
  { title: 'text and number', filterAt: (at) => at & 1023, key: (tenant, page) => `${tenant}:${page}` },
  {
    title: 'text and object',
    filterAt: (at) => ({ page: at & 1023, sort: 'name', status: 'active' }),
    key: (tenant, filter) => {
      const { page, sort, status } = filter as Exclude<Filter, number>;
      return `${tenant}:${page}:${sort}:${status}`;
    },
  },
];

/** A call of a cached function, that is: making the key, and a hit. Each in the way its manual recommends. */
export const row: Row = {
  async run(setting) {
    const outcomes: Outcome[] = [];
    for (const call of calls) {
      const contenders = [unstale, ideal, lruJson, layered, dedupe, bento, cacheable].map((make) => make(call));
      for (const { read } of contenders) for (let at = 0; at < 1024; at++) await read(at);
      const { cpu, faster } = await measure(contenders, setting);
      outcomes.push({
        title: `wrapped function, ${call.title}`,
        unit: 'CPU µs',
        figures: cpu,
        targets: [
          atLeast(1.3, '× lru-cache + JSON', faster('lru-cache + JSON')),
          atLeast(20, '× bentocache', faster('bentocache')),
        ],
      });
    }
    return outcomes;
  },
};

const load = async (tenant: string, filter: Filter) => ({ ...plainRow(7), tenant, filter });
const tenants = ['acme', 'globex', 'initech', 'umbrella'];
const tenantAt = (at: number) => tenants[at & 3] as string;

function unstale({ filterAt }: Call): Contender {
  const cache = createCache({ ttl: '1h' });
  const cached = cache.withCache(load, { name: 'load' });
  return { name: us, read: (at) => cached(tenantAt(at), filterAt(at)), close: () => cache.close() };
}

function ideal({ filterAt, key }: Call): Contender {
  const cache = new IdealMemory();
  const cached = (tenant: string, filter: Filter) => cache.get(key(tenant, filter), [], () => load(tenant, filter));
  return { name: 'ideal', read: (at) => cached(tenantAt(at), filterAt(at)), close: () => cache.close() };
}

function lruJson({ filterAt }: Call): Contender {
  const cache = new LRUCache<string, object>({ max: 10_000 });
  const cached = async (tenant: string, filter: Filter) => {
    const key = JSON.stringify([tenant, filter]);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const value = await load(tenant, filter);
    cache.set(key, value);
    return value;
  };
  return { name: 'lru-cache + JSON', read: (at) => cached(tenantAt(at), filterAt(at)) };
}

function layered({ filterAt, key }: Call): Contender {
  type Params = { tenant: string; filter: Filter };
  const loader = new Loader<object, Params>({
    inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: 3_600_000, maxItems: 10_000 },
    cacheKeyFromLoadParamsResolver: ({ tenant, filter }) => key(tenant, filter),
    dataSourceGetOneFn: (({ tenant, filter }: Params) => load(tenant, filter)) as never,
  });
  return { name: 'layered-loader', read: (at) => loader.get({ tenant: tenantAt(at), filter: filterAt(at) }) };
}

function dedupe({ filterAt }: Call): Contender {
  type Params = { tenant: string; filter: Filter };
  const cache = createDedupe({ ttl: 3600, storage: { type: 'memory', options: { size: 10_000 } } }).define(
    'load',
    ({ tenant, filter }: Params) => load(tenant, filter),
  );
  return { name: 'async-cache-dedupe', read: (at) => cache.load({ tenant: tenantAt(at), filter: filterAt(at) }) };
}

function bento({ filterAt, key }: Call): Contender {
  const cache = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) },
    ttl: '1h',
  });
  const cached = (tenant: string, filter: Filter) =>
    cache.getOrSet({ key: key(tenant, filter), factory: () => load(tenant, filter) });
  return {
    name: 'bentocache',
    read: (at) => cached(tenantAt(at), filterAt(at)),
    close: () => cache.disconnectAll(),
  };
}

function cacheable({ filterAt }: Call): Contender {
  const cache = new Cacheable({ ttl: '1h' });
  const cached = cache.wrap(load, { ttl: '1h', keyPrefix: 'load' });
  return { name: 'cacheable', read: (at) => cached(tenantAt(at), filterAt(at)), close: () => cache.disconnect() };
}
