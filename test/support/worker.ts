import { redisStore } from '../../adapters/redis/index.js';
import { createCache } from '../../src/index.js';
import { ask } from '../services/redis.js';

/**
 * A process with one cache on Redis, told over IPC what to do. Its database are counters on the same server, under
 * names that no cache uses. A load can be told to wait before it answers, until another message lets it.
 */
export type Order =
  | {
      readonly do: 'read';
      readonly key: string;
      readonly row: string;
      readonly held?: boolean;
      readonly times?: number;
      readonly takes?: number;
      readonly fails?: string;
    }
  | { readonly do: 'commit'; readonly row: string }
  | { readonly do: 'invalidate'; readonly tags: readonly string[] }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'clear' }
  | { readonly do: 'set'; readonly key: string; readonly row: string }
  | { readonly do: 'answer' }
  | { readonly do: 'close' };
/** What becomes of an order: first `asked` when a held load has read its row, at last a result. */
export interface Report {
  readonly id: number;
  readonly asked?: true;
  readonly result?: unknown;
  readonly error?: string;
}

const { url, name, skew } = JSON.parse(process.argv[2] as string) as { url: string; name: string; skew: number };
if (skew !== 0) {
  const { now } = Date;
  Date.now = () => now() + skew;
}
const { hostname: host, port } = new URL(url);
const database = { host, port: Number(port) };
const cache = createCache({ name, jitter: 0, ackTimeout: '3s', store: redisStore(url, { timeout: '2s' }) });
let held: (() => void)[] = [];

const rowOf = (row: string) => `${name}-database:${row}`;
const query = async (row: string) => Number((await ask(database, (redis) => redis.get(rowOf(row)))) ?? 0);

async function perform(order: Order, id: number): Promise<unknown> {
  switch (order.do) {
    case 'read': {
      let loads = 0;
      const load = async () => {
        loads++;
        if (order.fails !== undefined) {
          await new Promise((resolve) => setTimeout(resolve, order.takes ?? 0));
          throw new Error(order.fails);
        }
        const value = await query(order.row);
        // Those who joined may have it loaded once more, in the name of who came first.
        if (order.held && loads === 1) {
          const answered = new Promise<void>((resolve) => held.push(resolve));
          send({ id, asked: true });
          await answered;
        }
        if (order.takes !== undefined) await new Promise((resolve) => setTimeout(resolve, order.takes));
        return value;
      };
      const reads = Array.from({ length: order.times ?? 1 }, () =>
        cache.getOrSet({ key: order.key, tags: [order.row], load }).catch((error) => `failed: ${error.message}`),
      );
      const values = await Promise.all(reads);
      return { values: [...new Set(values)], loads };
    }
    case 'commit':
      return ask(database, (redis) => redis.incr(rowOf(order.row)));
    case 'invalidate':
      return void (await cache.invalidate(...order.tags));
    case 'delete':
      return void (await cache.delete(order.key));
    case 'clear':
      return void (await cache.clear());
    case 'set': {
      const since = await cache.snapshot(order.row);
      return cache.set(order.key, await query(order.row), { since });
    }
    case 'answer':
      for (const answer of held) answer();
      held = [];
      return;
    case 'close':
      await cache.close();
      return leftOpen(1000);
  }
}

/** What would keep a process alive that has nothing to do: the channel to the test is all there may be. */
async function leftOpen(patience: number): Promise<string[]> {
  for (const end = performance.now() + patience; ; await new Promise((resolve) => setImmediate(resolve))) {
    const own = ['PipeWrap', 'TTYWrap', 'Immediate'];
    const left = process.getActiveResourcesInfo().filter((it) => !own.includes(it));
    if (left.length === 0 || performance.now() > end) return left;
  }
}

function send(report: Report): void {
  process.send?.(report);
}

process.on('message', ({ id, order }: { id: number; order: Order }) => {
  perform(order, id).then(
    (result) => send({ id, result }),
    (error: Error) => send({ id, error: String(error?.stack ?? error) }),
  );
});
process.on('disconnect', () => process.exit());
send({ id: 0 });
