/**
 * What it costs that statements are seen: `npx tsx test/precision/cost.ts [--quick] [--profile] [--seed 1]`
 *
 * Compiled as in the package, since loaders that compile on the way make every function slower.
 */
import { fork } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { startServices } from '../services/index.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
// Below the packages, so that they are found from there.
const folder = join(import.meta.dirname, `../../node_modules/.cache/cost-${process.pid}`);
const { services, missing, stop } = await startServices(['postgres']);
for (const reason of missing) console.log(reason);
if (services.postgres !== undefined) {
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, 'cost-rows.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'cost-rows.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  const setting = {
    url: services.postgres.url,
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
