import { parentPort, workerData } from 'node:worker_threads';
import type { Calls, Made } from './isolates.js';
import { rows } from './rows/index.js';

/** One of the copies of a service that a row is about. */
const { row: name, me, data } = workerData as Made;
const { row } = await (rows[name] as (typeof rows)[string])();
const calls: Calls = { ready: () => {}, ...(await row.isolate?.(me, data as never)) };

parentPort?.on('message', async ({ name, argument }: { name: string; argument: never }) => {
  try {
    parentPort?.postMessage({ value: await calls[name]?.(argument) });
  } catch (error) {
    parentPort?.postMessage({ error });
  }
});
