import { type Observation, type Port, portOf } from '../../../src/core/port.js';
import type { Unit } from '../../../src/core/unit.js';
import type { Cache } from '../../../src/index.js';

/** What an adapter sees of a cache. */
export function portOfCache(cache: object): Port {
  return (cache as { [portOf]: Port })[portOf];
}

export interface Asked {
  readonly text?: string;
  readonly params?: readonly unknown[];
  readonly tags?: readonly string[];
  readonly droppable?: readonly string[];
  /** What the rows allow to drop. */
  readonly drop?: readonly string[];
  /** Its rows do not depend on each other. */
  readonly isApart?: boolean;
}

/** A wrapped client: it tells the cache of each statement before it runs it, and of its end. */
export function aClient(cache: Cache | object, database = 'shop') {
  const port = portOfCache(cache);
  const units = new Map<object, Unit>();
  const detach = port.attach({ database, unitOf: (handle) => units.get(handle) });
  const begin = (asked: Asked): Observation | Promise<Observation> | undefined =>
    port.observe({ text: 'select', params: [], tags: [], droppable: [], ...asked });
  return {
    port,
    detach,
    units,
    begin,
    async query<T>(asked: Asked, run: () => T | Promise<T>): Promise<T> {
      const observing = begin(asked);
      const observation = observing instanceof Promise ? await observing : observing;
      try {
        const rows = await run();
        observation?.done(asked.drop);
        return rows;
      } catch (error) {
        observation?.done();
        throw error;
      }
    },
  };
}
