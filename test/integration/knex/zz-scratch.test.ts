import Knex from 'knex';
import { expect, test, describe } from 'vitest';
import { withCache } from '../../../adapters/knex/index.js';
import { createCache } from '../../../src/index.js';
import { aShop, databases } from './a-shop.js';
describe.each(databases)('%s', (database) => {
  test('ways', async () => {
    const shop = await aShop(database); const bare = Knex(shop.config); const cache = createCache();
    const knex = withCache(Knex(shop.config), { cache, tenant: 'org', tables: { users: { ignoreColumns: ['name'] } } });
    const unhandled: any[] = []; const h = (e: any) => unhandled.push(e); process.on('unhandledRejection', h);
    await bare.schema.createTable('Mixed', (t) => { t.integer('Id'); t.string('Org', 9); t.json('doc'); t.integer('n'); t.primary(['Id', 'Org']); });
    await bare('Mixed').insert([{ Id: 1, Org: 'a', doc: '{"x":1}', n: 1 }, { Id: 2, Org: 'b', doc: '{"x":2}', n: 2 }]);
    const reads: [string, (k: any) => any][] = [
      ['u1', (k) => k('users').where({ id: 1 })], ['u12', (k) => k('users').whereIn('id', [1, 2, 9]).orderBy('id')], ['acme', (k) => k('users').where({ org: 'acme' }).orderBy('id')],
      ['ids', (k) => k('users').select('id').orderBy('id')], ['cnt', (k) => k('users').where({ org: 'zeta' }).count({ n: '*' })], ['sub', (k) => k('posts').whereIn('user_id', k('users').select('id').where({ org: 'acme' })).orderBy('id')],
      ['join', (k) => k('users as u').leftJoin('posts as p', 'p.user_id', 'u.id').where('u.org', 'acme').select('u.id', 'p.title').orderBy(['u.id', 'p.id'])],
      ['self', (k) => k('users as a').join('users as b', 'a.org', 'b.org').where('a.id', 1).select('a.id as x', 'b.id as y').orderBy('b.id')],
      ['cte', (k) => k.with('w', k('users').where({ org: 'acme' })).select('*').from('w').orderBy('id')],
      ['union', (k) => k('users').select('id').where({ org: 'acme' }).union([k('posts').select('id')]).orderBy('id')],
      ['mixed', (k) => k('Mixed').where({ Id: 1, Org: 'a' })], ['mixedAll', (k) => k('Mixed').orderBy('Id')], ['mixed9', (k) => k('Mixed').where({ Id: 9, Org: 'a' }).first()],
      ['first', (k) => k('users').where({ email: 'ada@x' }).first()], ['name', (k) => k('users').where({ id: 1 }).pluck('name')], ['distinct', (k) => k('users').distinct('org').orderBy('org')], ['null', (k) => k('users').whereNull('org').orderBy('id')],
      ['or', (k) => k('users').where({ id: 1 }).orWhere({ org: 'zeta' }).orderBy('id')], ['exists', (k) => k('users').whereExists(k('posts').whereRaw('posts.user_id = users.id')).orderBy('id')], ['max', (k) => k('users').where({ id: 1 }).max('name as m')],
    ];
    const writes: [string, () => any][] = [
      ['inc', () => knex('Mixed').where({ Id: 1 }).increment('n')], ['batch', () => knex.batchInsert('users', [{ id: 9, email: 'n', name: 'N', org: 'acme' }, { id: 10, email: 'o', name: 'O', org: null }], 1)],
      ['merge', () => knex('users').insert({ id: 9, email: 'n', name: 'N2', org: 'zeta' }).onConflict('id').merge()], ['mergeEmail', () => knex('users').insert({ id: 50, email: 'ada@x', name: 'AA', org: 'zeta' }).onConflict('email').merge(['name'])],
      ['ignoreConf', () => knex('users').insert({ id: 1, email: 'zz', name: 'no', org: 'q' }).onConflict('id').ignore()],
      ['ignoredcol', () => knex('users').where({ id: 1 }).update({ name: 'New' })], ['ignoredByOrg', () => knex('users').where({ org: 'zeta' }).update({ name: 'Zed' })],
      ['move', () => knex('users').where({ id: 2 }).update({ org: 'acme' })], ['updIn', () => knex('users').whereIn('id', bare('posts').select('user_id')).update({ email: 'sub@x' })],
      ['mixedIns', () => knex('Mixed').insert({ Id: 9, Org: 'a', n: 3 })], ['json', () => knex('Mixed').where({ Id: 1, Org: 'a' }).update({ doc: JSON.stringify({ y: 1 }) })], ['pk', () => knex('Mixed').where({ Id: 9, Org: 'a' }).update({ Org: 'c' })],
      ['nested', () => knex.transaction(async (t) => { await t('users').where({ id: 2 }).update({ email: 'q' }); await t.transaction(async (t2) => { await t2('posts').insert({ id: 7, user_id: 2, title: 't' }); }); await t.transaction(async (t3) => { await t3('posts').del(); throw new Error('x'); }).catch(() => {}); })],
      ['provider', async () => { const p = knex.transactionProvider(); const t = await p(); await t('posts').where({ id: 7 }).update({ title: 'p' }); await t.commit(); }],
      ['stream', async () => { if (database === 'postgres') for await (const _ of knex.raw("update users set email = 'st' where id = 2 returning *").stream()) void _; }],
      ['schema', () => database === 'sqlite' ? null : knex.withSchema(database === 'postgres' ? 'public' : (knex.client as any).database()).from('users').where({ id: 1 }).update({ email: 'ws' })],
      ['cteWrite', () => knex.with('w', knex('posts').select('user_id')).from('users').whereIn('id', knex.select('user_id').from('w')).update({ email: 'cte' + Math.random() }).then(() => 0, (e) => console.log('cte', e.message.slice(0, 80)))],
      ['delJoin', () => knex('users').where('id', 9).del()], ['rawBind', () => knex.raw('update ?? set ?? = ? where ?? = ?', ['users', 'org', 'zeta', 'id', 1])], ['named', () => knex.raw('update users set org = :o where id = :id', { o: 'acme', id: 1 })],
      ['addcol', () => knex.schema.alterTable('posts', (t) => void t.integer('extra').defaultTo(4))], ['rename', () => knex.schema.alterTable('posts', (t) => t.renameColumn('extra', 'more'))],
      ['trunc', () => knex('posts').truncate()], ['droptable', async () => { await knex.schema.dropTable('Mixed'); await knex.schema.createTable('Mixed', (t) => { t.integer('Id'); t.string('Org', 9); t.json('doc'); t.integer('n'); t.primary(['Id', 'Org']); }); }], ['delAll', () => knex('users').del()],
    ];
    let hits = 0, n = 0; const sent: string[] = []; knex.on('query', (q) => sent.push(q.sql));
    for (const [what, write] of [['none', () => 0] as [string, any], ...writes]) {
      try { await write(); } catch (e) { console.log('WRITE', database, what, (e as Error).message.slice(0, 150)); }
      for (let twice = 0; twice < 2; twice++)
      for (const [name, read] of reads) {
        const before = sent.length; let a: any, b: any;
        try { a = await read(knex).cache('1m'); } catch (e) { a = String(e).slice(0, 60); }
        try { b = await read(bare); } catch (e) { b = String(e).slice(0, 60); }
        n++; if (sent.length === before) hits++;
        if (JSON.stringify(a) !== JSON.stringify(b)) console.log('DIFF', database, what, name, twice, JSON.stringify(a), JSON.stringify(b));
      }
    }
    console.log(database, 'hits', hits, 'of', n, 'unhandled', unhandled.length);
    process.off('unhandledRejection', h); await knex.destroy(); await bare.destroy(); await cache.close(); await shop.drop();
  }, 60000);
});
