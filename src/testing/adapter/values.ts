import assert from 'node:assert/strict';
import type { AdapterDialect, AdapterRow } from './driver.js';
import { hour } from './primed.js';
import type { Spoken } from './shop.js';
import { about, type Trap, trap } from './trap.js';
import type { World } from './world.js';

/** A column of each type that drivers give something special for. */
const types: Spoken<Readonly<Record<string, readonly [type: string, value: string]>>> = {
  postgres: {
    date: ['date', `'2024-02-29'`],
    timestamp: ['timestamp', `'2024-02-29 12:34:56.789'`],
    timestamptz: ['timestamptz', `'2024-02-29 12:34:56.789+02'`],
    bytea: ['bytea', `'\\x00ff10'`],
    bigint: ['bigint', `9007199254740993`],
    numeric: ['numeric(30, 10)', `'12345678901234567890.0123456789'`],
    'a double': ['double precision', `0.1`],
    'not a number': ['double precision', `'NaN'`],
    json: ['json', `'{"a":[1,2.50,null],"__proto__":{"x":1},"constructor":"c"}'`],
    jsonb: ['jsonb', `'{"deep":{"list":[true,"x",null]}}'`],
    'a json null': ['jsonb', `'null'`],
    interval: ['interval', `'1 year 2 days 03:04:05.678'`],
    point: ['point', `'(1.5,-2)'`],
    'an array of texts': ['text[]', `'{a,NULL,"b c"}'`],
    'an array of numbers': ['integer[]', `'{{1,2},{3,4}}'`],
    'an array of dates': ['timestamptz[]', `'{2024-02-29T00:00:00Z}'`],
    boolean: ['boolean', `true`],
    uuid: ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`],
    'an empty text': ['text', `''`],
    'letters of all kinds': ['text', `'é😀👩‍👩‍👧 \u2028'`],
    null: ['text', `null`],
    inet: ['inet', `'10.0.0.1/8'`],
    range: ['int4range', `'[1,10)'`],
  },
  mysql: {
    date: ['date', `'2024-02-29'`],
    datetime: ['datetime(3)', `'2024-02-29 12:34:56.789'`],
    timestamp: ['timestamp(3) null', `'2024-02-29 12:34:56.789'`],
    time: ['time', `'-12:34:56'`],
    year: ['year', `2024`],
    blob: ['blob', `x'00ff10'`],
    binary: ['binary(4)', `x'00ff1000'`],
    bit: ['bit(9)', `b'100000001'`],
    bigint: ['bigint', `9007199254740993`],
    decimal: ['decimal(30, 10)', `12345678901234567890.0123456789`],
    'a double': ['double', `0.1`],
    json: ['json', `'{"a":[1,2.5,null],"constructor":"c"}'`],
    'a json null': ['json', `'null'`],
    'a set': [`set('a', 'b', 'c')`, `'a,c'`],
    boolean: ['boolean', `true`],
    'an empty text': ['text', `''`],
    'letters of all kinds': ['text character set utf8mb4', `'é😀 \u2028'`],
    null: ['text', `null`],
  },
  sqlite: {
    integer: ['integer', `9007199254740991`],
    'a double': ['real', `0.1`],
    blob: ['blob', `x'00ff10'`],
    'an empty blob': ['blob', `x''`],
    text: ['text', `'é😀'`],
    'an empty text': ['text', `''`],
    infinity: ['real', `9e999`],
    json: ['text', `json('{"a":[1,2.5,null]}')`],
    null: ['text', `null`],
  },
};

/** A hit is what a miss was: the same values, of the same kinds. */
export function values(dialect: AdapterDialect): readonly Trap[] {
  const kept = Object.entries(types[dialect]).map(([name, [type, value]]) =>
    trap(`${name}: a hit equals what the database gave`, (w) => equal(w, 'select * from boxes'), {
      given: [`create table boxes (id integer primary key, held ${type})`, `insert into boxes values (1, ${value})`],
    }),
  );
  return about('values', [...kept, ...rows]);
}

const rows: readonly Trap[] = [
  trap('columns without a name of their own, and many of one name, are as they were', async (w) => {
    await equal(w, 'select count(*), max(id) from accounts');
    await equal(w, 'select a.id, n.id from accounts a join notes n on n.account_id = a.id');
  }),
  trap('no rows are no rows', (w) => equal(w, 'select id from accounts where id = 99')),
  trap('two readers do not share rows: what one does to them, the other does not see', async (w) => {
    const read = () => w.reader.read('select id, name from accounts where id = ?', [1], hour);
    const [first, second] = [await read(), await read()];
    assert.deepEqual(second, first);
    for (const rows of [first, second]) {
      assert.ok(
        !Object.isFrozen(rows) && !Object.isFrozen(rows[0]),
        'rows are frozen on a hit, and not without a cache',
      );
      (rows[0] as AdapterRow).name = 'changed by a reader';
      rows.push({ id: 0 });
    }
    assert.deepEqual(await read(), [{ id: 1, name: 'Ada' }]);
  }),
  trap('readers who share one load do not share its rows', async (w) => {
    const read = () => w.reader.read('select id, name from accounts where id = ?', [1], hour);
    const [first, second, third] = await Promise.all([read(), read(), read()]);
    (first[0] as AdapterRow).name = 'changed by a reader';
    assert.deepEqual(second, [{ id: 1, name: 'Ada' }]);
    (second[0] as AdapterRow).name = 'changed by another';
    assert.deepEqual(third, [{ id: 1, name: 'Ada' }]);
  }),
  trap(
    'values that can be changed are not shared either',
    async (w) => {
      const read = async () => (await w.reader.read('select held from boxes', [], hour))[0]?.held as { reset(): void };
      const twin = JSON.stringify(await w.reader.read('select held from boxes', [], false));
      for (let i = 0; i < 3; i++) {
        const held: unknown = await read();
        if (held instanceof Date) held.setTime(0);
        else if (held instanceof Uint8Array) held.fill(7);
        else Object.assign(held as object, { changed: true });
      }
      assert.equal(JSON.stringify(await w.reader.read('select held from boxes', [], hour)), twin);
    },
    {
      given: {
        postgres: [
          `create table boxes (id integer primary key, held timestamptz)`,
          `insert into boxes values (1, '2024-02-29')`,
        ],
        mysql: [
          `create table boxes (id integer primary key, held datetime)`,
          `insert into boxes values (1, '2024-02-29')`,
        ],
        sqlite: [`create table boxes (id integer primary key, held blob)`, `insert into boxes values (1, x'010203')`],
      },
    },
  ),
  trap('one statement with other values is another read, also at the same time', async (w) => {
    const ids = [1, 2, 3, 4, 1, 2, 3, 4, 9, 9];
    for (let round = 0; round < 2; round++) {
      const rows = await Promise.all(
        ids.map((id) => w.reader.read('select id from accounts where id = ?', [id], hour)),
      );
      assert.deepEqual(
        rows.map((own) => own[0]?.id),
        [1, 2, 3, 4, 1, 2, 3, 4, undefined, undefined],
      );
    }
  }),
  trap('a number and its text, null and its text, are not one key', async (w) => {
    const sql = {
      postgres: 'select cast(? as text) as x',
      mysql: 'select concat(?, 1) as x',
      sqlite: 'select typeof(?) as x',
    };
    for (let round = 0; round < 2; round++)
      for (const value of [1, '1', null, 'null', ''])
        assert.deepEqual(
          await w.reader.read(`${sql[w.dialect]}, count(*) as n from accounts`, [value], hour),
          await w.reader.read(`${sql[w.dialect]}, count(*) as n from accounts`, [value], false),
        );
  }),
  trap('two projections of one row are two reads', async (w) => {
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await w.reader.read('select id from accounts where id = ?', [1], hour), [{ id: 1 }]);
      assert.deepEqual(await w.reader.read('select id as k from accounts where id = ?', [1], hour), [{ k: 1 }]);
      assert.deepEqual(await w.reader.read('select name, id from accounts where id = ?', [1], hour), [
        { name: 'Ada', id: 1 },
      ]);
    }
  }),
  trap('parameters of every kind make a key, or the read goes past the cache', async (w) => {
    const echo = { postgres: 'cast(? as varchar(60))', mysql: `concat(?, '')`, sqlite: 'hex(?)' };
    const sql = `select ${echo[w.dialect]} as x, count(*) as n from accounts`;
    const given = [new Date(0), new Date(86_400_000), Buffer.from('x'), Buffer.from('y'), 1n, 2n ** 40n, true, null];
    for (const value of given) {
      const twin = await w.reader.read(sql, [value], false).catch(() => undefined);
      if (twin === undefined) continue;
      for (let round = 0; round < 2; round++) assert.deepEqual(await w.reader.read(sql, [value], hour), twin);
    }
  }),
];

/** Whether everybody gets what comes without a cache: on the miss, on the hit, and from the store. */
async function equal(w: World, sql: string): Promise<void> {
  const twin = await w.reader.read(sql, [], false);
  const got = {
    miss: await w.reader.read(sql, [], hour),
    hit: await w.reader.read(sql, [], hour),
    'hit elsewhere': await w.writer.read(sql, [], hour),
  };
  assert.equal(w.count(sql), 2, 'one read without a cache, one miss');
  for (const [what, rows] of Object.entries(got))
    assert.deepEqual(rows, twin, `a ${what} is not what the database gave`);
}
