import { findMysqlClient, findPsql } from './clients.js';
import { startMysql } from './mysql.js';
import { startPostgres } from './postgres.js';
import { MissingServerError } from './programs.js';
import { startRedis } from './redis.js';
import { startCluster } from './redis-cluster.js';
import { startSentinel } from './redis-sentinel.js';
import { startSqlite } from './sqlite.js';

interface Address {
  host: string;
  port: number;
}

/** What tests get through `inject('services')`: shared by all test files, so use names of your own and leave them running. */
export interface Services {
  redis: { url: string };
  cluster: { nodes: Address[] };
  sentinel: { name: string; sentinels: Address[] };
  postgres: { url: string };
  mysql: { url: string };
  /** No server: that there is a driver. `aSqliteFile()` of `sqlite.ts` makes a database. */
  sqlite: { folder: string };
  /** No servers: the programs by which somebody writes who knows nothing of a cache. */
  psql: { program: string };
  mysqlClient: { program: string };
}

type Stop = () => Promise<void>;
type Starters = { [K in keyof Services]: () => Promise<Services[K] & { stop: Stop }> };

const address = ({ host, port }: Address): Address => ({ host, port });
const starters: Starters = {
  redis: startRedis,
  cluster: async () => {
    const { nodes, stop } = await startCluster();
    return { nodes: nodes.map(address), stop };
  },
  sentinel: async () => {
    const { name, sentinels, stop } = await startSentinel();
    return { name, sentinels: sentinels.map(address), stop };
  },
  postgres: startPostgres,
  mysql: startMysql,
  sqlite: startSqlite,
  psql: findPsql,
  mysqlClient: findMysqlClient,
};

/** A server that already runs is used only when named here, never because REDIS_URL or DATABASE_URL happens to be set. */
const given: { [K in keyof Services]?: string } = {
  redis: 'UNSTALE_TEST_REDIS_URL',
  postgres: 'UNSTALE_TEST_POSTGRES_URL',
  mysql: 'UNSTALE_TEST_MYSQL_URL',
};

/** Starts private instances side by side, and says which cannot be had on this machine. */
export async function startServices(
  wanted: readonly (keyof Services)[],
): Promise<{ services: Partial<Services>; missing: string[]; stop: Stop }> {
  const services: Partial<Services> = {};
  const missing: string[] = [];
  const stops: Stop[] = [];
  const stop = async () => void (await Promise.all(stops.map((it) => it())));

  const outcomes = await Promise.allSettled(
    wanted.map(async (name) => {
      const variable = given[name];
      const url = variable === undefined ? undefined : process.env[variable];
      if (url) return void Object.assign(services, { [name]: { url } });
      const { stop: stopOne, ...info } = await starters[name]();
      stops.push(stopOne);
      // What is handed to the tests travels between processes: data only.
      Object.assign(services, { [name]: JSON.parse(JSON.stringify('url' in info ? { url: info.url } : info)) });
    }),
  );
  const failures = outcomes.flatMap((it) => (it.status === 'rejected' ? [it.reason] : []));
  for (const failure of failures) {
    if (!(failure instanceof MissingServerError)) {
      await stop();
      throw failure;
    }
    missing.push(failure.message);
  }
  return { services, missing, stop };
}
