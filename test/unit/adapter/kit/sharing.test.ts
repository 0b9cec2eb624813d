import { describe, expect, it, test } from 'vitest';
import { answersOf, replace, unwrapOnce, wrapOnce } from '../../../../src/adapter/index.js';
import { aCache } from '../../core/a-cache.js';
import { aClient } from './a-client.js';

describe('a thing that is wrapped', () => {
  const { cache } = aCache();

  it('is wrapped once, and again when it was unwrapped', () => {
    const thing = {};
    let made = 0;
    let back = 0;
    const wrap = () => {
      const number = ++made;
      return { number, unwrap: () => void back++ };
    };
    expect(wrapOnce('test', thing, { cache, tenant: 'org' }, wrap).number).toBe(1);
    expect(wrapOnce('test', thing, { cache, tenant: 'org' }, wrap).number).toBe(1);
    expect(() => wrapOnce('test', thing, { cache }, wrap)).toThrow('wrapped already');
    expect(wrapOnce('other', thing, { cache }, wrap).number).toBe(2);
    unwrapOnce('test', thing, 'thing');
    expect(back).toBe(1);
    expect(() => unwrapOnce('test', thing, 'thing')).toThrow(
      'Expected `thing` to be one that was wrapped by withCache',
    );
    expect(wrapOnce('test', thing, { cache }, wrap).number).toBe(3);
  });

  it('has its own method back, unless somebody else has replaced it since', () => {
    const thing = { say: () => 'own' };
    const first = replace(thing, 'say', () => 'first');
    const second = replace(thing, 'say', () => 'second');
    first();
    expect(thing.say()).toBe('second');
    second();
    expect(thing.say()).toBe('first');
    first();
    expect(thing.say()).toBe('own');
    expect(Object.keys(thing)).toEqual(['say']);
  });
});

test('rows that are arrays are looked into by the names of their columns', () => {
  const rows = [[7, 'Ada']];
  expect(answersOf('postgres').rowsOf({ rows, fields: [{ name: 'id' }, { name: 'name' }] })).toEqual([
    { id: 7, name: 'Ada' },
  ]);
  expect(answersOf('mysql').rowsOf([rows, [{ name: 'id' }, { name: 'name' }]])).toEqual([{ id: 7, name: 'Ada' }]);
  expect(answersOf('mysql').rowsOf([{ affectedRows: 1 }, undefined])).toBeUndefined();
});

test('a connection is idle when nothing is on its way and no transaction is open', async () => {
  const connection = aClient().connect();
  const { session } = connection;
  expect(session.isIdle).toBe(true);
  const began = connection.run('begin');
  expect(session.isIdle).toBe(false);
  await began;
  expect(session.isIdle).toBe(false);
  await connection.run('commit');
  expect(session.isIdle).toBe(true);
});

test('what comes behind a stream is sent behind it', async () => {
  const connection = aClient().connect();
  const stream = connection.session.open('select * from orders', []).then((statement) => {
    connection.sent.push('the stream');
    return statement.end();
  });
  await Promise.all([stream, connection.run('select 1')]);
  expect(connection.sent.filter((sql) => sql === 'the stream' || sql === 'select 1')).toEqual([
    'the stream',
    'select 1',
  ]);
});

test('statements of one text and another shape are two reads', async () => {
  const { client } = aClient();
  const read = (shape: string | undefined) =>
    client.read(
      { sql: 'select * from orders where id = 7', params: [], per: '1m', shape },
      async () => shape ?? 'usual',
    );
  const answers = [await read(undefined), await read('arrays'), await read(undefined), await read('arrays')];
  expect(answers).toEqual(['usual', 'arrays', 'usual', 'arrays']);
});
