import { expect, inject, test } from 'vitest';
import { type AdapterCase, adapterContract } from '../../../src/testing/index.js';
import { knexDriver } from './knex.js';
import { flaws, naively } from './naive.js';

const { postgres, mysql, sqlite } = inject('services');
const servers = [
  ...(sqlite ? [{ dialect: 'sqlite' as const }] : []),
  ...(postgres ? [{ dialect: 'postgres' as const, url: postgres.url }] : []),
  ...(mysql ? [{ dialect: 'mysql' as const, url: mysql.url }] : []),
];

/** These say that something goes well which only an adapter could get wrong. */
const harmless = [
  /^by hand: within\(something\)/,
  /^writes: (a RETURNING that was asked for gives|what an update gives back)/,
  /^COMMIT: a statement that fails/,
  // Values that JSON keeps.
  /^values: (bigint|boolean|decimal|inet|integer|json|jsonb|null|numeric|point|range|text|time|uuid|year): /,
  /^values: (a double|a json null|a set|an array of numbers|an array of texts|an empty text|letters of all kinds): /,
];

test.skipIf(servers.length === 0)('every case fails with one of the naive caches', { timeout: 180_000 }, async () => {
  const proven = new Set<string>();
  const seen = new Set<string>();
  // On the first database that has what a case needs, and in one process when it can be.
  for (const server of servers) {
    let left: ReadonlySet<string> | undefined;
    for (const flaw of flaws) {
      const all = adapterContract(await knexDriver(server, naively(flaw)));
      const names = new Set(all.map(({ name }) => name));
      const once = ({ name }: AdapterCase) => name.endsWith(one) || !names.has(name.replace('(two processes)', one));
      const cases = all.filter((it) =>
        left ? left.has(it.name) : it.skip === undefined && once(it) && !seen.has(it.name),
      );
      await eachOf(cases, async (it) => {
        if (!(await passes(it))) proven.add(it.name);
      });
      left = new Set(cases.map(({ name }) => name).filter((name) => !proven.has(name)));
      for (const { name } of cases) seen.add(name);
    }
  }
  const passed = [...seen].filter((name) => !proven.has(name) && !harmless.some((it) => it.test(name)));
  expect(passed).toEqual([]);
});

const one = '(one process)';

async function passes({ run }: AdapterCase): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, 6_000, false);
  });
  const ran = run().then(
    () => true,
    () => false,
  );
  return Promise.race([ran, late]).finally(() => clearTimeout(timer));
}

/** Some at a time, since each has a database of its own. */
async function eachOf(cases: readonly AdapterCase[], run: (one: AdapterCase) => Promise<void>): Promise<void> {
  const left = [...cases];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await run(one);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
