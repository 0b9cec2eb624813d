import type { Proxy } from '../../services/proxy.js';
import type { Random } from '../../transparency/random.js';
import type { Storage } from './storage.js';

export interface World {
  readonly storage: Storage;
  /** The way of the writes to the database. */
  readonly wire: Proxy;
  /** Kills a process of the history, and starts another one in its place. */
  kill(process: number): Promise<void>;
  /** Signals a process of the history. */
  signal(process: number, signal: NodeJS.Signals): void;
  readonly processes: number;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What can happen in a history: to its Redis, to its processes, and between them and the database. */
export function faultsOf({ storage, wire, signal, kill, processes }: World): Storage['faults'] {
  return {
    ...storage.faults,
    /** A process sleeps for longer than any lease, and goes on as if nothing had been. */
    async stop(random: Random) {
      const process = random.below(processes);
      signal(process, 'SIGSTOP');
      await wait(2500 + random.below(1500));
      signal(process, 'SIGCONT');
    },
    /** A process is gone in the middle of whatever it does. */
    kill: (random: Random) => kill(random.below(processes)),
    /** The database carries out what it is sent, COMMIT included, and its answers are lost with the connection. */
    async lose(random: Random) {
      wire.hold('answers');
      await wait(10 + random.below(60));
      wire.reset();
      wire.flow();
    },
  };
}
