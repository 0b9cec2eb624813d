/**
 * How many entries a write ends, beside how many it had to:
 * `npx tsx test/precision/run.ts [--database postgres|mysql|sqlite] [--seed 1] [--repeat 3] [--write]`
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Services, startServices } from '../services/index.js';
import { type Measured, measure, type Variant, variants } from './measure.js';
import { type Database, usual } from './shop.js';

const { values } = parseArgs({
  options: {
    database: { type: 'string', multiple: true, default: ['postgres', 'mysql', 'sqlite'] },
    seed: { type: 'string', default: '1' },
    repeat: { type: 'string', default: '3' },
    write: { type: 'boolean', default: false },
  },
});
const titles = {
  postgres: 'PostgreSQL',
  mysql: 'MariaDB',
  sqlite: 'SQLite',
} as const;
const effort = { size: usual, seed: Number(values.seed), repeat: Number(values.repeat) };
const names = Object.keys(variants) as Variant[];
const { services, missing, stop } = await startServices(values.database as (keyof Services)[]);
for (const reason of missing) console.log(reason);
const parts: string[] = [];
let stale = 0;
try {
  for (const database of values.database as Database[]) {
    if (services[database] === undefined) continue;
    const found = {} as Record<Variant, Measured>;
    for (const variant of names)
      found[variant] = await measure(database, (services[database] as { url?: string }).url, variant, effort);
    const part = asTable(database, found);
    console.log(`\n${part}`);
    parts.push(part);
  }
} finally {
  await stop();
}
if (values.write) writeFileSync(join(import.meta.dirname, 'results.md'), asPage(parts));
if (stale > 0) console.log(`\n${stale} entries were changed and did not end.`);
process.exitCode = stale > 0 ? 1 : 0;

function asTable(database: Database, found: Record<Variant, Measured>): string {
  const { entries, precisions } = found.nothing;
  const mean = (sum: number) => (Math.round((10 * sum) / effort.repeat) / 10).toString();
  const lines = precisions.map((first, at) => {
    const ended = names.map((name) => {
      const it = found[name].precisions[at]!;
      stale += it.stale;
      return `${mean(it.ended)}${it.stale > 0 ? ` (${it.stale} stale!)` : ''}`;
    });
    return `| ${[first.write.text, mean(first.changed), mean(first.covering), ...ended].join(' | ')} |`;
  });
  const beyond = names.map((name) => {
    const kinds = new Map<string, number>();
    for (const it of found[name].precisions)
      for (const [kind, count] of it.beyond) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
    const sorted = [...kinds].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${kind} ${mean(count)}`);
    return `- ${name}: ${sorted.join(', ') || 'none'}`;
  });
  return `## ${titles[database]}, ${entries} entries

| a write of one row | changed | look at the row | ended: ${names.join(' | ended: ')} |
| --- | ---: | ---: |${' ---: |'.repeat(names.length)}
${lines.join('\n')}

Ended without looking at the row, over all writes, by kind:

${beyond.join('\n')}
`;
}

function asPage(tables: readonly string[]): string {
  const day = new Date().toISOString().slice(0, 10);
  return `# What a write ends

By \`npx tsx test/precision/run.ts --write\`, ${day}, seed ${effort.seed}, means of ${effort.repeat} rows each.

Entries are rows by id, lists, counts, joins and pages of ${effort.size.tenants} tenants. Each write changes one row. *Changed*: the
answer is another one now; no less can be ended. *Look at the row*: it is among the rows that the query is about, limits
aside; which of these change, only the database can say. The columns after these are what was ended, by what is said of
the tables: nothing; \`tenant: 'tenant_id'\`; besides, \`grain: 'post_id'\` for responses and \`ignoreColumns: ['seen']\` for contacts.

${tables.join('\n')}`;
}
