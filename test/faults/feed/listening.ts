import { fileURLToPath } from 'node:url';
import { forkTypeScript } from '../../support/fork.js';
import type { Role, Said, Watch } from './listener.js';

/** A process that reads through the library and has a feed. */
export interface Listening {
  /** How often it has said that its feed hears nothing. */
  readonly lost: number;
  /** Resolves when the row is in its cache: with when it will have had the new one, in microseconds. */
  watch(row: Watch): Promise<{ readonly seen: Promise<number> }>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Resolves when its feed is ready. */
export async function startListening(role: Role): Promise<Listening> {
  const file = fileURLToPath(new URL('./listener.ts', import.meta.url));
  const child = forkTypeScript(file, [JSON.stringify(role)]);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let lost = 0;
  child.on('message', (said: Said) => {
    if (said.is === 'lost') lost++;
  });
  const heard = <Is extends Said['is']>(is: Is) =>
    new Promise<Extract<Said, { is: Is }>>((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null) =>
        reject(new Error(`a process with a feed ended with ${code ?? signal} before it was ${is}`));
      child.once('exit', onExit);
      child.on('message', function hear(said: Said) {
        if (said.is !== is) return;
        child.off('exit', onExit).off('message', hear);
        resolve(said as Extract<Said, { is: Is }>);
      });
    });
  await heard('ready');
  return {
    get lost() {
      return lost;
    },
    async watch(row) {
      const seen = heard('seen').then(({ at }) => at);
      // Whether anybody comes to wait for it or not.
      seen.catch(() => {});
      const watching = heard('watching');
      child.send(row);
      await watching;
      return { seen };
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
