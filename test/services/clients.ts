import { findProgram, MissingServerError, versionFolders } from './programs.js';

// They stand in the list of servers, so that their absence is told in the same way.
interface Found {
  readonly program: string;
  stop(): Promise<void>;
}

/** PostgreSQL's own client, which does not come with `npm ci`. */
export async function findPsql(): Promise<Found> {
  const places = [
    ...versionFolders('/usr/lib/postgresql', 'bin'),
    ...versionFolders('/opt/homebrew/opt', 'bin').filter((dir) => /postgresql|libpq/.test(dir)),
  ];
  return found(
    'psql',
    findProgram(['psql'], places),
    'Debian, Ubuntu: apt-get install postgresql-client    macOS: brew install postgresql@17    or: npm run setup',
  );
}

/** The client of MariaDB or MySQL. */
export async function findMysqlClient(): Promise<Found> {
  const places = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/opt/mariadb/bin', '/opt/homebrew/opt/mysql/bin'];
  return found(
    'mysql client',
    findProgram(['mariadb', 'mysql'], places),
    'Debian, Ubuntu: apt-get install mariadb-client-core    macOS: brew install mariadb    or: npm run setup',
  );
}

function found(name: string, program: string | undefined, cure: string): Found {
  if (program === undefined) throw new MissingServerError(name, cure);
  return { program, stop: async () => {} };
}
