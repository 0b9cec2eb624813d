import { describe, expect, test } from 'vitest';
import { ignoredStar, rowsStar, rowTag, tableTag, tenantsStar, tenantTag } from '../../../src/core/table-tags.js';
import type { KeyPart } from '../../../src/values/index.js';

test('a table’s tag names its database and, where it needs one, its schema', () => {
  expect(tableTag('shop', undefined, 'orders')).toBe('table:shop.orders');
  expect(tableTag('shop', 'sales', 'orders')).toBe('table:shop.sales.orders');
  expect(tableTag(undefined, undefined, 'orders')).toBe('table:orders');
});

test('tags of its parts begin with it', () => {
  const T = tableTag('shop', undefined, 'orders');
  expect(rowTag(T, 7)).toMatch(/^table:shop\.orders#\d+$/);
  expect(tenantTag(T, 'acme')).toMatch(/^table:shop\.orders@/);
  expect([rowsStar(T), tenantsStar(T), ignoredStar(T)]).toEqual([`${T}!rows`, `${T}!tenants`, `${T}!ignored`]);
});

describe('one form for what a database may take for the same value:', () => {
  const same: [KeyPart, KeyPart][] = [
    [7, '7'],
    [7, 7n],
    [7, '07'],
    [7, ' +7 '],
    [7, '7.000'],
    [7.5, '7.50'],
    [0.5, '.5'],
    [5, '5.'],
    [-7, '-7.0'],
    [0, '-0'],
    [-0, '0.00'],
    [1e21, '1000000000000000000000'],
    [1e21, 10n ** 21n],
    [1e-7, '0.0000001'],
    [1.5e-7, '0.00000015'],
    ['1e2', '100'],
    ['12.5e1', '125'],
    [9007199254740993n, '9007199254740993'],
    ['1_000', 1000],
    ['0x1F', 31],
    ['-0b101', -5],
    [true, 1],
    ['ABC', 'abc'],
    ['abc ', 'ABC'],
    ['é', 'E'],
    ['straße', 'STRASSE'],
    ['co-op', 'coop'],
    ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{A0EEBC99-9C0B4EF8-BB6D6BB9-BD380A11}'],
  ];
  test.each(same)('%o and %o', (one, other) => {
    expect(rowTag('t', one)).toBe(rowTag('t', other));
    expect(rowTag('t', [1, one])).toBe(rowTag('t', ['1', other]));
    expect(tenantTag('t', one)).toBe(tenantTag('t', other));
  });

  test.each<[KeyPart, KeyPart]>([
    [7, 8],
    [7, -7],
    [7, 70],
    [1.5, 15],
    [0.5, 5],
    [1e21, 1e22],
    ['a', 'b'],
    ['1e5x', '100000'],
    ['…', '—'],
    [null, 0],
  ])('not %o and %o', (one, other) => {
    expect(tenantTag('t', one)).not.toBe(tenantTag('t', other));
    expect(rowTag('t', one)).not.toBe(rowTag('t', other));
  });
});

test('a key of one column is the same in a list and without', () => {
  expect(rowTag('t', [7])).toBe(rowTag('t', 7));
  expect(rowTag('t', [7, 8])).not.toBe(rowTag('t', [8, 7]));
});

test('a huge exponent does not make a huge text', () => {
  expect(tenantTag('t', '1e999999999').length).toBeLessThan(100);
});
