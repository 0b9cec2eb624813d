import type { Verdict } from './check.js';

/** Whether a history keeps what `maxStale` promises, or what `strict` does. */
export function holds({ ACK, DB, QUIET, MONO, COMMIT, readErrors, unhandled }: Verdict, strict = false): boolean {
  return ACK + DB + QUIET + readErrors + unhandled + (strict ? MONO + COMMIT : 0) === 0;
}

/**
 * Whether a history was one of a cache: what serves nothing, or one hot row alone, has nothing to break. A short one has
 * hardly begun when its Redis is restarted, and everything is gone; so it is, every few seconds, where masters change.
 */
export function serves(
  { hitRatio, deciles }: Verdict,
  { strict = false, short = false, changes = false } = {},
): boolean {
  if (changes) return hitRatio >= 0.4 && Math.min(...deciles) >= 0.2;
  if (strict) return hitRatio >= (short ? 0.35 : 0.4);
  return hitRatio >= (short ? 0.55 : 0.6) && Math.min(...deciles) >= (short ? 0.3 : 0.4);
}

export function describeVerdict(
  title: string,
  verdict: Verdict & { struck?: Readonly<Record<string, number>> },
): string {
  const {
    ACK,
    DB,
    QUIET,
    MONO,
    COMMIT,
    reads,
    writes,
    acknowledged,
    hitRatio,
    deciles,
    oldest,
    readErrors,
    unhandled,
    examples,
  } = verdict;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  const struck = Object.entries(verdict.struck ?? {}).map(([fault, times]) => `${fault} ${times}`);
  return [
    `${title}: ACK ${ACK}, QUIET ${QUIET}, DB ${DB}, MONO ${MONO}, COMMIT ${COMMIT}, read errors ${readErrors}, unhandled ${unhandled}, oldest ${Math.ceil(oldest)} ms`,
    `  ${reads} reads, ${writes} writes (${acknowledged} acknowledged), hits ${percent(hitRatio)}, by tenths of popularity ${deciles.map(percent).join(' ')}`,
    ...(struck.length > 0 ? [`  ${struck.join(', ')}`] : []),
    ...examples.map((text) => `  ${text}`),
  ].join('\n');
}
