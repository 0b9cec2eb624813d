/**
 * Mistakes on purpose, by name: `npx tsx test/mutants/run.ts [part of a rule]`. Each is made in a copy of the sources, the
 * tests that know the rule are run on it, and it ends with 1 when one of the named tests is still green.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { algebra } from './algebra.js';
import type { Mutant } from './mutant.js';
import { unitOfWork } from './unit-of-work.js';

const lists: readonly (readonly Mutant[])[] = [algebra, unitOfWork];

const root = fileURLToPath(new URL('../..', import.meta.url));
// Below the packages, so that they are found from there.
const place = join(root, `node_modules/.cache/mutants-${process.pid}`);
const wanted = process.argv[2] ?? '';
const mutants = lists.flat().filter(({ rule }) => rule.includes(wanted));

for (const [at, mutant] of mutants.entries()) make(mutant, join(place, `${at}`));
writeFileSync(join(place, 'vitest.config.mjs'), "export default { test: { include: ['*/test/**/*.test.ts'] } };\n");
const results = run();
rmSync(place, { recursive: true, force: true });
let survivors = 0;
for (const [at, mutant] of mutants.entries()) {
  const red = results.get(at) ?? [];
  const green = mutant.cases.filter((name) => !red.some((it) => it.includes(name)));
  if (green.length > 0) survivors++;
  const others = red.filter((it) => !mutant.cases.some((name) => it.includes(name))).length;
  console.log(
    green.length === 0
      ? `killed    ${mutant.rule}${others > 0 ? `  (and ${others} more are red)` : ''}`
      : `SURVIVED  ${mutant.rule}: ${green.join(', ')}`,
  );
}
console.log(`${mutants.length - survivors} of ${mutants.length} mutants were found`);
process.exitCode = survivors > 0 || mutants.length === 0 ? 1 : 0;

/** A copy of what the test needs, with the mistake in it. */
function make({ rule, file, from, to, test }: Mutant, folder: string): void {
  for (const part of ['src', 'test/unit', 'test/fuzz/sql', 'test/support'])
    cpSync(join(root, part), join(folder, part), {
      recursive: true,
      filter: (path) =>
        !path.includes('node_modules', root.length) && (!/\.test\.ts$/.test(path) || path.endsWith(test)),
    });
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  if (text.split(from).length !== 2) console.log(`${rule}: ${file} must have this once: ${from}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}

/** The names of red tests, by the number of the mutant. */
function run(): Map<number, string[]> {
  const output = join(place, 'results.json');
  try {
    execFileSync('npx', ['vitest', 'run', '--root', place, '--reporter=json', `--outputFile=${output}`], {
      cwd: root,
      stdio: 'ignore',
    });
  } catch {
    // Red tests are what it is about.
  }
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as Results;
  const red = new Map<number, string[]>();
  for (const { name, message, assertionResults } of testResults) {
    const at = Number(relative(place, name).split('/')[0]);
    const failed = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
    // A file that cannot be loaded has no red test.
    if (assertionResults.length === 0) console.log(`${mutants[at]!.rule}: ${message}`);
    red.set(at, [...(red.get(at) ?? []), ...failed]);
  }
  return red;
}

interface Results {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}
