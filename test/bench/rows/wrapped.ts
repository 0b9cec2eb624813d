import { createCache as createDedupe } from 'async-cache-dedupe';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { Cacheable } from 'cacheable';
import { Loader } from 'layered-loader';
import { LRUCache } from 'lru-cache';
import { createCache } from 'unstale';
import { type Contender, measure, us } from '../harness.js';
import { IdealMemory } from '../ideal.js';
import { atLeast, type Row } from '../row.js';
import { plainRow } from '../samples.js';

/** A call with two arguments, that is: making the key, and a hit. Each in the way its manual recommends. */
export const row: Row = {
  async run(setting) {
    const contenders = [unstale(), ideal(), lruJson(), layered(), dedupe(), bento(), cacheable()];
    for (const { read } of contenders) for (let at = 0; at < 1024; at++) await read(at);
    const { cpu, faster } = await measure(contenders, setting);
    return [
      {
        title: 'wrapped function, 2 arguments',
        unit: 'CPU µs',
        figures: cpu,
        targets: [
          atLeast(1.3, '× lru-cache + JSON', faster('lru-cache + JSON')),
          atLeast(20, '× bentocache', faster('bentocache')),
        ],
      },
    ];
  },
};

const load = async (_tenant: string, page: number) => plainRow(page);
const tenants = ['acme', 'globex', 'initech', 'umbrella'];
const tenantAt = (at: number) => tenants[at & 3] as string;
const pageAt = (at: number) => at & 1023;

function unstale(): Contender {
  const cache = createCache({ ttl: '1h' });
  const cached = cache.withCache(load, { name: 'load' });
  return { name: us, read: (at) => cached(tenantAt(at), pageAt(at)), close: () => cache.close() };
}

function ideal(): Contender {
  const cache = new IdealMemory();
  const cached = (tenant: string, page: number) =>
    cache.get(`load['${tenant.length}:${tenant}${page};`, [], () => load(tenant, page));
  return { name: 'ideal', read: (at) => cached(tenantAt(at), pageAt(at)), close: () => cache.close() };
}

function lruJson(): Contender {
  const cache = new LRUCache<string, object>({ max: 10_000 });
  const cached = async (tenant: string, page: number) => {
    const key = JSON.stringify([tenant, page]);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const value = await load(tenant, page);
    cache.set(key, value);
    return value;
  };
  return { name: 'lru-cache + JSON', read: (at) => cached(tenantAt(at), pageAt(at)) };
}

function layered(): Contender {
  type Params = { tenant: string; page: number };
  const loader = new Loader<object, Params>({
    inMemoryCache: { cacheType: 'lru-map', ttlInMsecs: 3_600_000, maxItems: 10_000 },
    cacheKeyFromLoadParamsResolver: ({ tenant, page }) => `${tenant}:${page}`,
    dataSourceGetOneFn: (({ tenant, page }: Params) => load(tenant, page)) as never,
  });
  return { name: 'layered-loader', read: (at) => loader.get({ tenant: tenantAt(at), page: pageAt(at) }) };
}

function dedupe(): Contender {
  type Params = { tenant: string; page: number };
  const cache = createDedupe({ ttl: 3600, storage: { type: 'memory', options: { size: 10_000 } } }).define(
    'load',
    ({ tenant, page }: Params) => load(tenant, page),
  );
  return { name: 'async-cache-dedupe', read: (at) => cache.load({ tenant: tenantAt(at), page: pageAt(at) }) };
}

function bento(): Contender {
  const cache = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) },
    ttl: '1h',
  });
  const cached = (tenant: string, page: number) =>
    cache.getOrSet({ key: `load:${tenant}:${page}`, factory: () => load(tenant, page) });
  return {
    name: 'bentocache',
    read: (at) => cached(tenantAt(at), pageAt(at)),
    close: () => cache.disconnectAll(),
  };
}

function cacheable(): Contender {
  const cache = new Cacheable({ ttl: '1h' });
  const cached = cache.wrap(load, { ttl: '1h', keyPrefix: 'load' });
  return { name: 'cacheable', read: (at) => cached(tenantAt(at), pageAt(at)), close: () => cache.disconnect() };
}
