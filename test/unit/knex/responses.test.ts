import pg from 'pg';
import { expect, test } from 'vitest';
import type { KnexClient } from '../../../adapters/knex/internals.js';
import { responsesOf } from '../../../adapters/knex/responses.js';

const client = { driver: pg } as unknown as KnexClient;
/** What comes back of a response that was kept elsewhere. */
function kept(dialect: 'postgres' | 'mysql' | 'sqlite', response: unknown) {
  const { pack, unpack } = responsesOf(client, dialect);
  return unpack(structuredClone(pack({ sql: '', response }))).response;
}

test('intervals of PostgreSQL come back with their methods, in arrays too', () => {
  const parse = pg.types.getTypeParser(1186) as (text: string) => { toPostgres(): string };
  const life = parse('1 day 02:03:04.5');
  const response = {
    command: 'SELECT',
    rowCount: 2,
    fields: [
      { name: 'life', dataTypeID: 1186, tableID: 1 },
      { name: 'lives', dataTypeID: 1187, tableID: 1 },
    ],
    rows: [
      { life, lives: [life, null] },
      { life: null, lives: null },
    ],
  };
  const got = kept('postgres', response);
  expect(got.rows).toStrictEqual(response.rows);
  expect(got.rows[0].life.toPostgres()).toBe(life.toPostgres());
  expect(got).toMatchObject({ command: 'SELECT', rowCount: 2, fields: [{ name: 'life', dataTypeID: 1186 }, {}] });
});

test('intervals that are texts for somebody stay texts', () => {
  const fields = [{ name: 'life', dataTypeID: 1186 }];
  const response = { command: 'SELECT', rowCount: 1, fields, rows: [{ life: '1 day' }] };
  expect(kept('postgres', response).rows).toEqual([{ life: '1 day' }]);
});

test('rows of a class that is only a name become plain', () => {
  class RowDataPacket {
    id = 7;
  }
  const [rows, fields] = kept('mysql', [[new RowDataPacket()], [{ name: 'id', type: 3, _buf: Buffer.alloc(1) }]]);
  expect(rows).toStrictEqual([{ id: 7 }]);
  expect(fields).toEqual([{ name: 'id', type: 3, columnType: 3 }]);
});

test('what is no list of objects has no rows', () => {
  const rowsOf = (dialect: 'postgres' | 'mysql' | 'sqlite', response: unknown) =>
    responsesOf(client, dialect).rowsOf({ sql: '', response });
  expect(rowsOf('postgres', { rows: [{ id: 7 }] })).toEqual([{ id: 7 }]);
  expect(rowsOf('postgres', { rows: [[7]] })).toBeUndefined();
  expect(rowsOf('postgres', [{ rows: [] }, { rows: [] }])).toBeUndefined();
  expect(rowsOf('mysql', [{ affectedRows: 1 }, undefined])).toBeUndefined();
  expect(rowsOf('mysql', [[[{ id: 7 }], { affectedRows: 1 }], []])).toBeUndefined();
  expect(rowsOf('sqlite', { changes: 1 })).toBeUndefined();
  expect(rowsOf('sqlite', undefined)).toBeUndefined();
});
