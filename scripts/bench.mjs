// Runs the benchmarks. The caches they compare us with are installed here, when they are first needed, so that nobody
// who only works on the package has to wait for them.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './entries.mjs';

const bench = join(root, 'test/bench');
const installed = join(bench, 'node_modules/.package-lock.json');
const isInstalled =
  existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(bench, 'package-lock.json')).mtimeMs;
if (!isInstalled) run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], bench);

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
