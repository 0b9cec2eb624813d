import { describe } from '../../core/errors.js';

/**
 * Five fields, as cron has them: minute, hour, day of the month, month, day of the week. In UTC, where no hour is missing
 * and none comes twice.
 *
 * Each is a list of numbers and ranges, each with a step if need be: `0,30`, `9-17`, `10-50/20`, `5/20` (from 5 on); a star
 * is the whole range. Months and weekdays have names (`jan`, `mon`), 7 is Sunday as 0 is, and `fri-mon` goes over the weekend.
 * When both days are named, one of them is enough; a field counts as named unless it begins with `*`.
 */
export interface Cron {
  /** The first moment it names after `after`; both in milliseconds since 1970. */
  next(after: number): number;
}

/** @throws TypeError saying which field is wrong, or that there is no such day */
export function parseCron(text: unknown): Cron {
  const parts = typeof text === 'string' ? text.trim().split(/\s+/) : [];
  if (parts.length !== 5)
    throw wrong("five fields, such as '0 3 * * mon' (minute, hour, day, month, weekday; UTC)", text);
  const [minutes, hours, days, months, weekdays] = fields.map((field, i) =>
    parseField(field, parts[i] as string, text),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  if (weekdays.delete(7)) weekdays.add(0);
  const anyDay = (parts[2] as string).startsWith('*');
  const anyWeekday = (parts[4] as string).startsWith('*');
  const isDay = (date: Date) => {
    const [day, weekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
    // With a star on either side both must hold, where the star itself may leave days out by its step.
    return anyDay || anyWeekday ? day && weekday : day || weekday;
  };
  const next = (after: number) => {
    const date = new Date(Math.floor(after / minute) * minute + minute);
    const last = after + 9 * 366 * day;
    while (date.getTime() <= last) {
      if (!months.has(date.getUTCMonth() + 1)) toMonth(date);
      else if (!isDay(date)) toHour(date, 24);
      else if (!hours.has(date.getUTCHours())) toHour(date, date.getUTCHours() + 1);
      else if (!minutes.has(date.getUTCMinutes())) date.setTime(date.getTime() + minute);
      else return date.getTime();
    }
    throw wrong('a time that comes at all', text);
  };
  // February 29 may be eight years away; February 30 never comes, and that is said at once.
  next(0);
  return { next };
}

const minute = 60_000;
const day = 24 * 60 * minute;

interface Field {
  readonly what: string;
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
  /** Where a range that ends before it begins goes on. */
  readonly wraps?: number;
}

const fields: readonly Field[] = [
  { what: 'minute', least: 0, most: 59, names: [] },
  { what: 'hour', least: 0, most: 23, names: [] },
  { what: 'day', least: 1, most: 31, names: [] },
  {
    what: 'month',
    least: 1,
    most: 12,
    names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { what: 'weekday', least: 0, most: 7, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'], wraps: 7 },
];

function parseField(field: Field, text: string, whole: unknown): Set<number> {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
    const step = Number(match?.[4] ?? 1);
    if (match === null || step < 1) throw wrong(`${what(field)}, got '${part}', in a schedule`, whole);
    const first = match[1] === undefined ? numberOf(field, match[2] as string, whole) : field.least;
    const open = match[1] !== undefined || (match[3] === undefined && match[4] !== undefined);
    // A star means each weekday once, and Sunday is 0.
    const top = field.wraps === undefined ? field.most : field.most - 1;
    let last = open ? top : match[3] === undefined ? first : numberOf(field, match[3], whole);
    if (last < first && field.wraps !== undefined) last += field.wraps;
    if (last < first) throw wrong(`${what(field)}, got '${part}', which ends before it begins, in a schedule`, whole);
    for (let n = first; n <= last; n += step) numbers.add(field.wraps === undefined || n <= 7 ? n : n % field.wraps);
  }
  return numbers;
}

function numberOf(field: Field, text: string, whole: unknown): number {
  const named = field.names.indexOf(text.toLowerCase());
  const number = named >= 0 && text !== '' ? named : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= field.least && number <= field.most))
    throw wrong(`${what(field)}, got '${text}', in a schedule`, whole);
  return number;
}

function what({ what, least, most, names }: Field): string {
  const first = names.find((name) => name !== '');
  return `${what === 'hour' ? 'an' : 'a'} ${what} from ${least} to ${most}${first === undefined ? '' : ` or a name such as '${first}'`}`;
}

function wrong(toBe: string, got: unknown): TypeError {
  return new TypeError(`Expected \`cron\` to be ${toBe}, got ${describe(got)}`);
}

function toMonth(date: Date): void {
  date.setUTCMonth(date.getUTCMonth() + 1, 1);
  date.setUTCHours(0, 0);
}

function toHour(date: Date, hour: number): void {
  date.setUTCHours(hour, 0);
}
