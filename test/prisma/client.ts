import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { AdapterDialect } from '../../src/testing/adapter-contract.js';

/**
 * Prisma as the tests use it. It is in a tree of its own with generated clients, none of which a fresh checkout has, so
 * nothing of it has types in here; `types.test-d.ts` has those.
 */
export interface Prisma {
  readonly PrismaClient: new (options: object) => any;
  readonly Prisma: any;
  /** Makes the driver adapter. */
  adapter(settings: any, options?: object): any;
}

const here = fileURLToPath(new URL('.', import.meta.url));
const require = createRequire(`${here}package.json`);

/** Whether `npm run setup` has brought it. */
export const hasPrisma = existsSync(`${here}generated/schema.prisma`);

/** Says why the tests of a file are skipped. @throws Error where nobody would read that */
export function tellOfNoPrisma(): string {
  const text = 'npm run setup brings Prisma, and generates its clients';
  if (process.env.CI || process.env.UNSTALE_TEST_STRICT) throw new Error(`no Prisma: ${text}`);
  return text;
}

export async function prismaOf(dialect: AdapterDialect): Promise<Prisma> {
  const provider = dialect === 'postgres' ? 'postgresql' : dialect;
  const { PrismaClient, Prisma } = await import(
    /* @vite-ignore */ new URL(`generated/${provider}/client.ts`, import.meta.url).href
  );
  const [name, made] = adapters[dialect];
  const { [made]: Adapter } = require(name);
  return { PrismaClient, Prisma, adapter: (settings, options) => new Adapter(settings, options) };
}

const adapters: Record<AdapterDialect, [name: string, made: string]> = {
  postgres: ['@prisma/adapter-pg', 'PrismaPg'],
  mysql: ['@prisma/adapter-mariadb', 'PrismaMariaDb'],
  sqlite: ['@prisma/adapter-better-sqlite3', 'PrismaBetterSqlite3'],
};
