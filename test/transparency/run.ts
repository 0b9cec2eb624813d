// npx tsx test/transparency/run.ts --programs 5000 --seed 1 --database postgres|mysql|sqlite [--forget rows]
import { parseArgs } from 'node:util';
import { knexDriver } from '../contract/adapters/knex.js';
import { startServices } from '../services/index.js';
import type { Kind } from './control.js';
import { described, playAll, summary } from './play.js';

const { values } = parseArgs({
  options: {
    programs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    database: { type: 'string', default: 'sqlite' },
    forget: { type: 'string' },
  },
});
const dialect = values.database as 'postgres' | 'mysql' | 'sqlite';
const { services, missing, stop } = await startServices([dialect]);
if (missing.length > 0) throw new Error(missing.join('\n'));
try {
  const driver = await knexDriver({ dialect, ...(services as Record<string, object>)[dialect] });
  let told = 0;
  const outcome = await playAll(driver, {
    programs: Number(values.programs),
    seed: Number(values.seed),
    ...(values.forget !== undefined && { forget: values.forget as Kind }),
    progress(now) {
      for (const difference of now.differences.slice(told)) console.log(described(difference));
      told = now.differences.length;
      console.log(`${driver.name}, ${driver.server}, seed ${values.seed}: ${summary(now)}`);
    },
  });
  process.exitCode = outcome.differences.length > 0 ? 1 : 0;
} finally {
  await stop();
}
