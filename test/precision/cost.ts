/**
 * What it costs that statements are seen: `npx tsx test/precision/cost.ts [--quick] [--profile] [--seed 1]`;
 * of every adapter, side by side: `--adapters [--write]`, which writes `costs.md`
 *
 * Compiled as in the package, since loaders that compile on the way make every function slower.
 */
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { hasPrisma } from '../prisma/client.js';
import { startServices } from '../services/index.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    adapters: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
// Below the packages, so that they are found from there.
const folder = join(import.meta.dirname, `../../node_modules/.cache/cost-${process.pid}`);
const { services, missing, stop } = await startServices(values.adapters ? ['postgres', 'mysql'] : ['postgres']);
const entry = values.adapters ? 'cost-libraries.ts' : 'cost-rows.ts';
/** Files that are found beside a module stay there when it is compiled elsewhere. */
const inPlace: Plugin = {
  name: 'in place',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /\btest\b.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replace(/import\(\s*\/\* @vite-ignore \*\/[^;]*\.href,?\s*\)/, `import('./generated/postgresql/client.js')`)
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }));
    // Prisma is in a tree of its own, with a client that is generated as TypeScript.
    const runtimes = join(import.meta.dirname, '../prisma/node_modules');
    onResolve({ filter: /^@prisma\/client\/runtime\// }, ({ path }) => ({
      path: join(runtimes, /\.m?js$/.test(path) ? path : `${path}.mjs`),
      external: true,
    }));
    onResolve({ filter: /^\.\/generated\// }, () => (hasPrisma ? undefined : { path: 'prisma', external: true }));
  },
};
for (const reason of missing) console.log(reason);
if (services.postgres !== undefined) {
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, 'cost.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    plugins: [inPlace],
    logLevel: 'warning',
  });
  const setting = {
    url: services.postgres.url,
    postgres: services.postgres.url,
    mysql: services.mysql?.url,
    ...(values.write && { page: join(import.meta.dirname, 'costs.md') }),
    rounds: values.quick ? 3 : 21,
    ms: values.quick ? 4 : 40,
    seed: Number(values.seed),
    profile: values.profile,
  };
  const child = fork(outfile, [JSON.stringify(setting)], { execArgv: ['--expose-gc'] });
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
await stop();
rmSync(folder, { recursive: true, force: true });
