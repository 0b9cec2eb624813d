import { createCache } from '../../src/index.js';
import type { Database } from './database.js';
import { paint, say } from './terminal.js';

/** What an UPDATE of one row must end, and what it must leave alone. */
const expected = [
  { key: 'node 1', ends: true },
  { key: 'node 2', ends: false },
  { key: 'nodes of tenant 1', ends: true },
  { key: 'nodes of tenant 2', ends: false },
  { key: 'nodes by type', ends: true },
];

/** Keeps five answers, updates a row, and asks of each what has become of it. Answers with what went wrong. */
export async function updateOneRow(db: Database): Promise<string[]> {
  const cache = createCache({ ttl: '5m' });
  const knex = db.through(cache);
  const nodes = () => knex('journey_node');
  const loads = [
    () => nodes().where({ id: 1 }).first(),
    () => nodes().where({ id: 2 }).first(),
    () => nodes().where({ tenant_id: 1 }).orderBy('id'),
    () => nodes().where({ tenant_id: 2 }).orderBy('id'),
    () => nodes().select('type').count({ nodes: '*' }).groupBy('type').orderBy('type'),
  ];
  try {
    for (const [at, { key }] of expected.entries()) await cache.getOrSet({ key, load: loads[at] as () => unknown });

    const sent: string[] = [];
    const listen = ({ sql }: { sql: string }) => sent.push(sql);
    knex.on('query', listen);
    await nodes().where({ id: 1 }).update({ type: 'branch' });
    knex.off('query', listen);
    say(`  ${paint('bold', "knex('journey_node').where({ id: 1 }).update({ type: 'branch' })")}`);
    say(paint('dim', `  ${sent.join('; ')}\n`));

    const failures: string[] = [];
    for (const { key, ends } of expected) {
      const { served, text } = await cache.explain(key);
      const [verdict = '', ...facts] = text.split('\n');
      const why = facts.find((fact) => fact.startsWith(served ? 'depends on' : 'ended by'));
      const fact = why?.replace(/~[^,]*(, )?/g, ''); // tags of the cache's own
      say(`  ${paint(served ? 'green' : 'yellow', verdict.padEnd(36))} ${fact}`);
      if (served === ends) failures.push(`an UPDATE of node 1 ${served ? 'did not end' : 'has ended'} "${key}"`);
    }
    return failures;
  } finally {
    await cache.close();
  }
}
