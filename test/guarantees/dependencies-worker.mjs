// Answers statements from another thread, whose client nobody has wrapped.
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';

const client = new pg.Client(workerData);
await client.connect();
parentPort.on('message', async (sql) => parentPort.postMessage((await client.query(sql)).rows[0]));
