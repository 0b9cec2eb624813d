import { defineConfig } from 'tsup';

export default defineConfig({
  // One entry for each subpath of `exports` in package.json.
  entry: {
    index: 'src/index.ts',
    redis: 'adapters/redis/index.ts',
    knex: 'adapters/knex/index.ts',
    pg: 'adapters/pg/index.ts',
    mysql2: 'adapters/mysql2/index.ts',
    kysely: 'adapters/kysely/index.ts',
    typeorm: 'adapters/typeorm/index.ts',
    prisma: 'adapters/prisma/index.ts',
    drizzle: 'adapters/drizzle/index.ts',
    nestjs: 'adapters/nestjs/index.ts',
    feed: 'src/feed/index.ts',
    adapter: 'src/adapter/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  dts: true,
  // Shared chunks in CommonJS too, where tsup leaves them off: an error class is one and the same in every entry.
  splitting: true,
  // Also what turns the shared chunks into CommonJS. Without it tsup leaves that to sucrase, which rewrites class
  // fields and every `?.` on the way, and so changes names and speed.
  treeshake: true,
  removeNodeProtocol: false,
  clean: true,
  target: 'node20',
  outDir: 'dist',
  tsconfig: 'tsconfig.sources.json',
});
