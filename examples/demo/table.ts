import type { Figure } from './measure.js';
import type { Tally } from './race/play.js';
import { bar, milliseconds, number, paint, percent, say } from './terminal.js';

/** The figures of a story, one a line, with bars that compare their times. */
export function sayFigures(figures: readonly Figure[]): void {
  const longest = Math.max(...figures.map((figure) => figure.ms));
  for (const { label, queries, ms } of figures) {
    const sent = `${number(queries).padStart(7)} ${queries === 1 ? 'query  ' : 'queries'}`;
    const colour = label === 'without cache' ? 'red' : label.startsWith('warm') ? 'green' : 'yellow';
    say(`    ${label.padEnd(14)} ${sent} ${milliseconds(ms).padStart(12)}  ${paint(colour, bar(ms / longest, 36))}`);
  }
}

/** What came of the races, one a line. */
export function sayTallies(tallies: ReadonlyMap<string, Tally>): void {
  const most = Math.max(...[...tallies.values()].map((tally) => tally.stale));
  say(
    paint(
      'dim',
      `  ${''.padEnd(16)}${'reads'.padStart(8)}${'writes'.padStart(8)}   answered without a query     stale reads`,
    ),
  );
  for (const [name, { reads, loads, writes, refused, stale, behind }] of tallies) {
    const hits = reads === 0 ? 0 : Math.max(0, 1 - loads / reads);
    const counts = `${number(reads).padStart(8)}${number(writes).padStart(8)}`;
    const share = `${paint('cyan', bar(hits, 16).padEnd(16))} ${percent(hits).padStart(7)}`;
    const worst = stale === 0 ? '' : ` (up to ${behind} ${behind === 1 ? 'write' : 'writes'} behind)`;
    const staleReads = `${paint('red', bar(stale / most, 12))}${stale === 0 ? '' : ' '}${number(stale)}${worst}`;
    say(`  ${name.padEnd(16)}${counts}   ${share}     ${staleReads}`);
    if (refused > 0)
      say(`    ${number(refused)} invalidations were refused: their writers were told, and nothing was recorded`);
  }
  say(
    '\n  Readers of unstale wait for a row that was just changed instead of getting the old one; that costs some reads.',
  );
}
