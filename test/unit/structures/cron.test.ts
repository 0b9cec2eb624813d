import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCron } from '../../../src/structures/warm/cron.js';

const minute = 60_000;
const at = (text: string) => Date.parse(`${text}Z`);
const next = (cron: string, after: string) => new Date(parseCron(cron).next(at(after))).toISOString().slice(0, 16);

describe('the next time', () => {
  test.each([
    ['* * * * *', '2026-01-31T23:59:30', '2026-02-01T00:00'],
    ['* * * * *', '2026-01-31T23:59:00', '2026-02-01T00:00'],
    ['*/15 * * * *', '2026-01-31T10:46', '2026-01-31T11:00'],
    ['5/20 * * * *', '2026-01-31T10:46', '2026-01-31T11:05'],
    ['30 3 * * *', '2026-12-31T03:30', '2027-01-01T03:30'],
    ['0 9-17 * * mon-fri', '2026-11-20T17:00', '2026-11-23T09:00'],
    ['0 0 * * SUN', '2026-11-22T00:00', '2026-11-29T00:00'],
    ['0 0 * * 7', '2026-11-21T00:00', '2026-11-22T00:00'],
    ['0 0 * * fri-mon', '2026-11-17T00:00', '2026-11-20T00:00'],
    ['0 0 13 * fri', '2026-11-10T00:00', '2026-11-13T00:00'],
    ['0 0 13 * fri', '2026-11-13T00:00', '2026-11-20T00:00'],
    ['0 0 31 * *', '2026-04-01T00:00', '2026-05-31T00:00'],
    ['0 0 29 feb *', '2096-03-01T00:00', '2104-02-29T00:00'],
    ['0,30 8,20 1,15 jan,jul *', '2026-01-15T20:30', '2026-07-01T08:00'],
  ])('of %s after %s is %s', (cron, after, expected) => {
    expect(next(cron, after)).toBe(expected);
  });

  test('in UTC no hour is missing in spring, and none comes twice in autumn', () => {
    const cron = parseCron('30 2 * * *');
    let time = at('2026-01-01T00:00');
    for (let day = 0; day < 365; day++) {
      const then = cron.next(time);
      expect(then - time).toBe(day === 0 ? 2.5 * 60 * minute : 24 * 60 * minute);
      time = then;
    }
  });
});

/** The same, in the plainest way: field by field, minute after minute. */
function walk(text: string, after: number, most: number): number | undefined {
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
  const parts = text.toLowerCase().split(' ') as [string, string, string, string, string];
  const numberOf = (word: string) =>
    names.includes(word)
      ? names.indexOf(word)
      : monthNames.includes(word)
        ? monthNames.indexOf(word) + 1
        : Number(word);
  const has = (field: string, value: number, least: number, most: number) =>
    field.split(',').some((part) => {
      const [range = '', step] = part.split('/');
      const [from = '', to] = range.split('-');
      const first = range === '*' ? least : numberOf(from);
      const last = range === '*' ? most : to !== undefined ? numberOf(to) : step === undefined ? first : most;
      for (let n = first; n <= last; n += Number(step ?? 1)) if (n === value) return true;
      return false;
    });
  const table = (field: string, least: number, most: number) =>
    Array.from({ length: most + 1 }, (_, value) => value >= least && has(field, value, least, most));
  const minutes = table(parts[0], 0, 59);
  const hours = table(parts[1], 0, 23);
  const days = table(parts[2], 1, 31);
  const months = table(parts[3], 1, 12);
  const weekdays = table(parts[4], 0, 6);
  for (let time = (Math.floor(after / minute) + 1) * minute, steps = 0; steps < most; time += minute, steps++) {
    const date = new Date(time);
    if (!minutes[date.getUTCMinutes()] || !hours[date.getUTCHours()] || !months[date.getUTCMonth() + 1]) continue;
    const day = days[date.getUTCDate()];
    const weekday = weekdays[date.getUTCDay()];
    const both = parts[2].startsWith('*') || parts[4].startsWith('*');
    if (both ? day && weekday : day || weekday) return time;
  }
  return undefined;
}

test('is what a walk from minute to minute finds, for any fields and any moment', () => {
  const field = (least: number, most: number) => {
    const number = fc.integer({ min: least, max: most });
    const range = fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
    const step = fc.integer({ min: 1, max: 9 });
    const one = fc.oneof(
      number.map(String),
      range,
      fc.tuple(range, step).map(([text, by]) => `${text}/${by}`),
      fc.tuple(number, step).map(([text, by]) => `${text}/${by}`),
      step.map((by) => `*/${by}`),
    );
    return fc.oneof(
      { weight: 2, arbitrary: fc.constant('*') },
      fc.array(one, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(',')),
    );
  };
  const fields = fc.tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6));
  const moment = fc.integer({ min: at('2024-01-01T00:00'), max: at('2032-01-01T00:00') });
  let found = 0;
  fc.assert(
    fc.property(fields, moment, (parts, after) => {
      const text = parts.join(' ');
      // Sixty days; what comes later must not be before that.
      const most = 60 * 24 * 60;
      const expected = walk(text, after, most);
      let got: number | undefined;
      try {
        got = parseCron(text).next(after);
      } catch (error) {
        expect(String(error)).toContain('comes at all');
      }
      if (expected === undefined) expect(got ?? Number.POSITIVE_INFINITY).toBeGreaterThan(after + most * minute);
      else {
        found++;
        expect(got, text).toBe(expected);
      }
    }),
    { numRuns: 200 },
  );
  expect(found).toBeGreaterThan(50);
});

test.each([
  ['* * * *', 'five fields'],
  [5, 'five fields'],
  ['60 * * * *', "a minute from 0 to 59, got '60'"],
  ['* 24 * * *', "an hour from 0 to 23, got '24'"],
  ['* * 0 * *', "a day from 1 to 31, got '0'"],
  ['* * * 13 *', "a month from 1 to 12 or a name such as 'jan', got '13'"],
  ['* * * * 8', "a weekday from 0 to 7 or a name such as 'sun', got '8'"],
  ['* * * * monday', "got 'monday'"],
  ['*/0 * * * *', "got '*/0'"],
  ['20-10 * * * *', 'ends before it begins'],
  ['1, * * * *', "got ''"],
  ['0 0 30 feb *', 'a time that comes at all'],
  ['@daily', 'five fields'],
])('%o is refused, and the error says why', (cron, why) => {
  expect(() => parseCron(cron)).toThrow(TypeError);
  expect(() => parseCron(cron)).toThrow(why);
});
