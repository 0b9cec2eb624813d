import { describe, expect, test } from 'vitest';
import type { Guard, Guarded } from '../../../../src/adapter/guard.js';
import { now } from '../../core/a-cache.js';
import { aClient } from './a-client.js';

const insert = "insert into logs (id, text) values (1, 'a')";
const update = 'update orders set state = $1 where id = $2';
const refusal = (code: string) => Object.assign(new Error(code), { code, severity: 'ERROR' });

/** A guard that says what it was asked, and what it has heard. */
function aGuard(own: Partial<Guard> = {}) {
  const heard: string[] = [];
  const guard: Guard = {
    async before(ask, tags) {
      heard.push(`before ${[...tags].sort().join(' ').replaceAll('table:app.', '')}`);
      await ask('guard');
      return { ended: (outcome, isAcknowledged) => void heard.push(`${outcome} ${isAcknowledged}`) } satisfies Guarded;
    },
    unguarded: (text) => void heard.push(`unguarded ${text}`),
    ...own,
  };
  return { guard, heard };
}

describe('a guard of COMMIT', () => {
  test('is the last statement of a transaction, and hears what became of it', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, sent } = connect();
    await run('begin');
    await run(insert);
    await run('commit');
    expect(sent.slice(-4)).toEqual(['begin', insert, 'guard', 'commit']);
    expect(heard).toEqual(['before logs logs!tenants', 'committed true']);
  });

  test('comes behind what was sent without waiting, and before what follows COMMIT', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, sent } = connect();
    await run('select * from orders');
    await Promise.all([run('begin'), run(insert), run('commit'), run('select 1'), run('begin'), run('rollback')]);
    expect(sent.slice(-7)).toEqual(['begin', insert, 'guard', 'commit', 'select 1', 'begin', 'rollback']);
    expect(heard).toHaveLength(2);
  });

  test('has nothing to do where nothing was written, rolled back, or released', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run } = connect();
    for (const sql of ['begin', 'select * from orders', 'commit', 'begin', insert, 'rollback', 'select 1'])
      await run(sql);
    await run('begin');
    for (const sql of ['savepoint a', insert, 'rollback to a', 'commit']) await run(sql);
    expect(heard).toEqual([]);
  });

  test('that refuses has the transaction rolled back, and its error is the caller’s', async () => {
    const { guard } = aGuard({ before: () => Promise.reject(new Error('no fence')) });
    const { connect, published } = aClient({ guards: [guard] });
    const { run, sent, session } = connect();
    await run('begin');
    await run(insert);
    await expect(run('commit')).rejects.toThrow('no fence');
    expect(sent.slice(-2)).toEqual([insert, 'rollback']);
    expect(published()).toEqual([]);
    expect(session.unit).toBeUndefined();
  });

  test('of several, those that went before hear that it was rolled back', async () => {
    const first = aGuard();
    const { guard } = aGuard({ before: () => Promise.reject(new Error('no fence')) });
    const { query } = aClient({ guards: [first.guard, guard] });
    await expect(query(insert)).rejects.toThrow('no fence');
    expect(first.heard).toEqual(['before logs logs!tenants', 'rolled back false']);
  });

  test('is put before the COMMIT of a definition, where it is no COMMIT itself', async () => {
    const alter = 'alter table orders add column more integer';
    const { guard, heard } = aGuard();
    const { run, sent } = aClient({ guards: [guard] }).connect();
    await run(alter);
    expect(sent.slice(-4)).toEqual(['begin', alter, 'guard', 'commit']);
    const temporary = 'create temporary table mine (id integer)';
    const mysql = aClient({ guards: [guard], dialect: 'mysql' }).connect();
    await mysql.run(temporary);
    expect(mysql.sent.slice(-4)).toEqual(['begin', temporary, 'guard', 'commit']);
    heard.length = 0;
    await mysql.run(alter);
    expect(heard).toEqual([`unguarded ${alter}`]);
  });

  test('puts a write on its own into a transaction', async () => {
    const { guard, heard } = aGuard();
    const { connect, published } = aClient({ guards: [guard] });
    const { run, sent, answers } = connect();
    answers.set(insert, () => ({ rows: [{ id: 7 }] }));
    expect(await run(insert)).toEqual({ rows: [{ id: 7 }] });
    expect(sent.slice(-4)).toEqual(['begin', insert, 'guard', 'commit']);
    expect(heard).toEqual(['before logs logs!tenants', 'committed true']);
    expect(published()).toEqual([['logs', 'logs!tenants']]);
  });

  test('and rolls it back when it fails, with its error', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, sent, answers } = connect();
    const error = refusal('23505');
    answers.set(insert, () => Promise.reject(error));
    await expect(run(insert)).rejects.toBe(error);
    expect(sent.slice(-3)).toEqual(['begin', insert, 'rollback']);
    expect(heard).toEqual([]);
  });

  test('tries it once more without the RETURNING that the database has refused', async () => {
    const { guard } = aGuard();
    const { connect } = aClient({ guards: [guard], hidesRows: true, tables: { orders: { grain: 'org_id' } } });
    const { run, sent, answers } = connect();
    await run('select * from orders');
    const longer = `${update} returning "org_id"`;
    answers.set(longer, () => Promise.reject(refusal('42501')));
    await run(update, ['paid', 7]);
    expect(sent.slice(-7)).toEqual(['begin', longer, 'rollback', 'begin', update, 'guard', 'commit']);
  });

  test('what comes behind such a write waits until it is committed', async () => {
    const { guard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, sent, hold } = connect();
    await run('select * from orders');
    const answer = hold('guard');
    const both = Promise.all([run(insert), run('select 1')]);
    expect(await now(both)).toBe('waits');
    expect(sent).not.toContain('select 1');
    answer.resolve({});
    await both;
    expect(sent.slice(-2)).toEqual(['commit', 'select 1']);
  });

  test('is let go when the database has refused COMMIT, and not when nobody knows', async () => {
    const acknowledged: unknown[] = [];
    const { guard, heard } = aGuard({
      before: async () => ({ owner: 'me', ended: (outcome) => void heard.push(outcome) }),
    });
    const { connect, cache } = aClient({ guards: [guard] });
    const port = (cache as any)[Symbol.for('unstale.port')];
    const { acknowledge } = port;
    port.acknowledge = (...args: unknown[]) => {
      acknowledged.push(args[2]);
      return acknowledge.apply(port, args);
    };
    const { run, answers } = connect();
    answers.set('commit', () => Promise.reject(refusal('40001')));
    await run('begin');
    await run(insert);
    await expect(run('commit')).rejects.toThrow('40001');
    answers.set('commit', () => Promise.reject(new Error('gone')));
    await expect(run(insert)).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' });
    answers.delete('commit');
    await run(insert);
    expect(acknowledged).toEqual(['me', undefined, 'me']);
    expect(heard).toEqual(['rolled back', 'unknown', 'committed']);
  });

  test('hears of what may commit in no company', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, session } = connect();
    await run('select * from orders');
    await run(`begin; ${insert}; commit`);
    await run('call something()');
    await (await session.open(insert, [])).end();
    await run('select 1; select 2');
    await run('/* by hand */ create database other');
    await run('alter database other set work_mem = 64');
    await run('alter table logs detach partition logs_old concurrently');
    await run('alter system set work_mem = 64');
    expect(heard.map((text) => text.slice(0, 16))).toEqual([
      'unguarded begin;',
      'unguarded call s',
      'unguarded insert',
      'unguarded create',
      'unguarded alter ',
      'unguarded alter ',
      'unguarded alter ',
    ]);
  });

  test('hears nothing of an index that is made beside other work, which writes no data and is sent as it is', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, sent } = connect();
    await run('select * from orders');
    const beside = [
      'create index concurrently on logs (text)',
      'create unique index concurrently if not exists logs_text on logs (text)',
      'drop index concurrently logs_text',
    ];
    for (const sql of beside) await run(sql);
    expect(sent.slice(-beside.length)).toEqual(beside);
    expect(heard).toEqual([]);
  });

  test('that PostgreSQL has not run, since a statement has failed, leaves COMMIT to it', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, sent, answers } = connect();
    await run('begin');
    await run(insert);
    answers.set('guard', () => Promise.reject(refusal('25P02')));
    await run('commit');
    expect(sent.slice(-2)).toEqual(['guard', 'commit']);
    expect(heard).toEqual(['before logs logs!tenants']);
  });

  test('is asked also after a failure that the database knows nothing of', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, session, sent } = connect();
    await run('begin');
    await run(insert);
    await (await session.open('select * from logs', [])).end(new Error('nobody wants the rest'));
    const thrown = session.run('select $1', [], () => {
      throw new TypeError('BigInt');
    });
    await expect(thrown).rejects.toThrow('BigInt');
    await run('commit');
    expect(sent.slice(-2)).toEqual(['guard', 'commit']);
    expect(heard.at(-1)).toBe('committed true');
  });

  test('accompanies definitions, which PostgreSQL carries out in a transaction', async () => {
    const { guard } = aGuard();
    const { connect } = aClient({ guards: [guard] });
    const { run, sent } = connect();
    await run('select * from orders');
    for (const sql of ['drop table logs', `alter table logs add text text default 'concurrently'`]) {
      await run(sql);
      expect(sent.slice(-4)).toEqual(['begin', sql, 'guard', 'commit']);
    }
  });

  test('gets many rows of a table as all of them', async () => {
    const seen: number[] = [];
    const { guard } = aGuard({
      before: async (_, tags) => {
        seen.push(tags.length);
        return {};
      },
    });
    const { connect } = aClient({ guards: [guard] });
    const { run } = connect();
    await run('select * from orders');
    await run('begin');
    for (let id = 0; id < 400; id++) await run(update, ['paid', id]);
    await run('commit');
    expect(seen[0]).toBeLessThan(20);
  });

  test('of SQLite: who rolls back after a COMMIT that was refused finds something to roll back', async () => {
    const { guard } = aGuard({ before: () => Promise.reject(new Error('no outbox')) });
    const { connect } = aClient({ dialect: 'sqlite', guards: [guard] });
    const { run, sent } = connect();
    for (const sql of ['begin', insert]) await run(sql);
    await expect(run('commit')).rejects.toThrow('no outbox');
    await run('rollback');
    expect(sent.slice(-3)).toEqual(['rollback', 'begin', 'rollback']);
  });

  test('of MySQL: begins no transaction while tables are locked, which would unlock them', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ dialect: 'mysql', guards: [guard] });
    const { run, sent } = connect();
    await run('select * from orders');
    const locked = ['/* all */ lock tables logs write', insert, 'unlock tables'];
    for (const sql of locked) await run(sql);
    expect(sent.slice(-3)).toEqual(locked);
    expect(heard.map((text) => text.slice(0, 16))).toContain('unguarded insert');
    await run(insert);
    expect(sent.at(-1)).toBe('commit');
  });

  test.each(['begin', 'start transaction'])(
    'of MySQL: %s lets go of tables that were locked, and what follows has company',
    async (begin) => {
      const { guard, heard } = aGuard();
      const { connect } = aClient({ dialect: 'mysql', guards: [guard] });
      const { run, sent } = connect();
      await run('select * from orders');
      await run('lock tables logs write');
      heard.length = 0;
      // Nobody waits: what comes behind BEGIN is not sent before that was answered.
      await Promise.all([run(begin), run(insert), run('commit')]);
      expect(sent.slice(-4)).toEqual([begin, insert, 'guard', 'commit']);
      await run(insert);
      expect(sent.slice(-4)).toEqual(['begin', insert, 'guard', 'commit']);
      expect(heard.filter((text) => text.startsWith('unguarded'))).toEqual([]);
    },
  );

  test('of MySQL: tables that could not be locked are not, and of several statements they may be', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ dialect: 'mysql', guards: [guard] });
    const { run, sent, answers } = connect();
    await run('select * from orders');
    const lock = 'lock tables nowhere write';
    const refused = Object.assign(new Error('no such table'), { errno: 1146, sqlState: '42S02' });
    for (const sql of [lock, `${lock}; unlock tables`]) answers.set(sql, () => Promise.reject(refused));
    const both = await Promise.allSettled([run(lock), run(insert)]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(sent.slice(-4)).toEqual(['begin', insert, 'guard', 'commit']);
    // Nobody knows how far several statements got: they may have locked what they had no time to unlock.
    await expect(run(`${lock}; unlock tables`)).rejects.toBe(refused);
    heard.length = 0;
    await run(insert);
    expect(heard.map((text) => text.slice(0, 16))).toEqual(['unguarded insert']);
  });

  test('hears of a COMMIT of a driver that answers at once', async () => {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ dialect: 'sqlite', guards: [guard] });
    const { session } = connect();
    for (const sql of ['begin', insert, 'commit']) session.runAtOnce(sql, [], () => ({ rows: [] }));
    expect(heard).toEqual(['unguarded commit']);
  });
});

test('MySQL commits by BEGIN and by autocommit, SQLite by RELEASE', async () => {
  for (const [dialect, statements] of [
    ['mysql', ['begin', insert, 'begin', 'rollback']],
    ['mysql', ['set autocommit = 0', insert, 'set autocommit = 1']],
    ['sqlite', ['savepoint a', insert, 'release a']],
  ] as const) {
    const { guard, heard } = aGuard();
    const { connect } = aClient({ dialect, guards: [guard] });
    const { run, sent } = connect();
    for (const sql of statements) await run(sql);
    expect(heard).toHaveLength(2);
    expect(sent[sent.indexOf('guard') - 1]).toBe(insert);
  }
});
