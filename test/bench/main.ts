import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServices } from '../services/index.js';
import { describeMachine } from './machine.js';
import type { Outcome, Setting } from './row.js';
import { rows } from './rows/index.js';
import { asMarkdown, asText } from './table.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const here = import.meta.dirname;
const names = Object.keys(rows);
const wanted = names.filter((name) => values.only.length === 0 || values.only.some((part) => name.startsWith(part)));

if (values.help || wanted.length === 0) {
  console.log(`npm run bench -- [options]
  --only <row>   rows whose name starts so; may be repeated
  --quick        a smoke test: few and short rounds
  --seed <n>     order of the contenders and of random keys (1)
  --profile      only ours, with the functions that take the time
  --write        writes the result into test/bench/results.md
Rows: ${names.join(', ')}`);
  process.exit(values.help ? 0 : 1);
}

// Redis is emptied before each row: never one that was lent for tests.
delete process.env.UNSTALE_TEST_REDIS_URL;
const { services, missing, stop } = await startServices(['redis']);
for (const reason of missing) console.log(`${reason}\n`);
const setting: Setting = {
  rounds: values.quick ? 3 : 21,
  ms: values.quick ? 4 : 40,
  seed: Number(values.seed),
  profile: values.profile,
  quick: values.quick,
  redis: services.redis?.url,
};
const machine = await describeMachine(setting);
console.log(machine);
const outcomes: Outcome[] = [];
let failed = false;
try {
  for (const name of wanted) {
    const { row } = await (rows[name] as (typeof rows)[string])();
    if (row.needsRedis && setting.redis === undefined) {
      console.log(`\n${name}: needs Redis`);
      continue;
    }
    const began = performance.now();
    const done = await runRow(name, row.execArgv).catch((error) => {
      console.error(`\n${name}: ${error.message}`);
      failed = true;
      return [];
    });
    outcomes.push(...done);
    if (!values.profile) console.log(asText(done));
    console.log(`\n  ${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  if (values.write) writeFileSync(join(here, 'results.md'), asMarkdown(outcomes, machine));
} finally {
  await stop();
}
process.exit(failed ? 1 : 0);

/** Runs a row in a process of its own. */
async function runRow(name: string, execArgv: readonly string[] = []): Promise<Outcome[]> {
  const child = fork(join(here, 'node_modules/.built/child.mjs'), [name, JSON.stringify(setting)], {
    execArgv: ['--expose-gc', ...execArgv],
    serialization: 'advanced', // JSON has no NaN
  });
  return new Promise((resolve, reject) => {
    let outcomes: Outcome[] | undefined;
    child.once('message', (message) => {
      outcomes = message as Outcome[];
    });
    child.once('exit', (code, signal) => {
      if (outcomes === undefined) reject(new Error(`it ended with ${signal ?? code}`));
      else resolve(outcomes);
    });
  });
}
