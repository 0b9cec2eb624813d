import { createCache, type Store } from '../../src/index.js';
import { shop } from '../../src/testing/adapter/shop.js';
import type { AdapterDriver, AdapterRules } from '../../src/testing/adapter-contract.js';
import { memoryStore } from '../../src/testing/index.js';
import type { Stage } from './program.js';
import type { Actor } from './questions.js';

/** Rules under which programs are played; each of them changes which tags there are. */
export const rules: readonly AdapterRules[] = [
  { default: '1h' },
  { default: '1h', tenant: 'org' },
  { default: '1h', tenant: 'org', tables: { accounts: { ignoreColumns: ['seen'] } } },
  { default: '1h', tenant: 'org', tables: { notes: { grain: 'account_id' } } },
];

/** Two clients of a fresh database: of one cache, or of a cache each over a store, which `change` may spoil. */
export async function aStage(
  driver: AdapterDriver,
  o: { rules: AdapterRules; shared: boolean; change?: (store: Store) => Store },
): Promise<Stage & { refill(): Promise<void>; end(): Promise<void> }> {
  const database = await driver.database(shop);
  if (!database.filled) for (const sql of shop) await database.bare(sql);
  const shared = o.shared ? memoryStore() : undefined;
  const store = shared && (o.change?.(shared) ?? shared);
  const aCache = () => createCache({ ...(store && { store }), jitter: 0 });
  const cache = aCache();
  const caches = [cache, shared ? aCache() : cache] as const;
  const actors: Actor[] = [];
  for (const own of caches) actors.push({ cache: own, client: await database.open({ ...o.rules, cache: own }) });
  return {
    driver,
    database,
    actors: actors as [Actor, Actor],
    async refill() {
      for (const table of ['words', 'marks', 'notes', 'accounts', 'pairs', 'codes'])
        await database.bare(`delete from ${table}`);
      for (const sql of shop) if (sql.startsWith('insert')) await database.bare(sql);
      for (const one of new Set(caches)) await one.clear();
    },
    async end() {
      for (const { client } of actors) await client.close();
      for (const one of new Set(caches)) await one.close();
      await database.drop();
    },
  };
}
