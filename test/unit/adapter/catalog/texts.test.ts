import { describe, expect, test } from 'vitest';
import { grantsOf } from '../../../../src/adapter/catalog/mysql-grants.js';
import { afterAs } from '../../../../src/adapter/catalog/sqlite-text.js';

const has = (...grants: string[]) => {
  const ask = grantsOf(grants.map((text) => ({ 'Grants for app@%': text })));
  return (privilege: string, schema: string, table: string) => ask([privilege], schema, table);
};

describe('grants', () => {
  test('of all privileges count for each', () => {
    expect(has('GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION')('TRIGGER', 'app', 't')).toBe(true);
    expect(has("GRANT ALL PRIVILEGES ON `app`.* TO 'app'@'%'")('TRIGGER', 'other', 't')).toBe(false);
  });

  test('of nothing count for nothing', () => {
    expect(has("GRANT USAGE ON *.* TO 'app'@'%' IDENTIFIED BY PASSWORD '*1'")('TRIGGER', 'app', 't')).toBe(false);
    expect(has('GRANT `role`@`%` TO `app`@`%`', 'GRANT PROXY ON ``@`%` TO `root`@`%`')('TRIGGER', 'app', 't')).toBe(
      false,
    );
    expect(has('GRANT EXECUTE ON FUNCTION `app`.`t` TO `app`@`%`')('EXECUTE', 'app', 't')).toBe(false);
  });

  test('name one table, or a pattern of databases', () => {
    const one = has('GRANT SELECT, TRIGGER ON `a_b`.`t` TO `u`@`%`');
    expect([one('TRIGGER', 'a_b', 't'), one('TRIGGER', 'axb', 't'), one('TRIGGER', 'a_b', 'u')]).toEqual([
      true,
      false,
      false,
    ]);
    const some = has('GRANT TRIGGER ON `app\\_%`.* TO `u`@`%`');
    expect([some('TRIGGER', 'app_1', 't'), some('TRIGGER', 'app1', 't')]).toEqual([true, false]);
    expect(has('GRANT TRIGGER ON "it""s".* TO "u"@"%"')('TRIGGER', 'it"s', 't')).toBe(true);
    expect(has('GRANT TRIGGER ON `a.b`.* TO `u`@`%`')('TRIGGER', 'axb', 't')).toBe(false);
  });

  test('are not confused by columns', () => {
    const grant = has('GRANT SELECT (`id`, `TRIGGER`), UPDATE ON `app`.`t` TO `u`@`%`');
    expect([grant('TRIGGER', 'app', 't'), grant('UPDATE', 'app', 't'), grant('SELECT', 'app', 't')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('are taken back for one database', () => {
    const most = has('GRANT SELECT, TRIGGER ON *.* TO `u`@`%`', 'REVOKE TRIGGER ON `app`.* FROM `u`@`%`');
    expect([most('TRIGGER', 'app', 't'), most('TRIGGER', 'other', 't'), most('SELECT', 'app', 't')]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('the query of a view', () => {
  test.each([
    ['CREATE VIEW v AS SELECT 1', ' SELECT 1'],
    ['CREATE VIEW v as/**/select 1 as x', '/**/select 1 as x'],
    ['CREATE VIEW "a as b"("as", x) AS SELECT 1', ' SELECT 1'],
    ["CREATE VIEW 'as' AS SELECT 1", ' SELECT 1'],
    ['CREATE VIEW [as] -- as it was\nAS SELECT 1', ' SELECT 1'],
    ['CREATE VIEW `as``as` /* as */ AS SELECT 1', ' SELECT 1'],
    ['CREATE VIEW asas AS VALUES (1)', ' VALUES (1)'],
    ['CREATE VIEW v', ''],
  ])('%s', (sql, query) => expect(afterAs(sql)).toBe(query));
});
