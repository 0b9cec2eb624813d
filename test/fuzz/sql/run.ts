/**
 * The long run, by name: `npx tsx test/fuzz/sql/run.ts [--seed 1] [--count 50000]`. Random statements are compared with
 * PostgreSQL's own grammar, and random conditions with a real PostgreSQL. It ends with 1 when a table was missed or a
 * row mattered that should not. The seed of every finding is printed.
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startServices } from '../../services/index.js';
import {
  columnsOf,
  compareConditions,
  compareNeeds,
  narrowedBy,
  numberOf,
  questionOf,
  tablesOf,
} from './conditions.js';
import { loadOracle } from './oracle.js';
import { compareTables } from './tables.js';

const { values } = parseArgs({ options: { seed: { type: 'string' }, count: { type: 'string', default: '50000' } } });
const count = Number(values.count);
const seed = values.seed === undefined ? Math.floor(Date.now() / 1000) % 1_000_000_000 : Number(values.seed);
console.log(`seed ${seed}`);

const oracle = await loadOracle();
const findings: string[] = [];
for (const dialect of ['postgres', 'mysql', 'sqlite'] as const) {
  const { unsound, ...figures } = compareTables(dialect, seed, count, dialect === 'postgres' ? oracle : undefined);
  console.log(dialect, { ...figures, unsound: unsound.length });
  findings.push(...unsound);
}
const conditions = compareConditions(seed, count);
console.log('conditions', { narrowed: conditions.narrowed, unsound: conditions.unsound.length });
const needs = compareNeeds(seed, count);
console.log('rows that must be there', { needed: needs.needed, unsound: needs.unsound.length });
findings.push(...conditions.unsound, ...needs.unsound, ...(await compareWithPostgres(Math.ceil(count / 20))));

for (const finding of findings.slice(0, 20)) console.log(finding);
process.exitCode = findings.length > 0 ? 1 : 0;

/** The same questions to a real server: over all rows, and without those that fail what the reader says. */
async function compareWithPostgres(questions: number): Promise<string[]> {
  const { services, missing, stop } = await startServices(['postgres']);
  if (services.postgres === undefined) {
    console.log(`No PostgreSQL: ${missing.join('\n')}`);
    await stop();
    return [];
  }
  const unsound: string[] = [];
  const client = new pg.Client({ connectionString: services.postgres.url });
  await client.connect();
  try {
    let narrowed = 0;
    await client.query('CREATE SCHEMA sql_fuzz; SET search_path = sql_fuzz');
    for (const [table, columns] of Object.entries(columnsOf))
      await client.query(`CREATE TABLE ${table} (${columns.map((column) => `${column} int`).join(', ')})`);
    for (let at = seed; at < seed + questions; at++) {
      const question = questionOf(at);
      const claims = narrowedBy(question);
      if (!Object.values(claims).some((list) => list.length > 0)) continue;
      narrowed++;
      const answers: string[] = [];
      await client.query('BEGIN');
      for (const [table, rows] of Object.entries(tablesOf(at)))
        await client.query(
          `INSERT INTO ${table} VALUES ${rows.map((row) => `(${Object.values(row).map((value) => value ?? 'NULL')})`).join(', ')}`,
        );
      for (const step of ['all', 'some']) {
        if (step === 'some')
          for (const [table, list] of Object.entries(claims))
            for (const { columns, rows } of list) {
              const pairs = rows.map((row) => `(${row.map((value) => numberOf(value, question.parameters))})`);
              await client.query(`DELETE FROM ${table} WHERE ((${columns}) IN (${pairs})) IS NOT TRUE`);
            }
        const { rows } = await client.query({
          text: question.sql.replace(/\$\d+/g, '$&::int'),
          values: [...question.parameters],
          rowMode: 'array',
        });
        answers.push(
          rows
            .map((row: unknown[]) => JSON.stringify(row))
            .sort()
            .join('\n'),
        );
      }
      await client.query('ROLLBACK');
      if (answers[0] !== answers[1]) unsound.push(`seed ${at}, on PostgreSQL: ${question.sql}`);
    }
    console.log('conditions on PostgreSQL', { questions, narrowed, unsound: unsound.length });
    return unsound;
  } finally {
    await client.query('ROLLBACK').catch(() => undefined);
    await client.end();
    await stop();
  }
}
