import Knex, { type Knex as Instance } from 'knex';
import { afterEach, describe, expect, test } from 'vitest';
import { newId, sentIn, statementsFor } from '../../../src/adapter/outbox/statements.js';
import { feedSql } from '../../../src/feed/index.js';
import { outboxSql } from '../../../src/index.js';
import { aShop, databases } from '../knex/a-shop.js';

describe.each([...databases])('the outbox of %s', (dialect) => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function aWorld() {
    const { config, drop } = await aShop(dialect);
    closing.push(drop);
    const connect = () => {
      const knex = Knex({ ...config, pool: { min: 1, max: 1 } });
      closing.push(() => knex.destroy());
      return (sql: string) => rowsOf(knex, sql);
    };
    const ask = connect();
    const { up, down } = outboxSql(dialect);
    // Both may be run again.
    for (const sql of [up, up]) await ask(sql);
    return { ask, connect, down, says: statementsFor(dialect, 'shop') };
  }

  const rowsOf = async (knex: Instance, sql: string) => {
    const answer = await knex.raw(sql);
    return dialect === 'postgres' ? answer.rows : dialect === 'mysql' ? answer[0] : answer;
  };
  const old = (ask: (sql: string) => Promise<unknown>) =>
    ask(
      `update unstale_outbox set at = ${{ postgres: `at - interval '1 hour'`, mysql: 'at - interval 1 hour', sqlite: 'at - 1.0 / 24' }[dialect]}`,
    );

  test('gives what was put into it to the cache of that name, once it is old enough, until it is removed', async () => {
    const { ask, says, down } = await aWorld();
    const tags = ['table:app.users#7', `it's "quoted" \\ \u0001 and größer 🦉`];
    const ids = [newId(), newId()].sort();
    for (const id of ids) await ask(says.insert(id, tags));
    await ask(statementsFor(dialect, 'other').insert(newId(), ['elsewhere']));
    expect(await ask(says.anyOlder(60_000))).toEqual([]);
    expect(await ask(says.take(60_000))).toEqual([]);
    await old(ask);
    expect(await ask(says.anyOlder(60_000))).toHaveLength(1);
    const plain = (id: string) => id.replaceAll('-', '');
    const sent = sentIn(await ask(says.take(60_000)));
    expect(sent.map(({ id, tags }) => [plain(id), tags])).toEqual(ids.map((id) => [id, tags]));
    // What was taken is removed by the ids that came out, one's own by those that went in.
    await ask(says.remove([sent[0]!.id]));
    expect(sentIn(await ask(says.take(60_000)))).toHaveLength(1);
    await ask(says.remove([ids[1] as string, newId()]));
    expect(await ask(says.anyOlder(0))).toEqual([]);
    expect(await ask('select count(*) as n from unstale_outbox')).toMatchObject([{ n: expect.anything() }]);
    for (const sql of [down, down]) await ask(sql);
    await expect(ask('select 1 from unstale_outbox')).rejects.toThrow(/unstale_outbox/);
  });

  test.skipIf(dialect === 'sqlite')(
    'of two who take each gets other rows, and nobody who writes waits for them',
    async () => {
      const { ask, connect, says } = await aWorld();
      const [one, other] = [connect(), connect()];
      const ids = [newId(), newId(), newId()];
      for (const id of ids.slice(0, 2)) await ask(says.insert(id, ['a']));
      await old(ask);
      await ask(says.insert(ids[2] as string, ['young']));
      for (const sql of says.begin) await one(sql);
      expect(sentIn(await one(says.take(1000)))).toHaveLength(2);
      for (const sql of says.begin) await other(sql);
      expect(sentIn(await other(says.take(1000)))).toEqual([]);
      // Neither who puts something in, nor who removes his own.
      await ask(dialect === 'postgres' ? `set lock_timeout = '300ms'` : 'set innodb_lock_wait_timeout = 1');
      await ask(says.insert(newId(), ['b']));
      await ask(says.remove([ids[2] as string]));
      // One that dies gives back what it has taken.
      await one('rollback');
      expect(sentIn(await other(says.take(1000)))).toHaveLength(2);
      await other('commit');
    },
  );

  test.runIf(dialect === 'postgres')('is no table that a feed of all tables tells of', async () => {
    const { ask } = await aWorld();
    await ask(feedSql({ dialect: 'postgres', tables: 'all' }).up);
    const rows = await ask(
      `select distinct tgrelid::regclass::text as name from pg_trigger where tgname like 'unstale%'`,
    );
    expect(rows.map(({ name }: { name: string }) => name)).toContain('users');
    expect(rows.map(({ name }: { name: string }) => name)).not.toContain('unstale_outbox');
  });
});
