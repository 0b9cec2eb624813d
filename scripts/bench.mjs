// Runs the benchmarks. The caches they compare us with are installed here, when they are first needed, so that nobody
// who only works on the package has to wait for them.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './entries.mjs';

const bench = join(root, 'test/bench');
const modules = join(bench, 'node_modules');
const installed = join(modules, '.package-lock.json');
const isInstalled =
  existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(bench, 'package-lock.json')).mtimeMs;
if (!isInstalled) run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], bench);

// What is measured is compiled as in the package, and stands among the other contenders. (Loaders that compile on the
// way, such as tsx, wrap every function to keep its name: that costs more than a hit.)
const options = {
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
};
mkdirSync(join(modules, 'unstale'), { recursive: true });
writeFileSync(
  join(modules, 'unstale/package.json'),
  JSON.stringify({
    type: 'module',
    exports: { '.': './index.js', './redis': './redis.js', './testing': './testing.js' },
  }),
);
await build({
  ...options,
  entryPoints: {
    index: join(root, 'src/index.ts'),
    redis: join(root, 'adapters/redis/index.ts'),
    testing: join(root, 'src/testing/index.ts'),
  },
  packages: 'external',
  outdir: join(modules, 'unstale'),
});
await build({
  ...options,
  entryPoints: [join(bench, 'child.ts'), join(bench, 'isolate.ts')],
  packages: 'external',
  external: ['unstale', 'unstale/*'],
  tsconfigRaw: {},
  outdir: join(modules, '.built'),
  outExtension: { '.js': '.mjs' },
});

// The peers do what they do in production; some look at this.
process.env.NODE_ENV ??= 'production';
run('npx', ['tsx', 'test/bench/main.ts', ...process.argv.slice(2)], root);

function run(program, args, cwd) {
  try {
    execFileSync(program, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' });
  } catch (error) {
    process.exit(error.status ?? 1); // it has said why
  }
}
