// Installs the packed package into a project of its own, as a user would, and uses every entry from ESM, CommonJS and
// TypeScript of three major versions.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { manifest, root } from '../../scripts/entries.mjs';

const consumers = join(import.meta.dirname, 'consumers');
const started = performance.now();
const dir = mkdtempSync(join(tmpdir(), 'unstale-pack-'));
try {
  await pack();
  await install({ unstale: 'file:./unstale.tgz' });
  cpSync(consumers, dir, { recursive: true });
  say(await run('node', 'core.mjs'));
  await install({
    ioredis: manifest.devDependencies.ioredis,
    typescript: manifest.devDependencies.typescript,
    '@types/node': manifest.devDependencies['@types/node'],
    ts6: 'npm:typescript@6.0.3',
    ts7: 'npm:typescript@7.0.2',
  });
  say(await run('node', 'esm.mjs'));
  say(await run('node', 'cjs.cjs'));
  for (const resolution of ['node16 in ESM', 'node16 in CommonJS', 'bundler'])
    for (const decorators of ['standard', 'legacy']) await compile(resolution, decorators);
  say('smoke ok');
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function pack() {
  const [{ filename, size, unpackedSize, files }] = JSON.parse(
    await run('npm', 'pack', root, '--json', '--ignore-scripts'),
  );
  cpSync(join(dir, filename), join(dir, 'unstale.tgz'));
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  say(`packed: ${files.length} files, ${kB(size)}, unpacked ${kB(unpackedSize)}`);
}

async function install(packages) {
  const wanted = Object.entries(packages).map(([name, version]) =>
    version.startsWith('file:') ? version : `${name}@${version}`,
  );
  // Without scripts: many companies install so, and msgpackr then has to do without its native part.
  await run('npm', 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', ...wanted);
  const installed = Object.keys(JSON.parse(await run('npm', 'ls', '--json')).dependencies);
  say(`installed: ${installed.join(', ')}`);
}

async function compile(resolution, decorators) {
  const folder = `${resolution}-${decorators}`.replaceAll(' ', '-');
  mkdirSync(join(dir, folder));
  cpSync(join(consumers, 'service.ts'), join(dir, folder, 'service.ts'));
  const type = resolution === 'node16 in CommonJS' ? 'commonjs' : 'module';
  writeFileSync(join(dir, folder, 'package.json'), JSON.stringify({ type }));
  const compilerOptions = {
    ...(resolution === 'bundler'
      ? { module: 'ESNext', moduleResolution: 'Bundler' }
      : { module: 'Node16', moduleResolution: 'Node16' }),
    experimentalDecorators: decorators === 'legacy',
    target: 'ES2022',
    lib: ['ES2022'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    // Our declarations have to hold on their own: .d.ts and .d.cts are checked once each, which takes its time.
    skipLibCheck: decorators === 'legacy' || resolution === 'bundler',
    noEmitOnError: true,
    rootDir: '.',
  };
  writeFileSync(join(dir, folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['service.ts'] }));
  const compileWith = async (compiler) => {
    const out = `${folder}/${compiler}`;
    await run('node', `node_modules/${compiler}/bin/tsc`, '-p', folder, '--outDir', out);
    await run('node', `${out}/service.js`);
  };
  await Promise.all(['typescript', 'ts6', 'ts7'].map(compileWith));
  say(`TypeScript 5, 6 and 7: ${resolution}, ${decorators} decorators`);
}

async function run(program, ...args) {
  const options = { cwd: dir, maxBuffer: 1e8, shell: process.platform === 'win32' };
  try {
    return (await promisify(execFile)(program, args, options)).stdout.trim();
  } catch (error) {
    throw new Error(`${program} ${args.join(' ')} failed (${error.code}):\n${error.stdout}${error.stderr}`);
  }
}

function say(text) {
  console.log(`[${((performance.now() - started) / 1000).toFixed(1)} s] ${text}`);
}

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
