// Installs the servers that the integration tests need, where that can be done without asking: as root on Debian or
// Ubuntu. Elsewhere it says what to install. PostgreSQL comes with `npm ci`. No package of these starts a server.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

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

if (missing.length > 0) setUp();

function setUp() {
  const packages = missing.flatMap((server) => server.apt);
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).error) {
    const names = missing.map((server) => server.name).join(' and ');
    const brew = `brew install ${missing.map((server) => server.brew).join(' ')}`;
    return giveUp(`no ${names}. Debian, Ubuntu: sudo apt-get ${install.join(' ')}    macOS: ${brew}`);
  }
  console.log(`setup: apt-get ${install.join(' ')}`);
  try {
    apt('update');
    apt(...install);
  } catch (error) {
    giveUp(`apt-get failed (${error.message}). Its output is above.`);
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
