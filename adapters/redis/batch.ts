import type { Clock } from '../../src/adapter/index.js';
import type { Reply } from './client.js';
import { carryOut, type Errand, type Nodes } from './nodes.js';

/**
 * What is sent in a tick leaves together: in one chunk for each node, which is one system call, one packet and one place
 * in flight. A thousand loads that begin in one tick ask for a thousand leases.
 */
export class Batch {
  readonly #options: BatchOptions;
  #pending: Pending | undefined;

  constructor(options: BatchOptions) {
    this.#options = options;
  }

  /** Never rejects: an error is a value. */
  send(errand: Errand): Promise<Reply> {
    this.#pending ??= this.#begin();
    const { errands, settles } = this.#pending;
    errands.push(errand);
    return new Promise((resolve) => settles.push(resolve));
  }

  #begin(): Pending {
    const pending: Pending = { errands: [], settles: [] };
    process.nextTick(async () => {
      this.#pending = undefined;
      const { nodes, clock, timeout } = this.#options;
      const replies = await carryOut(nodes, pending.errands, timeout, clock);
      pending.settles.forEach((settle, i) => {
        settle(replies[i] as Reply);
      });
    });
    return pending;
  }
}

export interface BatchOptions {
  readonly nodes: Nodes;
  readonly clock: Clock;
  readonly timeout: number;
}

interface Pending {
  readonly errands: Errand[];
  readonly settles: ((reply: Reply) => void)[];
}
