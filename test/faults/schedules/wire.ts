import { connect, createServer, type Socket } from 'node:net';

/** An answer of a server that has arrived and is not yet passed on. */
export interface Held {
  /** Whose it is, such as `reader redis`. */
  readonly name: string;
  pass(): void;
}

/** A wire that passes requests on at once, and each answer when it is told to. */
export interface Wire {
  readonly port: number;
  /** The next answer of each connection, the oldest connection first. */
  held(): Held[];
  /** Whether a server has been asked something and has said nothing since. */
  isAsking(): boolean;
  stop(): Promise<void>;
}

/** What the wires of one schedule share. */
export interface Desk {
  /** Whether answers wait; else they pass. */
  holds: boolean;
  /** When something last moved, by `performance.now()`. */
  moved: number;
}

interface Line {
  readonly waiting: Buffer[];
  asking: boolean;
}

export async function startWire(name: string, targetPort: number, desk: Desk): Promise<Wire> {
  const lines = new Map<Socket, Line>();
  const listener = createServer((client) => {
    const server = connect({ port: targetPort, host: '127.0.0.1' });
    const line: Line = { waiting: [], asking: false };
    const { waiting } = line;
    lines.set(client, line);
    client.on('data', (chunk) => {
      desk.moved = performance.now();
      line.asking = true;
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      desk.moved = performance.now();
      line.asking = false;
      if (desk.holds || waiting.length > 0) waiting.push(chunk);
      else client.write(chunk);
    });
    const end = () => {
      lines.delete(client);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as { port: number }).port,
    held: () =>
      [...lines].flatMap(([client, { waiting }]) =>
        waiting.length === 0
          ? []
          : [
              {
                name,
                pass() {
                  desk.moved = performance.now();
                  client.write(waiting.shift() as Buffer);
                },
              },
            ],
      ),
    isAsking: () => [...lines.values()].some((line) => line.asking),
    async stop() {
      for (const client of lines.keys()) client.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
