import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { forkTypeScript } from '../support/fork.js';

/** A process of a test, which is told what to do and answers. */
export interface Worker<Order> {
  do<Result>(order: Order): Promise<Result>;
  stop(): Promise<void>;
}

/** @param file - beside this one */
export async function start<Order>(file: string, setup: unknown): Promise<Worker<Order>> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child: ChildProcess = forkTypeScript(path, [JSON.stringify(setup)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let last = 0;
  const ready = new Promise<unknown>((resolve, reject) => {
    waiting.set(0, { resolve, reject });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const error = new Error(`a worker ended with ${code ?? signal}`);
      for (const { reject: fail } of waiting.values()) fail(error);
    });
  });
  child.on('message', ({ id, error, result }: { id: number; error?: string; result?: unknown }) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(result);
    else one?.reject(new Error(error));
  });
  await ready;
  return {
    do: <Result>(order: Order) =>
      new Promise<Result>((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
        child.send({ id, order });
      }),
    async stop() {
      child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(timer);
    },
  };
}
