import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { hasPrisma, prismaOf } from '../prisma/client.js';
import {
  drizzleLibrary,
  knexLibrary,
  kyselyLibrary,
  type Library,
  type LibraryClient,
  mysqlPool,
  pgPool,
  typeormLibrary,
} from './libraries.js';

/** `pg` itself. */
const bareOfPg: Library = {
  name: 'pg',
  async open(at, wrap) {
    const { withCache, unwrap } = await import('../../adapters/pg/index.js');
    const pool = await pgPool(at);
    if (wrap) withCache(pool, wrap);
    const on = (from: Pick<typeof pool, 'query'>) => ({
      find: async (id: number) => (await from.query('select id, name from accounts where id = $1', [id])).rows[0],
      rename: (id: number, name: string) => from.query('update accounts set name = $1 where id = $2', [name, id]),
    });
    return {
      ...on(pool),
      async transaction(fn) {
        const client = await pool.connect();
        try {
          await client.query('BEGIN');
          await fn(on(client));
          await client.query('COMMIT');
        } catch (error) {
          await client.query('ROLLBACK');
          throw error;
        } finally {
          client.release();
        }
      },
      parts: [pool],
      inPlace: { wrap: (options) => void withCache(pool, options), unwrap: () => void unwrap(pool) },
      close: () => pool.end(),
    };
  },
};

/** `mysql2` itself. */
const bareOfMysql2: Library = {
  name: 'mysql2',
  async open(at, wrap) {
    const { withCache, unwrap } = await import('../../adapters/mysql2/index.js');
    const inner = await mysqlPool(at);
    const pool: any = inner.promise();
    if (wrap) withCache(pool, wrap);
    const on = (from: any) => ({
      find: async (id: number) => (await from.query('select id, name from accounts where id = ?', [id]))[0][0],
      rename: (id: number, name: string) => from.query('update accounts set name = ? where id = ?', [name, id]),
    });
    return {
      ...on(pool),
      async transaction(fn) {
        const connection = await pool.getConnection();
        try {
          await connection.beginTransaction();
          await fn(on(connection));
          await connection.commit();
        } catch (error) {
          await connection.rollback();
          throw error;
        } finally {
          connection.release();
        }
      },
      parts: [pool, inner],
      inPlace: { wrap: (options) => void withCache(pool, options), unwrap: () => void unwrap(pool) },
      close: () => pool.end(),
    };
  },
};

const requireOf = createRequire(fileURLToPath(new URL('../prisma/package.json', import.meta.url)));

/** Prisma on a pool of its driver adapter. */
function prismaLibrary(client: 'pg' | 'mysql2'): Library {
  return {
    name: 'prisma',
    async open({ config, max, Client }, wrap): Promise<LibraryClient> {
      const { withCache } = await import('../../adapters/prisma/index.js');
      const { PrismaClient, adapter: adapterOf } = await prismaOf(client === 'pg' ? 'postgres' : 'mysql');
      const { host, port, user, database } = config;
      const pool =
        client === 'pg'
          ? new (requireOf('pg').Pool)({ ...config, max, ...(Client && { Client }) })
          : requireOf('mariadb').createPool({ host, port, user, database, connectionLimit: max });
      if (client === 'pg') {
        pool.on('error', () => {});
        pool.on('connect', (one: any) => one.on('error', () => {}));
      }
      const bare = adapterOf(pool);
      const adapter = wrap ? withCache(bare, { database, ...wrap }) : bare;
      const base: any = new PrismaClient({ adapter });
      const prisma: any = wrap ? withCache(base) : base;
      const on = (at: any) => ({
        find: async (id: number) =>
          (await at.account.findUnique({ where: { id }, select: { id: true, name: true } })) ?? undefined,
        rename: (id: number, name: string) => at.account.update({ where: { id }, data: { name } }),
      });
      return {
        ...on(prisma),
        transaction: (fn) => prisma.$transaction((tx: any) => fn(on(tx)), { maxWait: 10_000, timeout: 15_000 }),
        parts: [base._originalClient, bare, pool],
        async close() {
          await base.$disconnect();
          await pool.end();
        },
      };
    },
  };
}

/** Every library that is wrapped, by the server that it is asked on. */
export const libraries = {
  postgres: librariesOf('pg', bareOfPg),
  mysql: librariesOf('mysql2', bareOfMysql2),
};

function librariesOf(client: 'pg' | 'mysql2', itself: Library): readonly Library[] {
  return [
    itself,
    knexLibrary(client),
    kyselyLibrary(client),
    drizzleLibrary(client),
    typeormLibrary(client, '1'),
    typeormLibrary(client, '0.3'),
    ...(hasPrisma ? [prismaLibrary(client)] : []),
  ];
}
