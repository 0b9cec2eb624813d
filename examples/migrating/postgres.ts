// A PostgreSQL with one user in it, and a line to it on which an answer can be held back: the line knows statements by
// their text, so whatever speaks to the database from here, TypeORM or Prisma, needs no change for the story.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { type Database, type Held, signal, start } from './story.js';

export interface Postgres extends Database {
  /** Through the line. */
  readonly url: string;
  stop(): Promise<void>;
}

// A read of users, and not one that only carries the text of such a read, as rows of TypeORM's cache do.
const isRead = (sent: string) => /\bFROM ("public"\.)?"users"/.test(sent) && !sent.includes('query-result-cache');

export async function startPostgres(): Promise<Postgres> {
  const server = await start('postgres');
  const direct = new pg.Client(server.url);
  await direct.connect();
  await direct.query('create table users (id integer primary key, name text not null)');
  await direct.query(`insert into users values (7, 'Ada')`);

  let reads = 0;
  let next: { answer(): void; released: Promise<void> } | undefined;
  const target = new URL(server.url);
  const sockets = new Set<Socket>();
  const line = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    let held: typeof next;
    // One after the other: what follows a held answer waits behind it.
    let answers = Promise.resolve();
    client.on('data', (chunk) => {
      if (isRead(chunk.toString('latin1'))) {
        reads++;
        held = next;
        next = undefined;
      }
      database.write(chunk);
    });
    database.on('data', (chunk) => {
      held?.answer();
      const released = held?.released;
      answers = answers.then(() => released).then(() => void client.write(chunk));
    });
    for (const [socket, other] of [
      [client, database],
      [database, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {}); // `close` follows
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  line.listen(0, '127.0.0.1');
  await once(line, 'listening');
  const url = new URL(server.url);
  url.host = `127.0.0.1:${(line.address() as AddressInfo).port}`;

  return {
    url: url.href,
    get reads() {
      return reads;
    },
    async name() {
      const { rows } = await direct.query('select name from users where id = 7');
      return rows[0].name;
    },
    hold(): Held {
      const [answered, released] = [signal(), signal()];
      next = { answer: answered.give, released: released.given };
      return { answered: answered.given, release: released.give };
    },
    async stop() {
      await direct.end();
      line.close();
      for (const socket of sockets) socket.destroy();
      await server.stop();
    },
  };
}
