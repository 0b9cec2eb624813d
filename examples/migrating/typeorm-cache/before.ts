// The cache that TypeORM brings, in a table beside the data.
// `npx tsx examples/migrating/typeorm-cache/before.ts`
import { DataSource, EntitySchema } from 'typeorm';
import { startPostgres } from '../postgres.js';
import { tell } from '../story.js';

const postgres = await startPostgres();
const databaseUrl = postgres.url;

const User = new EntitySchema<{ id: number; name: string }>({
  name: 'User',
  tableName: 'users',
  columns: { id: { type: 'integer', primary: true }, name: { type: 'text' } },
});
const dataSource = new DataSource({ type: 'postgres', url: databaseUrl, entities: [User], cache: true });
await dataSource.initialize();
await dataSource.queryResultCache?.synchronize();

const user = (id: number) =>
  dataSource.getRepository(User).findOne({ where: { id }, cache: { id: `user:${id}`, milliseconds: 300_000 } });

async function rename(id: number, name: string) {
  await dataSource.getRepository(User).update({ id }, { name });
  await dataSource.queryResultCache?.remove([`user:${id}`]);
}

await tell({ user, rename }, postgres);
await dataSource.destroy();
await postgres.stop();
