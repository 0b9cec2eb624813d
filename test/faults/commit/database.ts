import mysql from 'mysql2/promise';
import pg from 'pg';

export interface Counts {
  readonly url: string;
  readonly ids: readonly number[];
  truth(): Promise<Map<number, number>>;
  drop(): Promise<void>;
}

/** A database of its own, with a table `counts` of so many rows. */
export async function countsIn(kind: 'postgres' | 'mysql', url: string, label: string, rows: number): Promise<Counts> {
  // Nothing that a wire could take for a COMMIT.
  const name = `lost_${label}_${process.pid}`;
  const at = new URL(url);
  at.pathname = `/${name}`;
  const ids = Array.from({ length: rows }, (_, i) => i + 1);
  const admin = await runner(kind, url);
  await admin.run(`create database ${name}`);
  const own = await runner(kind, at.href);
  await own.run('create table counts (id int primary key, value int not null)');
  await own.run(`insert into counts values ${ids.map((id) => `(${id}, 0)`).join(', ')}`);
  return {
    url: at.href,
    ids,
    truth: async () => new Map((await own.run('select id, value from counts')).map(({ id, value }) => [id, value])),
    async drop() {
      await own.end();
      await admin.run(`drop database ${name}${kind === 'postgres' ? ' with (force)' : ''}`);
      await admin.end();
    },
  };
}

type Rows = { id: number; value: number }[];

async function runner(kind: 'postgres' | 'mysql', url: string) {
  if (kind === 'mysql') {
    const connection = await mysql.createConnection(url);
    return {
      run: async (text: string) => (await connection.query(text))[0] as Rows,
      end: () => connection.end(),
    };
  }
  const client = new pg.Client(url);
  await client.connect();
  return { run: async (text: string) => (await client.query(text)).rows as Rows, end: () => client.end() };
}
