// The entries of the package: one for each subpath of `exports` in package.json, which is the only list of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** `{ subpath: './redis', name: 'unstale/redis', types: 'dist/redis.d.ts' }` and so on. */
export const entries = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([subpath, target]) => ({
    subpath,
    name: manifest.name + subpath.slice(1),
    types: join(root, target.import.types),
  }));
