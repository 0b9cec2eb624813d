import { describe, expect, it } from 'vitest';
import type { Column } from '../../../src/adapter/catalog/types.js';
import { fitOf, textsOf, type Use } from '../../../src/adapter/values.js';
import type { Dialect, Value } from '../../../src/sql/index.js';
import { mysql, postgres, sqlite } from '../sql/a-statement.js';

/** What is known of `raw` when it meets a column of that type. */
function known(type: Column['type'], raw: unknown, dialect: Dialect = postgres, use: Use = 'compared', cast?: string) {
  const column: Column = { name: 'c', type, nullable: false, generated: false };
  const value: Value = { kind: 'parameter', at: 0, ...(cast === undefined ? {} : { cast }) };
  return textsOf(value, column, fitOf(column, dialect, use), [raw])?.[0];
}

const uuid = '0b6ee6e3-44f2-4d11-8a0e-9a1f9c3b7a10';

describe('a value for an integer column', () => {
  it.each([
    [7, '7'],
    ['7', '7'],
    [7n, '7'],
    [' +007.00 ', '7'],
    ['-0', '0'],
    [-0, '0'],
    ['-07', '-7'],
    ['9223372036854775807', '9223372036854775807'],
  ])('is %s', (raw, text) => {
    expect(known('integer', raw)).toBe(text);
  });

  it.each([
    7.5,
    '7.5',
    '7abc',
    '0x7',
    '1e3',
    '',
    ' ',
    '\u00a07',
    '7\n',
    null,
    undefined,
    true,
    Number.NaN,
    2 ** 60,
    {},
    [7],
  ])('is not %s', (raw) => {
    expect(known('integer', raw)).toBeUndefined();
  });

  it('is not a Date or a Buffer', () => {
    expect(known('integer', new Date(7))).toBeUndefined();
    expect(known('integer', Buffer.from('7'))).toBeUndefined();
    expect(known('text', Buffer.from('a'))).toBeUndefined();
  });
});

describe('digits', () => {
  it('count up to where the database compares by floats', () => {
    expect(known('integer', '123456789012345', mysql)).toBe('123456789012345');
    expect(known('integer', '1234567890123456', mysql)).toBeUndefined();
    expect(known('integer', '123456789012345678', sqlite)).toBe('123456789012345678');
    expect(known('integer', '1234567890123456789', sqlite)).toBeUndefined();
    expect(known('numeric', '1.2345678901234567', postgres)).toBe('1.2345678901234567');
    expect(known('numeric', '1.2345678901234567', mysql)).toBeUndefined();
  });

  it('are exact in a number that stands in the text', () => {
    const column: Column = { name: 'c', type: 'integer', nullable: false, generated: false };
    const literal: Value = { kind: 'number', text: '123456789012345678' };
    expect(textsOf(literal, column, fitOf(column, mysql, 'compared'), [])).toEqual(['123456789012345678']);
  });
});

describe('a value for a numeric column', () => {
  it('has one form', () => {
    expect(known('numeric', '07.50')).toBe('7.5');
    expect(known('numeric', 7.5)).toBe('7.5');
  });

  it('is not known once it is stored, since its scale may round it', () => {
    expect(known('numeric', '7.555', postgres, 'stored')).toBeUndefined();
  });

  it('is not known from a float that a driver has made of it', () => {
    expect(known('numeric', 0.1, postgres, 'returned')).toBeUndefined();
    expect(known('numeric', '0.1', postgres, 'returned')).toBe('0.1');
  });
});

describe('a value for a text column', () => {
  it('is printable ASCII', () => {
    expect(known('text', 'acme')).toBe('acme');
    expect(known('text', '')).toBe('');
    for (const raw of ['é', 'a\0', 'a\tb', 'ß', '\u00ad', 'x'.repeat(257)]) expect(known('text', raw)).toBeUndefined();
  });

  it('is not a number: in MySQL 0 equals most texts', () => {
    for (const dialect of [mysql, postgres, sqlite]) expect(known('text', 0, dialect)).toBeUndefined();
    const column: Column = { name: 'c', type: 'text', nullable: false, generated: false };
    expect(textsOf({ kind: 'number', text: '0' }, column, fitOf(column, mysql, 'compared'), [])).toBeUndefined();
    expect(textsOf({ kind: 'string', text: '0' }, column, fitOf(column, mysql, 'compared'), [])).toEqual(['0']);
  });
});

describe('a value for a UUID column', () => {
  it('has hyphens, and any case', () => {
    expect(known('uuid', uuid.toUpperCase())).toBe(uuid);
    for (const raw of [`{${uuid}}`, uuid.replaceAll('-', ''), 'x', 7]) expect(known('uuid', raw)).toBeUndefined();
  });
});

describe('a value with a cast', () => {
  it.each([
    ['integer', '7', 'int', '7'],
    ['integer', '7', 'int8', '7'],
    ['integer', '7', 'numeric', '7'],
    ['numeric', '7', 'int', '7'],
    ['text', 'a', 'text', 'a'],
    ['uuid', uuid, 'uuid', uuid],
  ] as const)('of %s, %s::%s, is %s', (type, raw, cast, text) => {
    expect(known(type, raw, postgres, 'compared', cast)).toBe(text);
  });

  it.each([
    ['integer', 6.6, 'int'],
    ['numeric', '6.6', 'int'],
    ['numeric', '6.66', 'numeric(3,1)'],
    ['text', 'abcd', 'varchar(3)'],
    ['text', 'abcd', 'char'],
    ['integer', '7', 'int::text'],
    ['integer', '7', 'bool'],
    ['text', '07', 'int'],
  ] as const)('of %s, %s::%s, is not known', (type, raw, cast) => {
    expect(known(type, raw, postgres, 'compared', cast)).toBeUndefined();
  });
});

describe('an array', () => {
  const column: Column = { name: 'c', type: 'integer', nullable: false, generated: false };
  const each = (given: unknown, cast?: string) =>
    textsOf(
      { kind: 'parameter', at: 0, each: true, ...(cast === undefined ? {} : { cast }) },
      column,
      fitOf(column, postgres, 'compared'),
      [given],
    );

  it('is its values, if all of them are known', () => {
    expect(each([1, '2'])).toEqual(['1', '2']);
    expect(each([1, null])).toBeUndefined();
    expect(each('{1,2}')).toBeUndefined();
    expect(each([1, 2], 'int[]')).toEqual(['1', '2']);
  });
});
