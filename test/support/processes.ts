import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { forkTypeScript } from './fork.js';
import type { Order, Report } from './worker.js';

const file = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** A cache in a process of its own. */
export interface Worker {
  /** Carries out an order, and resolves with its result. */
  do(order: Order): Promise<unknown>;
  /** The same for a read, with what it got and how many loads that took here. */
  read(order: Omit<Extract<Order, { do: 'read' }>, 'do'>): Promise<{ values: unknown[]; loads: number }>;
  /** A read whose load waits for the order `answer`; resolves when the load has read its row. */
  readSlowly(key: string, row: string): Promise<{ done: Promise<{ values: unknown[]; loads: number }> }>;
  kill(signal: NodeJS.Signals): void;
  /** Ends the process, at the latest by force. */
  stop(): Promise<void>;
}

/** Starts a process with a cache named `name` on the Redis at `url`, its wall clock off by `skew` milliseconds. */
export async function startWorker(url: string, name: string, skew = 0): Promise<Worker> {
  const child: ChildProcess = forkTypeScript(file, [JSON.stringify({ url, name, skew })], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { asked(): void; end(report: Report): void }>();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let last = 0;
  const ready = new Promise<void>((resolve, reject) => {
    waiting.set(0, { asked() {}, end: () => resolve() });
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`a worker ended with ${code ?? signal}`)));
  });
  child.on('message', (report: Report) => {
    const one = waiting.get(report.id);
    if (report.asked) return one?.asked();
    waiting.delete(report.id);
    one?.end(report);
  });
  const order = (what: Order, asked = () => {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      const end = ({ error, result }: Report) => (error === undefined ? resolve(result) : reject(new Error(error)));
      waiting.set(id, { asked, end });
      child.send({ id, order: what });
    });
  await ready;
  return {
    do: order,
    read: (what) => order({ do: 'read', ...what }) as ReturnType<Worker['read']>,
    async readSlowly(key, row) {
      let done: ReturnType<Worker['read']> | undefined;
      await new Promise<void>((resolve, reject) => {
        done = order({ do: 'read', key, row, held: true }, resolve) as ReturnType<Worker['read']>;
        done.then(() => resolve(), reject);
      });
      return { done: done as ReturnType<Worker['read']> };
    },
    kill: (signal) => child.kill(signal),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(timer);
    },
  };
}
