import { connect, createServer, type Socket } from 'node:net';

/** What becomes of a statement that is waited for, and of its connection, which is lost in each case. */
export const ways = [
  /** The server carries it out and answers; the answer is lost. */
  'answer lost',
  /** It is sent, and the connection is lost in the same moment. */
  'lost at once',
  /** The connection is lost, and the statement is still on its way: the server carries it out a little later. */
  'carried out late',
  /** It is lost with the connection. */
  'never sent',
] as const;
export type Way = (typeof ways)[number];

/** Milliseconds by which a statement is late. */
export const late = 700;

/** A wire to a database that is cut at a statement. */
export interface Wire {
  readonly port: number;
  /** Cuts the connection on which a statement comes next that matches. */
  cutAt(statement: RegExp, way: Way): void;
  stop(): Promise<void>;
}

export async function startWire(target: number): Promise<Wire> {
  let next: { statement: RegExp; way: Way } | undefined;
  const open = new Set<Socket>();
  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    let [isAnswered, isCut] = [() => {}, false];
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('error', () => {}); // `close` follows
      socket.on('close', () => open.delete(socket));
    }
    const lose = () => {
      isCut = true;
      client.resetAndDestroy();
    };
    const deliver = (chunk: Buffer) => {
      isAnswered = () => server.destroy();
      server.write(chunk);
    };
    client.on('data', (chunk) => {
      if (next === undefined || !next.statement.test(chunk.toString('latin1'))) return void server.write(chunk);
      const { way } = next;
      next = undefined;
      if (way === 'answer lost') {
        isAnswered = () => {
          lose();
          server.destroy();
        };
        server.write(chunk);
        return;
      }
      lose();
      if (way === 'lost at once') deliver(chunk);
      if (way === 'carried out late') setTimeout(deliver, late, chunk);
      if (way === 'never sent') server.destroy();
    });
    server.on('data', (chunk) => {
      isAnswered();
      if (!isCut) client.write(chunk);
    });
    client.on('close', () => !isCut && server.destroy());
    server.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as { port: number }).port,
    cutAt(statement, way) {
      next = { statement, way };
    },
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
