// Several customers in one process, each with answers of its own, with no server: `npx tsx examples/tenants.ts`
import { AsyncLocalStorage } from 'node:async_hooks';
import { createCache } from '../src/index.js'; // in your project: from 'unstale'

// Stands in for your database.
let queries = 0;
async function settingsOf(tenant: string | undefined, page: number) {
  queries++;
  return { tenant, page, text: 'x'.repeat(100) };
}

// What a middleware opens for each request.
const request = new AsyncLocalStorage<string>();

// A read outside of any tenant is an error, and nobody may have more than half of a full memory.
const cache = createCache({
  tenant: () => request.getStore(),
  tenancy: 'required',
  ttl: '5m',
  memory: { maxEntries: 1000, tenantShare: 0.5 },
  stats: { tenants: true },
});
const settings = cache.withCache((page: number) => settingsOf(request.getStore(), page), { name: 'settings' });
const as = (tenant: string, page: number) => request.run(tenant, () => settings(page));

// 1. One key, two answers.
console.log((await as('acme', 1)).tenant, (await as('zeta', 1)).tenant, `${queries} queries`);

// 2. Without a tenant nothing is read.
await settings(1).catch((error: Error) => console.log(error.name));

// 3. A busy customer fills the memory with its own, and pushes out its own.
for (let page = 1; page <= 300; page++) await as('acme', page);
for (let page = 1; page <= 5000; page++) await as('zeta', page);
const before = queries;
for (let page = 1; page <= 300; page++) await as('acme', page);
console.log(`acme reads its 300 pages again: ${queries - before} queries`);

// 4. Counted for each, and cleared for each. A job has no request: it says for whom it works, `cache.runAsTenant` for all in it.
console.log(`hits of acme: ${Math.round(cache.stats().hitRate({ tenant: 'acme' }) * 100)} %`);
await cache.tenant('acme').clear();
const cleared = queries;
await Promise.all([as('acme', 300), as('zeta', 5000)]);
console.log(`after acme was cleared: ${queries - cleared} query`);

await cache.close();
