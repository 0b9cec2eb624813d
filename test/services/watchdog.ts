import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/**
 * Sees to it that nothing outlives this process: neither the servers that it starts nor their folders, even when it is
 * killed with SIGKILL and no handler of its own can run. Started with the first thing that is recorded.
 */
let line: Writable | undefined;

function tell(text: string): void {
  if (!line) {
    const { NODE_OPTIONS: _, ...env } = process.env; // a loader or an inspector is meant for us, not for it
    // A process group of its own: a signal to ours, as from Ctrl-C, must not end it first.
    const child = spawn(process.execPath, [fileURLToPath(new URL('watchdog-process.mjs', import.meta.url))], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
      env,
    });
    child.unref();
    line = child.stdin;
    line.on('error', () => {});
    (line as Writable & { unref?(): void }).unref?.();
  }
  line.write(`${text}\n`);
}

export const watchdog = {
  /** `signal` is the one that ends the process without leaving anything behind; SIGKILL follows if it does not. */
  watch: (pid: number, signal: NodeJS.Signals) => tell(`+${pid} ${signal}`),
  forget: (pid: number) => tell(`-${pid}`),
  watchFolder: (path: string) => tell(`+dir ${path}`),
  forgetFolder: (path: string) => tell(`-dir ${path}`),
};
