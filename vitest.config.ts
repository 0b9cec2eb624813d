import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Vite compiles TypeScript with oxc, which leaves standard decorators as they are: a SyntaxError in Node. esbuild
// lowers them. `*.legacy.test.ts` gets the decorators of `experimentalDecorators` instead, as NestJS and TypeORM do.
const decorators = {
  name: 'decorators',
  enforce: 'pre' as const,
  async transform(code: string, id: string) {
    if (!/\.[cm]?ts$/.test(id) || id.includes('node_modules') || !/^\s*@\w/m.test(code)) return;
    const experimentalDecorators = id.endsWith('.legacy.test.ts');
    const lowered = await transform(code, {
      loader: 'ts',
      target: 'es2022',
      sourcemap: true,
      sourcefile: id,
      tsconfigRaw: { compilerOptions: { experimentalDecorators } },
    });
    return { code: lowered.code, map: lowered.map };
  },
};

export default defineConfig({
  plugins: [decorators],
  resolve: {
    // The same names as `paths` in tsconfig.json: tests of examples run the sources.
    alias: [
      { find: /^unstale$/, replacement: file('./src/index.ts') },
      { find: /^unstale\/redis$/, replacement: file('./adapters/redis/index.ts') },
      { find: /^unstale\/knex$/, replacement: file('./adapters/knex/index.ts') },
      { find: /^unstale\/pg$/, replacement: file('./adapters/pg/index.ts') },
      { find: /^unstale\/mysql2$/, replacement: file('./adapters/mysql2/index.ts') },
      { find: /^unstale\/kysely$/, replacement: file('./adapters/kysely/index.ts') },
      { find: /^unstale\/prisma$/, replacement: file('./adapters/prisma/index.ts') },
      { find: /^unstale\/typeorm$/, replacement: file('./adapters/typeorm/index.ts') },
      { find: /^unstale\/drizzle$/, replacement: file('./adapters/drizzle/index.ts') },
      { find: /^unstale\/nestjs$/, replacement: file('./adapters/nestjs/index.ts') },
      { find: /^unstale\/feed$/, replacement: file('./src/feed/index.ts') },
      { find: /^unstale\/adapter$/, replacement: file('./src/adapter/index.ts') },
      { find: /^unstale\/testing$/, replacement: file('./src/testing/index.ts') },
    ],
  },
  test: {
    // Most of what tests do is wait for servers, so the usual "one core less" would leave a small machine idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'adapters/**/*.ts'],
      reporter: ['text', 'json-summary', 'html'],
      reportsDirectory: 'coverage',
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'test/unit/**/*.test.ts',
            'test/race/**/*.test.ts',
            'test/model/**/*.test.ts',
            'test/payload/**/*.test.ts',
            'test/regress/**/*.test.ts',
            'test/guarantees/**/*.unit.test.ts',
          ],
          // Most of them take less time than to load what they test, so a worker keeps that.
          isolate: false,
          setupFiles: './test/support/tidy.ts',
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['test/types/**/*.test-d.ts'],
            exclude: ['**/*.legacy.test-d.ts'], // `npm run check:types` has those
            tsconfig: './tsconfig.type-tests.json',
          },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: [
            'test/contract/**/*.test.ts',
            'test/integration/**/*.test.ts',
            'test/faults/**/*.test.ts',
            'test/guarantees/**/*.test.ts',
          ],
          exclude: ['test/guarantees/**/*.unit.test.ts'],
          globalSetup: './test/services/setup.ts',
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
