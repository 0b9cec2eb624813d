import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

// Inside of node_modules, so that packages are found from there.
const folder = fileURLToPath(new URL('../../node_modules/.cache/unstale-forks', import.meta.url));
const built = new Map<string, string>();

/**
 * Starts a TypeScript file of the tests as a process of its own. It is compiled here, once and into one file: a process
 * that compiles what it imports, module by module, takes a second of a core before its first line runs, and a test of
 * kills starts dozens.
 */
export function forkTypeScript(file: string, args: readonly string[], options: ForkOptions = {}): ChildProcess {
  return fork(compiled(file), args, { execArgv: [], ...options });
}

function compiled(file: string): string {
  const known = built.get(file);
  if (known !== undefined) return known;
  const { outputFiles } = buildSync({
    entryPoints: [file],
    bundle: true,
    write: false,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    keepNames: true,
    logLevel: 'warning',
  });
  const text = outputFiles[0]?.text as string;
  const name = `${basename(file, '.ts')}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.mjs`;
  const path = join(folder, name);
  mkdirSync(folder, { recursive: true });
  // Others may be about to write or to start the same one.
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
  built.set(file, path);
  return path;
}
