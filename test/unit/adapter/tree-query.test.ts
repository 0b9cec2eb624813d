import { expect, test } from 'vitest';
import { treeQuery } from '../../../src/adapter/index.js';

const columns = { table: 'caps', id: 'id', parent: 'parent_id' };

test('names are quoted as the dialect does', () => {
  const odd = { table: 'a"b.c`d', id: 'i"d', parent: 'p`' };
  expect(treeQuery('postgres', odd).sql).toContain('from "a""b"."c`d" f where f."p`" is null');
  expect(treeQuery('mysql', odd).sql).toContain('from `a"b`.`c``d` f where f.`p``` is null');
});

test('values are never part of the text', () => {
  expect(treeQuery('postgres', { ...columns, from: ["'; drop"] })).toEqual({
    sql: 'with recursive unstale_tree (id) as ( select f."id" from "caps" f where f."id" = any($1) union select c."id" from "caps" c join unstale_tree t on c."parent_id" = t.id ) select n.* from "caps" n where n."id" in (select id from unstale_tree)',
    params: [["'; drop"]],
  });
  const { sql, params } = treeQuery('sqlite', { ...columns, from: [1, 2], depth: 3, columns: ['id', 'name'] });
  expect(params).toEqual([1, 2]);
  expect(sql).toContain('f."id" in (?, ?)');
  expect(sql).toContain('where t.depth < 3');
  expect(sql).toContain('select n."id", n."name" from');
});

test('paths of ltree need no recursion', () => {
  expect(treeQuery('ltree', { ...columns, parent: 'path', from: [7], depth: 1 }).sql).toBe(
    'select n.* from "caps" n where exists (select 1 from "caps" f where f."id" = any($1) and n."path" <@ f."path" and nlevel(n."path") <= nlevel(f."path") + 1)',
  );
  expect(treeQuery('ltree', { ...columns, parent: 'path' }).sql).toContain('nlevel(f."path") = 1');
});

test('wrong arguments are told', () => {
  expect(() => treeQuery('oracle' as never, columns)).toThrow(
    "Expected `dialect` to be 'postgres', 'ltree', 'mysql' or",
  );
  expect(() => treeQuery('mysql', { ...columns, depth: 1.5 })).toThrow('Expected `depth` to be a whole number');
  expect(() => treeQuery('mysql', { ...columns, id: '' })).toThrow('Expected `id` to be a name, got "" (string)');
  expect(() => treeQuery('mysql', { ...columns, columns: [] })).toThrow('Expected `columns` to be a list');
});
