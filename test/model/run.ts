/**
 * The long run, by name: `npx tsx test/model/run.ts [--scope large] [--trace] [words of a world or flaw]`. Walks our
 * protocol through every world, then every flaw through the world that shows it. Ends with 1 when something that is
 * promised breaks, or a flaw passes. `--trace` prints the shortest way to each violation.
 */
import { parseArgs } from 'node:util';
import { type Counterexample, explore, type Model } from './explore.js';
import { ours } from './protocols.js';
import { rules } from './rules.js';

const { values, positionals } = parseArgs({
  options: { scope: { type: 'string', default: 'small' }, trace: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const words = positionals.join(' ');
let states = 0;
let transitions = 0;
let ms = 0;
const wrong: string[] = [];

console.log('| our protocol in this world | broken | states | transitions | depth | s | states/s |');
console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: |');
for (const { world, model, large, limit } of ours) {
  if ((large && values.scope !== 'large') || !world.includes(words)) continue;
  walk(world, model(), limit?.breaks ?? [], false);
}
console.log('\n| instead of our rule it … | broken | states | transitions | depth | s | states/s |');
console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: |');
for (const { flaw, world, breaks, model } of rules) {
  if (`${flaw} ${world}`.includes(words)) walk(flaw, model(), breaks, true);
}
console.log(`\n${states} states, ${transitions} transitions, ${(ms / 1000).toFixed(1)} s`);
for (const what of wrong) console.error(what);
console.log(wrong.length === 0 ? 'as it should be' : `${wrong.length} not as they should be`);
process.exitCode = wrong.length === 0 ? 0 : 1;

function walk(name: string, model: Model<unknown>, breaks: readonly string[], flawed: boolean): void {
  const outcome = explore(model, { ...(flawed ? { until: breaks } : {}), progress: tellProgress(name) });
  clearProgress();
  states += outcome.states;
  transitions += outcome.transitions;
  ms += outcome.ms;
  const { broken } = outcome;
  const cells = [
    name,
    [...broken.keys()].join(', ') || '–',
    count(outcome.states),
    count(outcome.transitions),
    outcome.depth,
    (outcome.ms / 1000).toFixed(1),
    count(Math.round(outcome.states / (outcome.ms / 1000))),
  ];
  console.log(`| ${cells.join(' | ')} |`);
  if (!flawed && !outcome.complete) wrong.push(`${name}: not walked to its end`);
  for (const property of breaks) if (!broken.has(property)) wrong.push(`${name}: ${property} should break, and holds`);
  for (const [property, found] of broken) {
    const expected = breaks.includes(property);
    if (!flawed && !expected) wrong.push(`${name}: ${property} is broken`);
    if (values.trace || (!flawed && !expected)) tell(property, found);
  }
}

function tell(property: string, { what, trace }: Counterexample): void {
  console.log(`\n${property}: ${what}`);
  for (const [n, label] of trace.entries()) console.log(`${String(n + 1).padStart(4)}. ${label}`);
  console.log('');
}

function tellProgress(name: string) {
  const began = performance.now();
  let told = began;
  return (seen: number, _: number, depth: number) => {
    const now = performance.now();
    if (!process.stderr.isTTY || now - told < 1000) return;
    told = now;
    const perSecond = count(Math.round(seen / ((now - began) / 1000)));
    process.stderr.write(`\r\x1b[K${name}: ${count(seen)} states, ${depth} deep, ${perSecond}/s`);
  };
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}
