import { describe, expect, test, vi } from 'vitest';
import { aCache } from '../../core/a-cache.js';

interface Row {
  id: unknown;
  n: number;
}

/** A batch over a table, whose column comes as a driver gives it and is compared as a database does. */
function over(rows: readonly Row[], same: (column: unknown, input: unknown) => boolean = Object.is) {
  const { cache } = aCache();
  const load = vi.fn(async (inputs: readonly unknown[]) =>
    rows.filter(({ id }) => inputs.some((input) => same(id, input))),
  );
  return {
    load,
    one: cache.batch({ name: 'one', load, by: 'id' }),
    many: cache.batch({ name: 'many', load, by: 'id', many: true }),
  };
}

const a = { id: 1, n: 1 };
const b = { id: 2, n: 2 };
const c = { id: 2, n: 3 };

describe('rows that say whose they are', () => {
  test('are the lists of their inputs, in the order of the load; who has none has an empty one', async () => {
    const { many, load } = over([c, a, b]);
    expect(await many.loadMany([3, 2, 1, 2])).toEqual([[], [c, b], [a], [c, b]]);
    expect(await many.loadMany([1, 2, 3])).toEqual([[a], [c, b], []]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('are the rows of their inputs; who has none has null', async () => {
    const { one, load } = over([b, a]);
    expect(await one.loadMany([3, 2, 1])).toEqual([null, b, a]);
    expect(await one.load(3)).toBe(null);
    expect(load).toHaveBeenCalledTimes(1);
  });

  test('may be an input of null, which no row has', async () => {
    const { one, many } = over([a]);
    expect(await one.loadMany([null, 1])).toEqual([null, a]);
    expect(await many.loadMany([null, 1])).toEqual([[], [a]]);
  });

  const uuid = '0B4E2C8A-1D3F-4A5B-8C7D-9E0F1A2B3C4D';
  const day = new Date('2026-01-02');
  const equal = (column: unknown, input: unknown) => String(column).toLowerCase() === String(input).toLowerCase();
  test.each<[string, unknown, unknown, typeof equal]>([
    ['a bigint as text, by a number', '7', 7, equal],
    ['a bigint as text, by a bigint', '9007199254740993', 9007199254740993n, equal],
    ['a bigint, by a text', 7n, '7', equal],
    ['a number, by a text with zeros', 7, '007', (column, input) => column === Number(input)],
    ['a numeric as text, by a number', '7.50', 7.5, (column, input) => Number(column) === input],
    ['a UUID in small letters, by one in capitals', uuid.toLowerCase(), uuid, equal],
    ['a UUID, by one in braces', uuid.toLowerCase(), `{${uuid}}`, (column, input) => equal(`{${column}}`, input)],
    ['a text that a collation finds equal', 'Strasse', 'straße ', () => true],
    ['a Date', new Date(day), day, equal],
    ['bytes', Buffer.from([1, 2]), new Uint8Array([1, 2]), (column, input) => Buffer.compare(column as Buffer, input as Buffer) === 0], // biome-ignore format: a line
    ['a boolean as number', 1, true, (column, input) => Boolean(column) === input],
  ])('are known in the way of their driver: %s', async (_, column, input, same) => {
    const row = { id: column, n: 1 };
    const { one, many } = over([row], same);
    expect(await one.load(input)).toEqual(row);
    expect(await many.load(input)).toEqual([row]);
  });

  test('go to every input that the database finds them by, although it is not told which', async () => {
    const rows = [
      { id: 'Ada', n: 1 },
      { id: 'ADA', n: 2 },
    ];
    const ci = over(rows, (column, input) => String(column).toLowerCase() === String(input).toLowerCase());
    expect(await ci.many.loadMany(['ada', 'ADA', 'bob'])).toEqual([rows, rows, []]);
    // Inputs that some database may find equal are not in one load, so that no row has to choose between them.
    expect(ci.load.mock.calls).toEqual([[['ada', 'bob']], [['ADA']]]);
    const exact = over(rows);
    expect(await exact.many.loadMany(['ada', 'ADA', 'Ada'])).toEqual([[], [rows[1]], [rows[0]]]);
  });

  test('are refused, with the reason, when they fit no input', async () => {
    const { one } = over([{ id: 5, n: 1 }], () => true);
    const read = one.loadMany([1, 2]);
    await expect(read).rejects.toThrow(TypeError);
    await expect(read).rejects.toThrow('one of the inputs as its `id`, got 5 (number), and inputs such as 1 (number)');
  });

  test('are refused, with the reason, when there are several for one', async () => {
    await expect(over([b, c]).one.load(2)).rejects.toThrow('one row for each input, got 2 for 2 (number)');
  });

  test.each([
    ['rows without the column', [{ n: 1 }], 'to have `id`, got a row with n'],
    ['what are no rows', [7], 'to have `id`, got 7 (number)'],
    ['no list', { rows: [] }, 'a list of rows'],
    ['nothing', undefined, 'a list of rows'],
  ])('are refused, with the reason: %s', async (_, answer, message) => {
    const { cache } = aCache();
    const batch = cache.batch({
      name: 'b',
      load: async (_: readonly number[]) => answer as unknown as Row[],
      by: 'id',
    });
    await expect(batch.load(1)).rejects.toThrow(message);
    expect(cache.stats().entries).toBe(0);
  });
});
