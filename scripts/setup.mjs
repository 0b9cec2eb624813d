// Installs the databases that the integration tests need, where that can be done without asking: as root on Debian or
// Ubuntu. Elsewhere it says what to install. PostgreSQL comes with `npm ci`. No package of these starts a server.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { root } from './entries.mjs';

const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];
const has = (...programs) => programs.some((program) => places.some((dir) => existsSync(join(dir, program))));

const missing = [
  {
    name: 'Redis',
    there: has('redis-server', 'valkey-server', 'redis-check-rdb'),
    apt: ['redis-tools'],
    brew: 'redis',
  },
  {
    name: 'MariaDB',
    there: has('mysqld') || (has('mariadbd') && has('mariadb-install-db') && has('my_print_defaults')),
    apt: ['mariadb-server-core', 'mariadb-client-core'],
    brew: 'mariadb',
  },
].filter((server) => !server.there);

if (missing.length > 0) {
  const names = missing.map((server) => server.name).join(' and ');
  const packages = missing.flatMap((server) => server.apt);
  installPackages(packages, names, `brew install ${missing.map((server) => server.brew).join(' ')}`);
}

// SQLite runs inside of Node: compiled for its version, unless somebody has done that and may be asked for it.
const sqlite = join(root, 'test/sqlite');
if (whyNoSqlite() !== undefined) installSqlite();

function installSqlite() {
  console.log('setup: npm ci --prefix test/sqlite (compiles SQLite where no compiled one can be had, about a minute)');
  let output = ci();
  const tools = { python3: has('python3'), make: has('make'), 'g++': has('g++', 'clang++', 'c++') };
  const absent = Object.keys(tools).filter((name) => !tools[name]);
  if (whyNoSqlite() !== undefined && absent.length > 0) {
    if (!installPackages(absent, 'compiler for SQLite', 'xcode-select --install')) return;
    output = ci();
  }
  const why = whyNoSqlite();
  if (why !== undefined)
    giveUp(`no SQLite: npm ci --prefix test/sqlite did not bring it (${why}). It said:\n${output}`);
}

function ci() {
  const args = ['ci', '--prefix', sqlite, '--prefer-offline', '--no-audit', '--no-fund'];
  const { stdout, stderr, error } = spawnSync('npm', args, {
    cwd: sqlite,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  return error?.message ?? `${stdout}${stderr}`;
}

/** Undefined when it is there, in the version that is asked for, and was compiled for this Node. */
function whyNoSqlite() {
  try {
    const { dependencies } = JSON.parse(readFileSync(join(sqlite, 'package.json'), 'utf8'));
    const { version } = JSON.parse(readFileSync(join(sqlite, 'node_modules/better-sqlite3/package.json'), 'utf8'));
    if (version !== dependencies['better-sqlite3']) return `it is version ${version}`;
    const Database = createRequire(join(sqlite, 'package.json'))('better-sqlite3');
    new Database(':memory:').close();
    return undefined;
  } catch (error) {
    return error.message;
  }
}

/** @returns whether they are there now */
function installPackages(packages, names, brew) {
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).error) {
    giveUp(`no ${names}. Debian, Ubuntu: sudo apt-get ${install.join(' ')}    macOS: ${brew}`);
    return false;
  }
  console.log(`setup: apt-get ${install.join(' ')}`);
  try {
    apt('update');
    apt(...install);
    return true;
  } catch (error) {
    giveUp(`apt-get failed (${error.message}). Its output is above.`);
    return false;
  }
}

function apt(...args) {
  execFileSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Tests that need a missing server are skipped, and say so; only where nobody reads that is it an error. */
function giveUp(text) {
  console.error(`setup: ${text}`);
  if (process.env.CI || process.env.UNSTALE_TEST_STRICT) process.exitCode = 1;
}
