// Checks the type tests with every major version of TypeScript: npm run test:types, or -- 6 for one of them. Once
// against the sources, and once against the declarations that are shipped, with the programs of test/smoke/consumers.
// The other compilers come from the registry as ordinary packages.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { manifest, root } from './entries.mjs';

const own = Number.parseInt(manifest.devDependencies.typescript, 10).toString();
const versions = { [own]: manifest.devDependencies.typescript, 6: '6.0.3', 7: '7.0.2' };
const wanted = process.argv.slice(2);
const folder = join(root, 'node_modules/.cache/types');

// The package names itself: without its `paths`, its imports lead to its own `exports`.
const { compilerOptions } = read('tsconfig.json');
const paths = Object.entries(compilerOptions.paths)
  .filter(([name]) => !name.startsWith(manifest.name))
  .map(([name, files]) => [name, files.map((file) => join(root, file))]);
const shipped = { ...compilerOptions, paths: Object.fromEntries(paths), rootDir: root };
const tests = join(root, 'test/types/*.test-d.ts');
const legacyTests = join(root, 'test/types/*.legacy.test-d.ts');
const legacy = { experimentalDecorators: true };
const consumer = { include: [join(root, 'test/smoke/consumers/service.ts')] };
const ofSources = {
  'the sources': join(root, 'tsconfig.type-tests.json'),
  'the sources, legacy decorators': join(root, 'tsconfig.legacy.json'),
};
const ofShipped = {
  'what is shipped': project('shipped', { include: [tests], exclude: [legacyTests] }),
  'what is shipped, legacy decorators': project('shipped-legacy', { include: [legacyTests] }, legacy),
  // Our declarations have to hold on their own, and not only as far as somebody uses them.
  consumers: project('consumers', consumer, { skipLibCheck: false }),
  'consumers, legacy decorators': project('consumers-legacy', consumer, { ...legacy, skipLibCheck: false }),
};
// A client of Prisma is generated.
const generated = join(root, 'test/prisma/generated');
if (existsSync(generated)) ofSources['a generated client of Prisma'] = join(root, 'test/prisma');
else {
  console.error('not checked: test/prisma. `npm run setup` generates its client');
  if (process.env.CI) process.exitCode = 1;
}

for (const major of wanted.length > 0 ? wanted : Object.keys(versions)) {
  const compiler = await install(major);
  const started = performance.now();
  // The compiler of the project has checked the sources in `npm run check:types`.
  const left = Object.entries(major === own ? ofShipped : { ...ofSources, ...ofShipped });
  await Promise.all(
    // A small machine has no more cores.
    [1, 2].map(async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await check(compiler, major, ...next);
    }),
  );
  console.log(`TypeScript ${versions[major]}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

async function check(compiler, major, what, tsconfig) {
  try {
    await promisify(execFile)(process.execPath, [compiler, '--noEmit', '-p', tsconfig], { cwd: root, maxBuffer: 1e8 });
    console.log(`TypeScript ${major}, ${what}: ok`);
  } catch (error) {
    console.error(`TypeScript ${major}, ${what}:\n${error.stdout}${error.stderr}`);
    process.exitCode = 1;
  }
}

function project(name, files, options = {}) {
  const dir = join(folder, name);
  mkdirSync(dir, { recursive: true });
  const compilerOptions = { ...shipped, ...options };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, ...files }));
  return dir;
}

async function install(major) {
  if (major === own) return join(root, 'node_modules/typescript/bin/tsc');
  const dir = join(folder, `typescript-${major}`);
  const installed = join(dir, 'node_modules/typescript/package.json');
  if (!existsSync(installed) || JSON.parse(readFileSync(installed, 'utf8')).version !== versions[major]) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'package.json'), '{"private":true}');
    const args = [
      'install',
      '--no-save',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      `typescript@${versions[major]}`,
    ];
    await promisify(execFile)('npm', args, { cwd: dir, shell: process.platform === 'win32' });
  }
  return join(dir, 'node_modules/typescript/bin/tsc');
}

function read(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8').replaceAll(/^\s*\/\/.*$/gm, ''));
}
