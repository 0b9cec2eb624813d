import { defineConfig } from 'tsup';

export default defineConfig({
  // One entry for each subpath of `exports` in package.json.
  entry: {
    index: 'src/index.ts',
    redis: 'adapters/redis/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  dts: true,
  // Shared chunks in CommonJS too, where tsup leaves them off: an error class is one and the same in every entry.
  splitting: true,
  clean: true,
  target: 'node20',
  outDir: 'dist',
  tsconfig: 'tsconfig.sources.json',
});
