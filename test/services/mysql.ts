import { join } from 'node:path';
import { makeFolder, nobody, removeFolder } from './folders.js';
import { onFreePorts } from './ports.js';
import { findProgram, MissingServerError, run } from './programs.js';
import { type ServerProcess, startProcess } from './server-process.js';

/** A private MariaDB or MySQL on a loopback port; `root` needs no password. */
export interface MysqlServer extends ServerProcess {
  readonly url: string;
  readonly port: number;
}

const places = [
  ...['/usr/bin', '/usr/sbin', '/usr/local/sbin'],
  ...['/opt/homebrew/bin', '/opt/homebrew/opt/mariadb/bin', '/opt/homebrew/opt/mysql/bin'],
];
// It holds nothing that must outlive a power cut, and little at all.
const settings = [
  ...['--bind-address=127.0.0.1', '--skip-log-bin', '--skip-name-resolve'],
  ...['--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=32M', '--innodb-log-file-size=8M'],
];

export async function startMysql(): Promise<MysqlServer> {
  const program = findProgram(['mariadbd', 'mysqld'], places);
  if (!program)
    throw new MissingServerError(
      'mysql',
      'Debian, Ubuntu: apt-get install mariadb-server-core mariadb-client-core    macOS: brew install mariadb    or: npm run setup',
    );
  return onFreePorts(1, async ([port]) => {
    const folder = makeFolder('mysql');
    const data = `--datadir=${join(folder, 'data')}`;
    try {
      await fill(program, data, folder);
      const files = [`--socket=${join(folder, 'socket')}`, `--pid-file=${join(folder, 'pid')}`, `--tmpdir=${folder}`];
      const server = await startProcess({
        name: 'mysql',
        file: program,
        args: ['--no-defaults', data, `--port=${port}`, ...files, ...settings],
        folder,
        ready: /ready for connections/,
        signal: 'SIGKILL',
        user: nobody,
      });
      return Object.assign(server, { url: `mysql://root@127.0.0.1:${port}/`, port: port as number });
    } catch (error) {
      removeFolder(folder);
      throw error;
    }
  });
}

/** MariaDB fills a new data folder with a script, MySQL with an option of the server. */
async function fill(program: string, data: string, folder: string): Promise<void> {
  const script = findProgram(['mariadb-install-db', 'mysql_install_db'], places);
  if (!script) return run(program, ['--no-defaults', '--initialize-insecure', data], folder);
  const options = ['--auth-root-authentication-method=normal', '--skip-test-db', '--innodb-log-file-size=8M'];
  return run(script, ['--no-defaults', data, `--tmpdir=${folder}`, ...options], folder);
}
