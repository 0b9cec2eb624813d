/** What came of comparing stored values with the database, by audits or by shadow mode, since the cache was made. */
export interface AuditCounts {
  /** Reads whose value was compared, and either was what the database says or was not. */
  readonly audited: number;
  /** Those that were not, although no tag had changed. */
  readonly mismatches: number;
  /** Reads of which nobody can tell: a tag changed meanwhile, or the value is meant to differ until it is too old. */
  readonly undecided: number;
  /** Audited loads that failed. */
  readonly failed: number;
  /** Hits that were drawn and not audited: too many audits were under way, or the load cannot be run again. */
  readonly skipped: number;
}

/** Which hits are audited, and what is known of audits: the state of `audit.ts` and `verdict.ts`. */
export class Audits {
  readonly counts: { -readonly [K in keyof AuditCounts]: number } = {
    audited: 0,
    mismatches: 0,
    undecided: 0,
    failed: 0,
    skipped: 0,
  };
  /** Audited loads under way. */
  running = 0;
  /** Keys whose difference waits for its second look. */
  readonly doubts = new Set<string>();
  readonly #share: number;
  /** Hits until the next one that is audited. */
  #left: number;

  /** @param share - of all hits, 0 to 1 */
  constructor(share: number) {
    this.#share = share;
    this.#left = gap(share);
  }

  /** Of a hit that would be answered at once: whether it is to take the long way, on which its load is at hand. */
  isDue(): boolean {
    return --this.#left < 0;
  }

  /** The same of one on the long way; if it is due, it is the last one for now. */
  take(): boolean {
    if (!this.isDue()) return false;
    this.#left = gap(this.#share);
    return true;
  }
}

/** How many hits go by until the next one, each with the same chance: drawn once, so that a hit has only to count. */
function gap(share: number): number {
  if (share === 0) return Number.POSITIVE_INFINITY;
  return share < 1 ? Math.floor(Math.log(1 - Math.random()) / Math.log1p(-share)) : 0;
}
