/** A process that reads one tag all the time and tells what it got: `tsx a-reading-process.ts <target> <name>`. */
import { redisStore } from '../../../adapters/redis/index.js';
import { systemClock } from '../../../src/adapter/index.js';

/** What a read that began at `begun`, in microseconds of the machine's monotonic clock, showed; nothing if it failed. */
export interface Shown {
  readonly begun: number;
  readonly sight?: string;
}

const [, , target, name] = process.argv as [string, string, string, string];
const quiet = { changed() {}, lost() {}, proven() {}, up() {}, report() {} };
const session = redisStore(JSON.parse(target)).open({
  name,
  clock: systemClock(),
  maxStale: 0,
  strict: false,
  listener: quiet,
});

setInterval(() => {
  const begun = Number(process.hrtime.bigint() / 1000n);
  session.read(undefined, ['tag']).then(
    ({ epoch, versions }) => process.send?.({ begun, sight: `${epoch} ${versions[0]}` } satisfies Shown),
    () => process.send?.({ begun } satisfies Shown),
  );
}, 5);
process.on('disconnect', () => process.exit());
