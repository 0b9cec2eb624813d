import { LRUCache } from 'lru-cache';
import { encodeKey, hashKey, type Key } from '../values/index.js';
import type { Observed } from './port.js';

type Statement = Pick<Observed, 'text' | 'params'>;

/** Keys whose last statements are remembered. */
const maxKeys = 10_000;
/** Names that were told of; a name is told of once. */
const maxNames = 10_000;
/** Values of a statement that are looked at. */
const maxValues = 100;

/**
 * Finds loads that depend on something that is missing in their key, such as a method that reads `this.tenantId`: two
 * loads of one key run the same statement with other values.
 *
 * Only statements count that began before the load had any data, since what comes after may follow from it. Which of
 * several parallel ones that are can differ from load to load, so a statement is compared only with itself, and only
 * if both loads ran it equally often. It is a detector: it may miss, and should not cry wolf.
 */
export class Underkeyed {
  /** For each key, the statements of its last load; made when the first one comes. */
  #known: LRUCache<string, readonly string[]> | undefined;
  readonly #told = new Set<string>();

  /** The statement that ran with other values than in the last load of the same key, once for each name. */
  check(key: string, name: string, statements: readonly Statement[]): string | undefined {
    if (statements.length === 0 || this.#told.has(name) || this.#told.size >= maxNames) return undefined;
    this.#known ??= new LRUCache({ max: maxKeys });
    const groups = grouped(statements);
    const before = this.#known.get(key);
    this.#known.set(
      key,
      [...groups].map(([shape, { values }]) => `${shape} ${values.length} ${hashOf(values)}`),
    );
    for (const one of before ?? []) {
      const [shape, count, hash] = one.split(' ') as [string, string, string];
      const now = groups.get(shape);
      if (now === undefined || String(now.values.length) !== count || hash === undecided) continue;
      const other = hashOf(now.values);
      if (other === undecided || other === hash) continue;
      this.#told.add(name);
      return now.text;
    }
    return undefined;
  }
}

/** Statements of one text, whatever order they began in. */
function grouped(statements: readonly Statement[]): Map<string, { text: string; values: string[] }> {
  const groups = new Map<string, { text: string; values: string[] }>();
  for (const { text, params } of statements) {
    const values: unknown[] = (Array.isArray(params) ? params : Object.values(params)).slice(0, maxValues);
    // Values that stand in the text are values too, and are not to be shown.
    const bare = text.replace(literal, (value) => {
      values.push(value.replaceAll("'", ''));
      return '?';
    });
    const shape = hashKey(bare).slice(0, 12);
    const group = groups.get(shape) ?? { text: bare.length > 300 ? `${bare.slice(0, 300)}…` : bare, values: [] };
    group.values.push(encoded(values));
    groups.set(shape, group);
  }
  return groups;
}

const literal = /'(?:[^']|'')*'|(?<![\w$"])\d+(?:\.\d+)?(?!\w)/g;

function hashOf(values: readonly string[]): string {
  return values.includes(undecided) ? undecided : hashKey([...values].sort().join('|')).slice(0, 12);
}

/** Without moments, which differ from load to load in the best of functions. */
function encoded(values: readonly unknown[]): string {
  try {
    return encodeKey(values.filter((value) => !isMoment(value)) as Key);
  } catch {
    return undecided;
  }
}

function isMoment(value: unknown): boolean {
  if (value instanceof Date) return true;
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\d(?:[T ]\d\d:|$)/.test(value);
  return typeof value === 'number' && value > 1e12 && value < 1e13;
}

const undecided = '-';
