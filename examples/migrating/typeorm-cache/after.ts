// The same service. `npx tsx examples/migrating/typeorm-cache/after.ts`
import { DataSource, EntitySchema } from 'typeorm';
import { createCache } from 'unstale';
import { withCache } from 'unstale/typeorm';
import { startPostgres } from '../postgres.js';
import { tell } from '../story.js';

const postgres = await startPostgres();
const databaseUrl = postgres.url;

const User = new EntitySchema<{ id: number; name: string }>({
  name: 'User',
  tableName: 'users',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'text' } },
});
const cache = createCache();
const dataSource = withCache(new DataSource({ type: 'postgres', url: databaseUrl, entities: [User] }), { cache });
await dataSource.initialize();

const user = (id: number) => dataSource.getRepository(User).findOne({ where: { id }, cache: 300_000 });

async function rename(id: number, name: string) {
  await dataSource.getRepository(User).update({ id }, { name });
}

await tell({ user, rename }, postgres);
await dataSource.destroy();
await cache.close();
await postgres.stop();
