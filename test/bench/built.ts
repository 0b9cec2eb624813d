import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

type Built = typeof import('../../src/index.js') & typeof import('../../adapters/redis/index.js');

/**
 * The cache as the package has it. Loaders that compile on the way, such as tsx, wrap every function to keep its name,
 * and that costs more than some of what is measured.
 */
export async function built(): Promise<Built> {
  const root = join(import.meta.dirname, '../..');
  const folder = join(root, 'node_modules/.cache/unstale-built');
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, `${process.pid}.mjs`);
  await build({
    stdin: {
      contents: `export * from './src/index.ts'; export * from './adapters/redis/index.ts';`,
      resolveDir: root,
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    outfile,
    logLevel: 'warning',
  });
  const made: Built = await import(pathToFileURL(outfile).href);
  await rm(outfile);
  return made;
}
