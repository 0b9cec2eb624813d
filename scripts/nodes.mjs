// Runs the unit tests on other lines of Node: npm run test:nodes
// or, for one line and one file, npm run test:nodes -- 24 test/unit/core.
import { execFileSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { root } from './entries.mjs';
import { install, versions } from './node-line.mjs';

const wanted = process.argv.slice(2);
const lines = wanted.filter((it) => it in versions);
const files = wanted.filter((it) => !(it in versions));

for (const line of lines.length > 0 ? lines : Object.keys(versions)) {
  const env = { ...process.env, PATH: join(install(line), 'node_modules/.bin') + delimiter + process.env.PATH };
  console.log(`node ${execFileSync('node', ['--version'], { env, encoding: 'utf8' }).trim()}`);
  const args = ['run', '--project', 'unit', ...files];
  execFileSync('node', ['node_modules/vitest/vitest.mjs', ...args], { cwd: root, env, stdio: 'inherit' });
}
