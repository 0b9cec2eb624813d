import { inject } from 'vitest';
import { shop } from '../../../src/testing/adapter/shop.js';
import { mysqlServer } from '../../contract/adapters/mysql-server.js';
import { postgresServer } from '../../contract/adapters/postgres-server.js';

export const servers = (['postgres', 'mysql'] as const).filter((name) => inject('services')[name] !== undefined);
export type Server = (typeof servers)[number];

/** A database of its own with the shop of the contract in it. */
export async function aShop(server: Server): Promise<{ config: any; drop(): Promise<void> }> {
  const url = inject('services')[server]?.url as string;
  if (server === 'mysql') return (await mysqlServer(url)).make(shop);
  const { config, drop } = await (await postgresServer(url)).make(shop);
  // Whoever waits here for a lock waits for a machine that is busy.
  const { options: _, ...patient } = config;
  return { config: patient, drop };
}
