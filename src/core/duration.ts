import { describe } from './errors.js';
import { warnOnce } from './warn.js';

/** The units of a {@link Duration}. */
export type Unit = 'ms' | 's' | 'm' | 'h' | 'd';
/** A length of time: milliseconds, or text such as `'250ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | `${number}${Unit}`;

const milliseconds: Record<Unit, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds of `duration`.
 *
 * @throws TypeError when it is neither a number of at least 0 nor text with a unit
 */
export function parseDuration(what: string, duration: unknown): number {
  if (typeof duration === 'number' && duration >= 0) {
    // 60 is nearly always meant as a minute by somebody who comes from another cache.
    if (duration > 0 && duration < 100 && Number.isInteger(duration) && what === 'ttl')
      warnOnce(
        `duration:${what}:${duration}`,
        `\`${what}: ${duration}\` means ${duration} ms; write '${duration}s' for seconds or '${duration}ms' if you mean it.`,
      );
    return duration;
  }
  const match = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) : null;
  if (match) return Number(match[1]) * milliseconds[match[2] as Unit];
  throw new TypeError(
    `Expected \`${what}\` to be a duration of at least 0, in milliseconds or as text such as '5m', got ${describe(duration)}`,
  );
}
