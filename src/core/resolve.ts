import { namesOf, oneOf, refuseUnknown } from './check.js';
import { type Checked, checkTags } from './dependency.js';
import { parseDuration } from './duration.js';
import { expected } from './errors.js';
import { defaults, type ReadOptions, type ReadSettings, type Timing } from './options.js';

/**
 * From what a caller wrote of a read to what the cache works with: every option is checked, completed and frozen here,
 * once, where it is written down. The caller's own object is never changed. Those of a whole cache: `resolve-cache.ts`.
 */

/** Names of options about the age of values: those of `set`, of a read and of a cache have them. */
export const timing: Record<keyof Timing, true> = {
  ttl: true,
  swr: true,
  staleOnError: true,
  jitter: true,
  timeout: true,
  negativeTtl: true,
};
/** Those of a read; a wrapped function has its own `fresh`. */
export const reading: Record<Exclude<keyof ReadOptions, 'fresh'>, true> = {
  ...timing,
  tags: true,
  maxStale: true,
  tolerate: true,
  copy: true,
};
const readNames = namesOf<ReadOptions>({ ...reading, fresh: true });
const limitNames = namesOf<Extract<Timing['timeout'], object>>({ soft: true, hard: true });

/**
 * Checks and completes the options of a read, over those of its cache.
 *
 * @throws TypeError naming the option, what was expected and what came
 */
export function resolveReadOptions(o: ReadOptions, base: ReadSettings): ReadSettings {
  refuseUnknown(o, readNames, 'a read');
  return resolveTimed(o, base, base.maxStale);
}

/** The same settings with other tags. Written out: a spread would give each its own hidden class, and slow all readers. */
export function withTags(of: ReadSettings, tags: readonly Checked[]): ReadSettings {
  return {
    ttl: of.ttl,
    swr: of.swr,
    staleOnError: of.staleOnError,
    jitter: of.jitter,
    soft: of.soft,
    hard: of.hard,
    negativeTtl: of.negativeTtl,
    maxStale: of.maxStale,
    tolerate: of.tolerate,
    copy: of.copy,
    tags,
  };
}

/** What a cache goes by that says nothing. */
export const baseRead: ReadSettings = Object.freeze({
  ttl: defaults.ttl,
  swr: defaults.swr,
  staleOnError: defaults.staleOnError,
  jitter: defaults.jitter,
  soft: undefined,
  hard: defaults.hard,
  negativeTtl: undefined,
  maxStale: defaults.maxStale,
  tolerate: defaults.tolerate,
  copy: defaults.copy,
  tags: undefined,
});

/** @param mostStale - the cache's, beyond which no read may go */
export function resolveTimed(o: ReadOptions, base: ReadSettings, mostStale: number | undefined): ReadSettings {
  const duration = (what: keyof ReadOptions, fallback: number) =>
    o[what] === undefined ? fallback : parseDuration(what, o[what]);
  const { soft, hard } = resolveTimeout(o.timeout, base);
  const jitter = o.jitter ?? base.jitter;
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw expected('jitter', 'a number from 0 to 1', jitter);
  const maxStale = duration('maxStale', base.maxStale);
  if (mostStale !== undefined && maxStale > mostStale)
    throw new TypeError(
      `Expected \`maxStale\` of a read to be at most the cache's ${mostStale} ms, got ${maxStale} ms: other processes wait only for the cache's`,
    );
  return Object.freeze({
    ttl: duration('ttl', base.ttl),
    swr: duration('swr', base.swr),
    staleOnError: duration('staleOnError', base.staleOnError),
    jitter,
    soft,
    hard,
    negativeTtl: o.negativeTtl === undefined ? base.negativeTtl : parseDuration('negativeTtl', o.negativeTtl),
    maxStale,
    tolerate: duration('tolerate', base.tolerate),
    copy: oneOf('copy', ['frozen', 'clone', 'reference'], o.copy ?? base.copy),
    tags: o.tags === undefined ? base.tags : checkTags(o.tags),
  });
}

function resolveTimeout(timeout: Timing['timeout'], base: ReadSettings): { soft: number | undefined; hard: number } {
  if (timeout === undefined) return base;
  if (typeof timeout !== 'object' || timeout === null)
    return { soft: base.soft, hard: parseDuration('timeout', timeout) };
  refuseUnknown(timeout, limitNames, 'timeout');
  return {
    soft: timeout.soft === undefined ? base.soft : parseDuration('timeout.soft', timeout.soft),
    hard: timeout.hard === undefined ? base.hard : parseDuration('timeout.hard', timeout.hard),
  };
}
