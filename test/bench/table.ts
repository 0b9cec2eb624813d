import { us } from './harness.js';
import { planOf } from './plans.js';
import { isMet, type Outcome, type Target } from './row.js';

/** For the terminal. */
export function asText(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(({ title, unit, figures, targets }) => {
      const ours = figures[us];
      const lines = Object.entries(figures).map(
        ([name, figure]) =>
          `  ${name.padEnd(30)}${readable(figure).padStart(10)}${ours === undefined ? '' : `${readable(figure / ours).padStart(10)} ×`}`,
      );
      const judged = targets.map((target) => `  ${verdict(target).padEnd(7)} ${sentence(target)}`);
      const isMissed = targets.some((target) => !isMet(target));
      return `\n${title} (${unit})${isMissed ? ' — MISSED' : ''}\n${[...lines, ...judged].join('\n')}`;
    })
    .join('\n');
}

/** For `results.md`: first what was promised, then all figures. */
export function asMarkdown(outcomes: readonly Outcome[], machine: string): string {
  const promised = outcomes.flatMap(({ title, figures, unit, targets }) =>
    targets.map(
      (target) =>
        `| ${title} | ${readable(figures[us] ?? Number.NaN)} ${unit} | ${sentence(target)} | ${verdict(target)} |`,
    ),
  );
  const all = outcomes.map(({ title, unit, figures }) => {
    const ours = figures[us] ?? Number.NaN;
    const lines = Object.entries(figures).map(
      ([name, figure]) => `| ${name} | ${readable(figure)} | ${readable(figure / ours)} |`,
    );
    return `### ${title}\n\n| | ${unit} | ÷ ours |\n| --- | --: | --: |\n${lines.join('\n')}\n`;
  });
  const missed = outcomes.flatMap(({ title, targets }) => {
    const sentences = targets.filter((target) => !isMet(target)).map(sentence);
    return sentences.length === 0 ? [] : [`**${title}** — ${sentences.join('; ')}. ${planOf(title)}`];
  });
  return `# What things cost

Written by \`npm run bench -- --write\`: ${machine}.
All contenders of a table ran in one process, in rounds of shuffled order; figures are medians over the rounds and
depend on the machine, ratios less so.

| row | ours | target | |
| --- | --: | --- | --- |
${promised.join('\n')}

${all.join('\n')}
## Missed targets: profile and plan

${missed.map((line) => `- ${line}`).join('\n')}
`;
}

function verdict(target: Target): string {
  return isMet(target) ? 'met' : 'MISSED';
}

function sentence({ text, value, bound, kind }: Target): string {
  return `${readable(value)} ${text} (${kind} ${readable(bound)})`;
}

function readable(figure: number): string {
  if (Number.isNaN(figure)) return '–';
  if (Number.isInteger(figure)) return String(figure);
  return Math.abs(figure) >= 100 ? figure.toFixed(0) : figure.toPrecision(3);
}
