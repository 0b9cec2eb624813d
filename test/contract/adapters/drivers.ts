import type { AdapterDialect, AdapterDriver } from '../../../src/testing/adapter-contract.js';
import { hasPrisma } from '../../prisma/client.js';
import type { Services } from '../../services/index.js';

type Open = (url: string) => Promise<AdapterDriver>;

const everywhere = <T>(of: (dialect: AdapterDialect) => T): Record<AdapterDialect, T> => ({
  postgres: of('postgres'),
  mysql: of('mysql'),
  sqlite: of('sqlite'),
});

/** Every adapter with the databases that it supports. */
export const adapters = {
  knex: everywhere(
    (dialect): Open =>
      async (url) =>
        (await import('./knex.js')).knexDriver({ dialect, url }),
  ),
  kysely: everywhere(
    (dialect): Open =>
      async (url) =>
        (await import('./kysely.js')).kyselyDriver({ dialect, url }),
  ),
  pg: { postgres: async (url: string) => (await import('./pg.js')).pgDriver({ url }) },
  mysql2: { mysql: async (url: string) => (await import('./mysql2.js')).mysql2Driver({ url }) },
  typeorm: everywhere(
    (dialect): Open =>
      async (url) =>
        (await import('./typeorm.js')).typeormDriver({ dialect, url }),
  ),
  'typeorm-0.3': everywhere(
    (dialect): Open =>
      async (url) =>
        (await import('./typeorm.js')).typeormDriver({ dialect, url, version: '0.3' }),
  ),
  // In a tree of its own, which `npm run setup` brings.
  prisma: hasPrisma
    ? everywhere(
        (dialect): Open =>
          async (url) =>
            (await import('./prisma.js')).prismaDriver({ dialect, url }),
      )
    : {},
  drizzle: {
    postgres: async (url: string) => (await import('./drizzle.js')).drizzlePgDriver({ url, on: 'pool' }),
    mysql: async (url: string) => (await import('./drizzle.js')).drizzleMysqlDriver({ url }),
    sqlite: async () => (await import('./drizzle-sqlite.js')).drizzleSqliteDriver({ how: 'proxy' }),
  },
  'drizzle-at-once': {
    sqlite: async () => (await import('./drizzle-sqlite.js')).drizzleSqliteDriver({ how: 'at once' }),
  },
  'drizzle-client': {
    postgres: async (url: string) => (await import('./drizzle.js')).drizzlePgDriver({ url, on: 'client' }),
  },
} satisfies Record<string, Partial<Record<AdapterDialect, Open>>>;

export type AdapterName = keyof typeof adapters;

/** The drivers of adapters, on each of their databases that is there. */
export async function driversOf(services: Partial<Services>, ...names: AdapterName[]): Promise<AdapterDriver[]> {
  const opening = names.flatMap((name) =>
    (Object.entries(adapters[name]) as [AdapterDialect, Open][]).flatMap(([dialect, open]) => {
      const service = services[dialect];
      return service ? [open('url' in service ? service.url : '')] : [];
    }),
  );
  return Promise.all(opening);
}
