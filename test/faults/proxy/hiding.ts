import { connect, createServer, type Socket } from 'node:net';

/** What stands before Redis and does not let everything through, as services that share one Redis among many do. */
export interface Hiding {
  readonly port: number;
  /** How many commands were let through, by name in small letters. */
  readonly passed: Readonly<Record<string, number>>;
  /** How many were hidden. */
  readonly hidden: number;
  /** Ends every connection. */
  reset(): void;
  stop(): Promise<void>;
}

/** A command, as texts; gives what is sent in its place, or undefined to let it through. */
type Rule = (command: readonly string[]) => readonly string[] | undefined;

/** Redis answers as a proxy would that does not know it. */
const unknown = ['unstale.hidden'];
const named = (...names: readonly string[]): Rule => {
  return (command) => (names.every((name, i) => command[i]?.toLowerCase() === name) ? unknown : undefined);
};
const isRedirect = (part: string) => part.toLowerCase() === 'redirect';

export const hidings = {
  'CLIENT TRACKING': named('client', 'tracking'),
  'CLIENT TRACKING with REDIRECT': (command) =>
    command.some(isRedirect) ? named('client', 'tracking')(command) : undefined,
  /** Accepted, and never heard of again. */
  'the messages of CLIENT TRACKING': (command) => named('client', 'tracking')(command) && ['client', 'tracking', 'off'],
  'CLIENT ID': named('client', 'id'),
  INFO: named('info'),
  ROLE: named('role'),
  /** By a script that asks for it: the text is hidden, and with it the script. */
  'INFO in scripts': (command) =>
    /^(eval|script)/i.test(command[0] ?? '') && asksForInfo(command) ? unknown : undefined,
} satisfies Record<string, Rule>;
export type Hidden = keyof typeof hidings;

const asksForInfo = (command: readonly string[]) => command.some((part) => /call\(\s*['"]info/i.test(part));

/** Starts a proxy before the Redis on a port, which hides some of what that Redis can do. */
export async function startHiding(target: number, what: readonly Hidden[]): Promise<Hiding> {
  const rules = what.map((name): Rule => hidings[name]);
  const passed: Record<string, number> = {};
  const sockets = new Set<Socket>();
  let hidden = 0;
  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {}); // `close` follows
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    let rest = Buffer.alloc(0);
    client.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let end: number | undefined; ; rest = rest.subarray(end)) {
        const command: string[] = [];
        end = endOf(rest, command);
        if (end === undefined) return;
        const instead = rules.map((rule) => rule(command)).find((it) => it !== undefined);
        const name = command[0]?.toLowerCase() ?? '';
        if (instead === undefined) passed[name] = (passed[name] ?? 0) + 1;
        else hidden++;
        server.write(instead === undefined ? rest.subarray(0, end) : written(instead));
      }
    });
    server.on('data', (chunk) => client.write(chunk));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const reset = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (listener.address() as { port: number }).port,
    passed,
    get hidden() {
      return hidden;
    },
    reset,
    async stop() {
      reset();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** Where the first command ends, whose parts are added to `into`; undefined as long as it has not arrived as a whole. */
function endOf(bytes: Buffer, into: string[]): number | undefined {
  let at = 0;
  const line = (): string | undefined => {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const text = bytes.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  const count = line();
  if (count === undefined) return undefined;
  if (!count.startsWith('*')) throw new Error(`Expected a command as an array, got '${count.slice(0, 40)}'`);
  for (let left = Number(count.slice(1)); left > 0; left--) {
    const length = Number(line()?.slice(1));
    if (Number.isNaN(length) || bytes.length < at + length + 2) return undefined;
    into.push(bytes.toString('latin1', at, at + length));
    at += length + 2;
  }
  return at;
}

function written(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}
