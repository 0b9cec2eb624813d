import { connect, createServer, type Socket } from 'node:net';

type Direction = 'requests' | 'answers';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** How it began: by then a connection has said what it is for. */
  said: string;
}

const maxSaid = 4096;

/** A wire that can be cut, held and slowed down, between a client and a server on this machine. */
export interface Proxy {
  readonly port: number;
  /** Ends every connection with a reset and refuses new ones, until `flow`. */
  cut(): void;
  /** Ends every connection with a reset; new ones are welcome. */
  reset(): void;
  /** Keeps what is sent and says nothing to either end, until `flow`. Holding only `answers` lets commands be carried out. */
  hold(direction?: Direction): void;
  /** Keeps the answers of those connections alone that have ever sent `text`, until `flow`: a subscriber goes deaf, say. */
  deafen(text: string): void;
  /** Keeps what is sent by either end of the connections that are open now, until `flow`; new ones are welcome. */
  strand(): void;
  /** Forwards again, first what was held. */
  flow(): void;
  /** Forwards everything this many milliseconds later. */
  delay(ms: number): void;
  /** Connections that are open now. */
  readonly connections: number;
  /** What has been forwarded. */
  readonly bytes: Readonly<Record<Direction, number>>;
  stop(): Promise<void>;
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const pairs = new Set<Pair>();
  const bytes = { requests: 0, answers: 0 };
  const gates = { requests: gate(), answers: gate() };
  const hearing = gate();
  const stranded = new Set<Pair>();
  let deaf = '';
  let late = 0;
  let refuses = false;

  function forward(pair: Pair, direction: Direction): void {
    const [from, to] = direction === 'requests' ? [pair.client, pair.server] : [pair.server, pair.client];
    // One after the other: a chunk waits for its own delay and for the gate, and the end of the stream waits like a chunk.
    let line = Promise.resolve();
    const send = (action: () => void) => {
      const due = performance.now() + late;
      line = line.then(async () => {
        const wait = due - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        await gates[direction].passed();
        const isDeaf = direction === 'answers' && deaf !== '' && pair.said.includes(deaf);
        if (isDeaf || stranded.has(pair)) await hearing.passed();
        action();
      });
    };
    from.on('data', (chunk) => {
      if (direction === 'requests') pair.said = `${pair.said}${chunk.toString('latin1')}`.slice(0, maxSaid);
      send(() => {
        if (to.destroyed) return;
        bytes[direction] += chunk.length;
        to.write(chunk);
      });
    });
    from.on('end', () => send(() => to.end()));
    from.on('close', () => send(() => to.destroy()));
    from.on('error', () => {}); // `close` follows
  }

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    if (refuses) return void client.resetAndDestroy();
    const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair = { client, server, said: '' };
    pairs.add(pair);
    forward(pair, 'requests');
    forward(pair, 'answers');
    client.on('close', () => {
      pairs.delete(pair);
      stranded.delete(pair);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));

  const reset = () => {
    for (const { client, server } of pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
    pairs.clear();
  };
  const flow = () => {
    refuses = false;
    gates.requests.open();
    gates.answers.open();
    hearing.open();
    stranded.clear();
    deaf = '';
  };
  return {
    port: (listener.address() as { port: number }).port,
    cut() {
      refuses = true;
      reset();
    },
    reset,
    hold(direction) {
      if (direction !== 'answers') gates.requests.close();
      if (direction !== 'requests') gates.answers.close();
    },
    deafen(text) {
      deaf = text;
      hearing.close();
    },
    strand() {
      for (const pair of pairs) stranded.add(pair);
      hearing.close();
    },
    flow,
    delay(ms) {
      late = ms;
    },
    get connections() {
      return pairs.size;
    },
    bytes,
    async stop() {
      reset();
      flow();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** Passed at once while open; while closed, when it is opened again. */
function gate(): { open(): void; close(): void; passed(): Promise<void> } {
  let isOpen = true;
  let waiting: (() => void)[] = [];
  return {
    open() {
      isOpen = true;
      for (const go of waiting) go();
      waiting = [];
    },
    close() {
      isOpen = false;
    },
    async passed() {
      // Again, because it may be closed anew before a line that was let go comes to run.
      while (!isOpen) await new Promise<void>((go) => waiting.push(go));
    },
  };
}
