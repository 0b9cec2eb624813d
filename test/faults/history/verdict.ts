import type { Verdict } from './check.js';

/** Whether a history keeps what `maxStale` promises. */
export function holds({ ACK, DB, QUIET, readErrors, unhandled }: Verdict): boolean {
  return ACK + DB + QUIET + readErrors + unhandled === 0;
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
    `${title}: ACK ${ACK}, QUIET ${QUIET}, DB ${DB}, MONO ${MONO}, read errors ${readErrors}, unhandled ${unhandled}, oldest ${Math.ceil(oldest)} ms`,
    `  ${reads} reads, ${writes} writes (${acknowledged} acknowledged), hits ${percent(hitRatio)}, by tenths of popularity ${deciles.map(percent).join(' ')}`,
    ...(struck.length > 0 ? [`  ${struck.join(', ')}`] : []),
    ...examples.map((text) => `  ${text}`),
  ].join('\n');
}
