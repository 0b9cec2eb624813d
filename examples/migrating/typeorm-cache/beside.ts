// Two data sources for one database, for the time in between: all writes go through the wrapped one.
// `npx tsx examples/migrating/typeorm-cache/beside.ts`
import { DataSource, type DataSourceOptions, EntitySchema } from 'typeorm';
import { createCache } from 'unstale';
import { withCache } from 'unstale/typeorm';
import { startPostgres } from '../postgres.js';
import { tellBoth } from '../story.js';

const postgres = await startPostgres();

const User = new EntitySchema<{ id: number; name: string }>({
  name: 'User',
  tableName: 'users',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'text' } },
});
const options: DataSourceOptions = { type: 'postgres', url: postgres.url, entities: [User] };
const cache = createCache();

const old = new DataSource({ ...options, cache: true });
const dataSource = withCache(new DataSource(options), { cache });

async function rename(id: number, name: string) {
  await dataSource.getRepository(User).update({ id }, { name });
  await old.queryResultCache?.remove([`user:${id}`]);
}

await old.initialize();
await old.queryResultCache?.synchronize();
await dataSource.initialize();
await tellBoth(
  {
    user: (id) =>
      old.getRepository(User).findOne({ where: { id }, cache: { id: `user:${id}`, milliseconds: 300_000 } }),
    rename,
  },
  { user: (id) => dataSource.getRepository(User).findOne({ where: { id }, cache: 300_000 }), rename },
  postgres,
);
await dataSource.destroy();
await old.destroy();
await cache.close();
await postgres.stop();
