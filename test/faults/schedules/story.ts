import type { Subject, WriteWay } from '../history/subjects.js';

/** What a read gave, and what had been acknowledged before it began. */
export interface Seen {
  readonly acknowledged: number;
  readonly value: number;
}

/** Whether a reader's second read comes after its first one, or may meet it on its way and join it. */
export type Reads = 'in turn' | 'at once';

export interface Telling {
  readonly reads: Reads;
  readonly writes: WriteWay;
  /** How many answers of the database this one has had so far. */
  asked(subject: Subject): number;
}

/** One row, and everything that somebody saw of it, in the order of this process, which is everybody's. */
export function aStory(row: number, { reads, writes, asked }: Telling) {
  let acknowledged = 0;
  let hits = 0;
  const seen: Seen[] = [];
  const read = async (subject: Subject) => {
    const before = acknowledged;
    const askedBefore = asked(subject);
    const { values } = await subject.read(row);
    for (const [, value] of values) seen.push({ acknowledged: before, value });
    if (asked(subject) === askedBefore) hits++;
  };
  return {
    /** Readers read the row twice each, writers write it once; each begins at its turn. */
    async play(
      readers: readonly Subject[],
      writers: readonly Subject[],
      turn: (name: string) => Promise<void>,
    ): Promise<void> {
      await Promise.all([
        ...readers.flatMap((subject, i) => {
          const one = async (begins: string) => {
            await turn(`reader ${i} ${begins}`);
            await read(subject);
          };
          return reads === 'at once' ? [one('begins'), one('begins again')] : one('begins').then(() => read(subject));
        }),
        ...writers.map(async (subject, i) => {
          await turn(`writer ${i} begins`);
          let written = 0;
          const outcome = await subject.write([row], writes, (_, value) => {
            written = value;
          });
          // Nothing fails here, so there is no excuse; and a write that nobody acknowledges, no read can lack.
          if (outcome !== 'acknowledged') throw new Error(`Expected the write to be acknowledged, got ${outcome}`);
          acknowledged = Math.max(acknowledged, written);
        }),
      ]);
    },
    /** Everybody once more, when all is over. */
    async end(all: readonly Subject[]): Promise<void> {
      for (const subject of all) await read(subject);
    },
    /** Reads during which the database told their process nothing: who always asks it is never wrong, and no cache. */
    hits: () => hits,
    /** Reads that lack a write which had been acknowledged before they began. */
    stale: (): Seen[] => seen.filter((it) => it.value < it.acknowledged),
  };
}
