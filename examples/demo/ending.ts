/**
 * Ending well: whatever was started is ended, in the reverse order, when the demo is done, fails or is interrupted.
 * When it is killed without a chance to do so, the watchdog of test/services does it.
 */
const steps: (() => unknown)[] = [];
let interrupted = false;

export function atTheEnd(step: () => unknown): void {
  steps.push(step);
}

export async function endAll(): Promise<void> {
  for (const step of steps.splice(0).reverse()) {
    try {
      await step();
    } catch {
      // What cannot be ended in an orderly way has ended already, or is the watchdog's.
    }
  }
}

/** After Ctrl-C everything fails that was under way; none of it is news. */
export const wasInterrupted = () => interrupted;

export function endOnSignals(): void {
  const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };
  for (const [signal, number] of Object.entries(numbers))
    process.on(signal, () => {
      if (interrupted) return;
      interrupted = true;
      process.stdout.write('\n  interrupted; ending what was started …\n');
      void endAll().then(() => process.exit(128 + number));
    });
  // The reader of our output has gone, as in `npm run demo | head`.
  process.stdout.on('error', () => void endAll().then(() => process.exit(1)));
}
