import { createServer } from 'node:net';

// Below every system's ephemeral range (Linux 32768+, others 49152+): a client that reconnects to a stopped server could
// otherwise be given that very port for its own end, and keep the server from coming back.
const lowest = 15_000;
const highest = 32_000;

/** `count` different loopback ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

/** Starts something on `count` free ports, and once more on others if somebody took one in between. */
export async function onFreePorts<T>(count: number, start: (ports: number[]) => Promise<T>): Promise<T> {
  try {
    return await start(await freePorts(count));
  } catch (error) {
    if (!/address already in use/i.test(String(error))) throw error;
    return await start(await freePorts(count));
  }
}
