import { styleText } from 'node:util';

const dumb = process.env.TERM === 'dumb';
/** Whether a line can be written over, as in a terminal; not in a file, a pipe or a log of CI. */
const live = process.stdout.isTTY === true && !dumb;
const colours = live && !process.env.NO_COLOR;

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export function paint(style: Style, text: string): string {
  return colours ? styleText(style, text) : text;
}

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** A title that stands out, with or without colours. */
export function heading(text: string): void {
  say(`\n${paint('bold', text)}\n${paint('dim', '─'.repeat(text.length))}`);
}

/** A bar of up to `width` characters, in steps of an eighth; whatever is more than nothing can be seen. */
export function bar(share: number, width: number): string {
  const eighths = share <= 0 ? 0 : Math.max(1, Math.round(Math.min(1, share) * width * 8));
  return '█'.repeat(eighths >> 3) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths & 7];
}

export const number = (n: number) => n.toLocaleString('en-US');
export const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
export const milliseconds = (ms: number) => `${ms >= 100 ? number(Math.round(ms)) : ms.toFixed(ms >= 1 ? 1 : 3)} ms`;
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

/**
 * Runs `work` while saying what it is and how far it has come, in a line that moves, where there is a terminal. `work`
 * gets a function to tell its share, from 0 to 1. The line goes when it is done.
 */
export async function working<T>(title: string, work: (tell: (share: number) => void) => Promise<T>): Promise<T> {
  if (!live) return work(() => {});
  const started = performance.now();
  let share = 0;
  const draw = () => {
    const much = share > 0 ? `${bar(share, 24).padEnd(24, '·')} ` : '';
    process.stdout.write(`\r\x1b[K  ${title} ${paint('cyan', much)}${seconds(performance.now() - started)}`);
  };
  const timer = setInterval(draw, 80);
  draw();
  try {
    return await work((now) => {
      share = now;
    });
  } finally {
    clearInterval(timer);
    process.stdout.write('\r\x1b[K');
  }
}

/** The same, and says in a line of its own that it is done. `told` is what to say of the result. */
export async function step<T>(
  title: string,
  work: (tell: (share: number) => void) => Promise<T>,
  told: (result: T) => string = () => '',
): Promise<T> {
  const started = performance.now();
  const result = await working(title, work);
  const took = seconds(performance.now() - started).padStart(6);
  say(`  ${paint('green', '✓')} ${title.padEnd(22)} ${paint('dim', took)}   ${told(result)}`.trimEnd());
  return result;
}
