// npx tsx --tsconfig /dev/null test/transparency/run.ts --adapter kysely --database postgres --programs 5000 --seed 1
//   [--forget rows]
// Without `--tsconfig`, Prisma's own modules are taken for the types of them that the project has.
import { parseArgs } from 'node:util';
import { type AdapterName, adapters, driversOf } from '../contract/adapters/drivers.js';
import { startServices } from '../services/index.js';
import type { Kind } from './control.js';
import { described, playAll, summary } from './play.js';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', default: 'knex' },
    database: { type: 'string', default: 'sqlite' },
    programs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    forget: { type: 'string' },
  },
});
const { adapter, database, seed, forget } = values;
const has = Object.hasOwn(adapters, adapter) ? adapters[adapter as AdapterName] : undefined;
if (!has || !(database in has))
  throw new TypeError(`Expected an adapter of ${Object.keys(adapters).join(', ')}, on a database of it`);
const { services, missing, stop } = await startServices([database as 'postgres' | 'mysql' | 'sqlite']);
if (missing.length > 0) throw new Error(missing.join('\n'));
try {
  const [driver] = await driversOf(services, adapter as AdapterName);
  if (!driver) throw new Error(`${database} did not start`);
  let told = 0;
  const outcome = await playAll(driver, {
    programs: Number(values.programs),
    seed: Number(seed),
    ...(forget !== undefined && { forget: forget as Kind }),
    progress(now) {
      for (const difference of now.differences.slice(told)) console.log(described(difference));
      told = now.differences.length;
      console.log(`${driver.name}, ${driver.server}, seed ${seed}: ${summary(now)}`);
    },
  });
  process.exitCode = outcome.differences.length > 0 ? 1 : 0;
} finally {
  await stop();
}
