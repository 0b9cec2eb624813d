import { appendFileSync } from 'node:fs';
import { test } from 'vitest';
import { ends, endsAfter, plan, reads, readsAfter } from './a-plan.js';
import { aClient } from './kit/a-client.js';

const mysql = { dialect: { name: 'mysql' } } as const,
  sqlite = { dialect: { name: 'sqlite' } } as const;
const R = (sql: string, params: any[] = [], a: any = {}) => {
  let r;
  try {
    r = [
      plan(sql, a).uncacheable ?? '',
      'before',
      reads(sql, params, a),
      'after',
      readsAfter([{ id: 8, name: 'x', n: 1 }], sql, params, a),
    ];
  } catch (e) {
    r = e;
  }
  ((x: string) => appendFileSync('/tmp/br/out', x + '\n'))(JSON.stringify([sql, r]));
};
const W = (sql: string, params: any[] = [], a: any = {}) => {
  let r;
  try {
    r = ends(sql, params, a);
  } catch (e) {
    r = String(e);
  }
  ((x: string) => appendFileSync('/tmp/br/out', x + '\n'))(JSON.stringify(['W', sql, r]));
};
test('x', async () => {
  W('select 1');
  W('set statement max_statement_time=1 for update orders set email = 1', [], mysql);
  W("set statement sql_mode='' for insert into orders(id, org_id) values (1, 2)", [], mysql);
  R('select * from orders where id = 7 and id = 8');
  R('set statement max_statement_time=1 for select * from orders', [], mysql);
  R('select * from (select 1 as x) s left join orders u on u.id = 8');
  const w = aClient({ tenant: 'org_id' });
  const a = w.connect(),
    b = w.connect();
  await a.run('begin');
  await a.run("update orders set email = 'x' where id = 7");
  await a.run("prepare transaction 'p'");
  ((x: string) => appendFileSync('/tmp/br/out', x + '\n'))(JSON.stringify(['prepared', w.published()]));
  await b.run("commit prepared 'p'");
  ((x: string) => appendFileSync('/tmp/br/out', x + '\n'))(JSON.stringify(['commit prepared', w.published()]));
  const m = aClient({ tenant: 'org_id', dialect: 'mysql' });
  const c = m.connect(),
    d = m.connect();
  await c.run("xa start 'x'");
  await c.run("update orders set email = 'x' where id = 7");
  await c.run("xa end 'x'");
  await c.run("xa prepare 'x'");
  ((x: string) => appendFileSync('/tmp/br/out', x + '\n'))(JSON.stringify(['xa', m.published()]));
  await d.run("xa commit 'x'");
  ((x: string) => appendFileSync('/tmp/br/out', x + '\n'))(JSON.stringify(['xa commit', m.published()]));
});
