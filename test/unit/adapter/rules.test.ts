import { beforeEach, describe, expect, it } from 'vitest';
import { checkRules, type RuleOptions } from '../../../src/adapter/rules.js';
import { forgetWarnings } from '../../../src/core/warn.js';
import { warningsOf } from '../core/warnings.js';
import { mysql, postgres } from '../sql/a-statement.js';
import { aCatalog } from './a-catalog.js';
import { shop } from './a-plan.js';

// Warnings of the test before are still on their way.
beforeEach(() => warningsOf(forgetWarnings));

function check(options: object) {
  return checkRules(options as RuleOptions, postgres);
}

describe('options that are wrong', () => {
  it.each([
    [{ tables: 7 }, 'Expected `tables` to be an object, got 7 (number)'],
    [{ tables: { 'a.b.c': {} } }, 'Expected `tables` to be named like'],
    [{ tables: { orders: true } }, 'Expected `tables.orders` to be an object, got true'],
    [{ tables: { orders: { ttls: 1 } } }, 'Expected `tables.orders` to have no `ttls`; it takes ttl, cache, grain'],
    [{ tables: { orders: { ttl: 'soon' } } }, 'Expected `tables.orders.ttl` to be a duration'],
    [{ tables: { orders: { ttl: true } } }, "Expected `tables.orders.ttl` to be false, a duration such as '5m'"],
    [{ tables: { orders: { cache: true } } }, 'Expected `tables.orders.cache` to be false, or left out, got true'],
    [{ tables: { orders: { grain: 7 } } }, 'Expected `tables.orders.grain` to be the name of a column, got 7'],
    [{ tables: { orders: { tenant: true } } }, 'Expected `tables.orders.tenant` to be false, or left out'],
    [{ tables: { orders: { ignoreColumns: 'a' } } }, 'Expected `tables.orders.ignoreColumns` to be a list of names'],
    [{ tables: { orders: { ignoreColumns: [''] } } }, 'Expected `tables.orders.ignoreColumns[0]` to be a name'],
    [{ tables: { orders: { writes: ['a.b.c'] } } }, 'Expected `tables.orders.writes` to be named like'],
    [{ tenant: 7 }, 'Expected `tenant` to be the name of a column, got 7 (number)'],
    [{ default: 'soon' }, 'Expected `default` to be a duration'],
    [{ functions: [] }, 'Expected `functions` to be an object, got an array of 0'],
    [{ functions: { f: 'clean' } }, "Expected `functions.f` to be 'pure', a list of tables, or { reads, writes }"],
    [{ functions: { f: { read: [] } } }, 'Expected `functions.f` to have no `read`; it takes reads, writes'],
    [{ functions: { f: { writes: 'a' } } }, 'Expected `functions.f.writes` to be a list of tables'],
    [{ functions: { f: [7] } }, 'Expected `functions.f[0]` to be a name, got 7 (number)'],
  ])('are named: %j', (options, message) => {
    expect(() => check(options)).toThrow(TypeError);
    expect(() => check(options)).toThrow(message);
  });

  it('do not include what is right', () => {
    check({});
    check({ default: false, tables: { 'sales.orders': { ttl: '5m', cache: false, tenant: false, writes: [] } } });
    check({ default: { ttl: '1m', maxStale: 0 }, tenant: 'org_id', functions: { f: 'pure', g: ['a'], h: {} } });
  });
});

describe('the rule of a table', () => {
  const tables = { ...shop, 'sales.orders': shop.orders, Weird: shop.logs };
  const catalog = aCatalog(postgres, tables);
  const find = (name: string, schema?: string) => catalog.find({ schema, name })!;

  it('belongs to its schema', () => {
    const rules = check({ tables: { orders: { grain: 'email' }, 'sales.orders': { grain: 'state' } } });
    expect(rules.grainOf(find('orders'), catalog)).toBe('email');
    expect(rules.grainOf(find('orders', 'sales'), catalog)).toBe('state');
    expect(rules.of(find('logs'), catalog).grain).toBeUndefined();
  });

  it('is found by the name as the database writes it, and without regard to case', () => {
    const rules = check({ tables: { Weird: { ttl: 1 }, ORDERS: { ttl: 2 } } });
    expect(rules.of(find('Weird'), catalog).ttl).toBe(1);
    expect(rules.of(find('orders'), catalog).ttl).toBe(2);
    const folded = aCatalog(mysql, shop);
    const others = checkRules({ tables: { Orders: { grain: 'Email' } } }, mysql);
    expect(others.grainOf(folded.find({ schema: undefined, name: 'orders' })!, folded)).toBe('email');
  });

  it('holds for its partitions', () => {
    const parts = aCatalog(postgres, { ...shop, part: { columns: shop.orders.columns, sharesTagOf: 'orders' } });
    const rules = check({ tables: { orders: { grain: 'email' } } });
    expect(rules.grainOf(parts.find({ schema: undefined, name: 'part' })!, parts)).toBe('email');
  });

  it('has its grain instead of the tenant, or none', () => {
    const rules = check({ tenant: 'org_id', tables: { orders: { grain: 'email' }, lines: { tenant: false } } });
    expect(rules.grainOf(find('users'), catalog)).toBe('org_id');
    expect(rules.grainOf(find('orders'), catalog)).toBe('email');
    expect(rules.grainOf(find('lines'), catalog)).toBeUndefined();
    expect(rules.grainOf(find('logs'), catalog)).toBeUndefined();
  });

  it('is kept for the catalogue it was looked up in, and looked up again in the next one', () => {
    const rules = check({ tables: { later: { ttl: 1 } } });
    expect(rules.of(find('orders'), catalog).ttl).toBeUndefined();
    const next = aCatalog(postgres, { later: shop.logs });
    expect(rules.of(next.find({ schema: undefined, name: 'later' })!, next).ttl).toBe(1);
  });
});

describe('a rule without effect is told once', () => {
  const catalog = aCatalog(postgres, shop);
  const orders = catalog.find({ schema: undefined, name: 'orders' })!;

  it.each([
    [{ order: {} }, '`tables.order` has no effect: app has no table of that name.'],
    [{ orders: { grain: 'org' } }, '`tables.orders` names columns that it does not have: org.'],
    [{ orders: { ignoreColumns: ['seen', 'saw'] } }, '`tables.orders` names columns that it does not have: saw.'],
    [{ orders: { grain: 'data' } }, '`tables.orders.grain` has no effect'],
    [{ orders: { ignoreColumns: ['org_id'] } }, '`tables.orders.ignoreColumns` cannot ignore the column'],
  ])('%j', async (tables, message) => {
    const warnings = await warningsOf(() => {
      check({ tenant: 'org_id', tables }).of(orders, catalog);
      check({ tenant: 'org_id', tables }).of(orders, catalog);
    });
    expect(warnings.map((warning) => warning.message)).toEqual([expect.stringContaining(message)]);
  });
});

describe('functions', () => {
  it('are handed to the catalogue, for views', () => {
    const { functions } = check({ functions: { f: 'pure', g: ['a'], h: { reads: ['b'], writes: ['c'] }, i: {} } });
    expect(functions).toEqual({ f: 'pure', g: ['a'], h: ['b'], i: [] });
  });
});
