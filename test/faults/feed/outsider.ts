import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { plainEnv } from '../../services/programs.js';

/** Somebody who writes by a program of the database, and knows nothing of a cache. */
export interface Outsider {
  /** Runs statements, one after the other. @returns when the program has gone on to what comes after them */
  run(sql: string): Promise<void>;
  /** Lets the program come to its end. */
  end(): Promise<void>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** A session of psql. */
export function byPsql(program: string, { host, port, user, database }: Address): Outsider {
  const quiet = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'];
  return session(program, [...quiet, `postgres://${user}@${host}:${port}/${database}`]);
}

/** A session of the client of MariaDB or MySQL. */
export function byMysqlClient(program: string, { host, port, user, database }: Address): Outsider {
  const quiet = ['--no-defaults', '--batch', '--skip-column-names', '--unbuffered'];
  return session(program, [...quiet, '--protocol=tcp', `-h${host}`, `-P${port}`, `-u${user}`, database]);
}

/** Statements go in by its input, and what it says after them tells that they are done. */
function session(program: string, args: readonly string[]): Outsider {
  const child = spawn(program, args, { env: plainEnv('/'), stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = new Map<string, { resolve(): void; reject(error: Error): void }>();
  const ended = once(child, 'close');
  let said = '';
  let complaints = '';
  let runs = 0;
  child.stdout.on('data', (chunk) => {
    const lines = `${said}${chunk}`.split('\n');
    said = lines.pop() as string;
    for (const line of lines) waiting.get(line.trim())?.resolve();
  });
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  child.stdin.on('error', () => {}); // `close` says more
  const fail = () => {
    for (const { reject } of waiting.values()) reject(new Error(`${program} has ended: ${complaints}`));
  };
  ended.then(fail, fail);
  return {
    async run(sql) {
      const mark = `done ${++runs}`;
      if (child.exitCode !== null) throw new Error(`${program} has ended: ${complaints}`);
      try {
        await new Promise<void>((resolve, reject) => {
          waiting.set(mark, { resolve, reject });
          child.stdin.write(`${sql};\nselect '${mark}';\n`);
        });
      } finally {
        waiting.delete(mark);
      }
    },
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}
