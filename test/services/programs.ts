import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { nobody } from './folders.js';

/** No program of that name, to start a server with or to speak with one. The message names the cure. */
export class MissingServerError extends Error {
  override name = 'MissingServerError';
  constructor(server: string, cure: string) {
    super(`${server}: no program found. ${cure}`);
  }
}

/** The first executable of `names` in `$PATH`, then in `dirs`. */
export function findProgram(names: readonly string[], dirs: readonly string[] = []): string | undefined {
  const places = [...(process.env.PATH ?? '').split(delimiter), ...dirs];
  return names.flatMap((name) => places.map((dir) => join(dir, name))).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Version folders, newest first, such as /usr/lib/postgresql/15/bin. */
export function versionFolders(root: string, sub: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((a, b) => Number.parseFloat(b) - Number.parseFloat(a))
    .map((version) => join(root, version, sub));
}

/** What every server program is started with: nothing of the developer's locale or settings. */
export const plainEnv = (home: string) => ({ ...process.env, HOME: home, LC_ALL: 'C' });

/** Runs a helper program to its end, off the event loop so that servers start side by side. */
export async function run(file: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await promisify(execFile)(file, args, { cwd, env: plainEnv(cwd), ...nobody });
  } catch (error) {
    const { stdout = '', stderr = String(error) } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
