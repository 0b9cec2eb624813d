/** A process that works with Redis, closes its session and must then end by itself: `tsx a-process.ts <url> <maxStale>`. */
import { redisStore } from '../../../adapters/redis/index.js';
import { systemClock } from '../../../src/adapter/index.js';

const [, , url, maxStale, how] = process.argv as [string, string, string, string, string];
const quiet = { changed() {}, lost() {}, proven() {}, up() {}, report() {} };
const session = redisStore(url).open({
  name: `process-${process.pid}`,
  clock: systemClock(),
  maxStale: Number(maxStale),
  strict: false,
  listener: quiet,
});

async function work() {
  while (how === 'works' && session.epoch === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  await session.read('key', ['tag']).catch(() => {});
  await session.lease('key', 1000).catch(() => {});
  await session.released('key', 100);
  const under = session.raise(['tag'], 1000).catch(() => {});
  await session.close();
  await under;
  await new Promise((resolve) => setTimeout(resolve, 150));
  // What still keeps the process alive, apart from its own output.
  const left = process.getActiveResourcesInfo().filter((it) => !/^(Pipe|TTY|FSReq|TickObject)/.test(it));
  console.log(JSON.stringify(left));
}
void work();
