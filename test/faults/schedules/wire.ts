import { connect, createServer, type Socket } from 'node:net';
import type { Protocol } from './protocols.js';

/** An answer of a server that has arrived and is not yet passed on. */
export interface Held {
  /** Whose it is and to what, such as `reader 0 redis mget`. */
  readonly name: string;
  /** Of two with one name the one that was asked for first comes first. */
  readonly asked: number;
  pass(): void;
}

/** A wire that passes requests on at once, and each answer when it is told to. */
export interface Wire {
  /** The next answer of each connection. */
  held(): Held[];
  /** Asks wherever the server may speak unasked: what it had to say comes before its answer, which goes to nobody. */
  sound(): void;
  stop(): Promise<void>;
}

/** What the wires of one schedule share. */
export interface Desk {
  /** Whether answers wait; else they pass. */
  holds: boolean;
  /** Whether the answers to what was sent at once come one by one; else they come at once, too. */
  readonly oneByOne: boolean;
  /** How many answers servers owe. */
  owed: number;
  /** Counts requests. */
  asked: number;
  /** Hears that something went over a wire. */
  moved(): void;
  /** Hears that an answer goes on to who asked. */
  passed(wire: string): void;
}

interface Line {
  held(): Held[];
  sound(): void;
}

interface Request {
  readonly name: string;
  /** What was sent at once has one number. */
  readonly asked: number;
  readonly isOurs?: boolean;
}

/**
 * Clients come by a Unix socket: what one side writes there the other side can read at once, without a detour through
 * the timing of a network. So when nobody owes an answer and the event loop has turned without finding anything to read,
 * everybody waits.
 */
export async function startWire(
  name: string,
  path: string,
  { port, protocol }: { readonly port: number; readonly protocol: Protocol },
  desk: Desk,
): Promise<Wire> {
  const lines = new Map<Socket, Line>();
  const listener = createServer((client) => {
    const server = connect({ port, host: '127.0.0.1' });
    lines.set(
      client,
      aLine(name, client, server, protocol, desk, () => lines.delete(client)),
    );
  });
  await new Promise<void>((resolve) => listener.listen(path, resolve));
  return {
    held: () => [...lines.values()].flatMap((line) => line.held()),
    sound() {
      for (const line of lines.values()) line.sound();
    },
    async stop() {
      for (const client of lines.keys()) client.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function aLine(name: string, client: Socket, server: Socket, protocol: Protocol, desk: Desk, ended: () => void): Line {
  const requests: Request[] = [];
  const waiting: (Request & { readonly bytes: Buffer })[] = [];
  const [requestsOf, answersOf] = [protocol.requests(), protocol.answers()];
  let mayBeUnasked = false;
  const pass = (bytes: Buffer) => {
    desk.passed(name);
    client.write(bytes);
  };
  client.on('data', (piece) => {
    for (const request of requestsOf(piece)) {
      requests.push({ name: request, asked: desk.asked });
      desk.owed++;
      if (desk.oneByOne) desk.asked++;
      mayBeUnasked ||= request === protocol.listening?.behind;
    }
    desk.asked++;
    server.write(piece);
    desk.moved();
  });
  server.on('data', (piece) => {
    for (const { bytes, unasked } of answersOf(piece)) {
      const request = unasked === undefined ? requests.shift() : { name: unasked, asked: desk.asked++ };
      if (request === undefined) throw new Error(`Expected a request on ${name}, got an answer alone`);
      if (unasked === undefined) desk.owed--;
      if (request.isOurs) continue;
      if (desk.holds || waiting.length > 0) waiting.push({ ...request, bytes });
      else pass(bytes);
    }
    desk.moved();
  });
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    desk.owed -= requests.length;
    client.destroy();
    server.destroy();
    ended();
    desk.moved();
  };
  for (const socket of [client, server]) socket.on('error', end).on('close', end);
  return {
    held() {
      const [first] = waiting;
      if (first === undefined) return [];
      const together = waiting.filter(({ asked }) => asked === first.asked);
      const names = new Set(together.map((answer) => answer.name));
      return [
        {
          name: `${name} ${[...names].join('+')}`,
          asked: first.asked,
          pass() {
            waiting.splice(0, together.length);
            pass(Buffer.concat(together.map(({ bytes }) => bytes)));
          },
        },
      ];
    },
    sound() {
      if (!mayBeUnasked || protocol.listening === undefined) return;
      requests.push({ name: 'sound', asked: desk.asked++, isOurs: true });
      desk.owed++;
      server.write(protocol.listening.sound);
    },
  };
}
