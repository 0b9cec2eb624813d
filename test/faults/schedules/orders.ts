import type { Choose } from './schedule.js';

/** What there was to choose from, and what was chosen. */
interface Fork {
  readonly names: readonly string[];
  made: number;
}

/** Goes through every order there is, depth first. */
export interface EveryOrder {
  readonly choose: Choose;
  /**
   * Turns to the last fork that has a branch left; `false` when there is none.
   *
   * @param steps - how many choices the run made that has just ended
   */
  next(steps: number): boolean;
  /** Branches that were seen and are not gone yet; 0 when these were all the orders there are. */
  readonly open: number;
}

/**
 * A run repeats the choices of the one before up to the fork where it takes another branch. There it must have met the
 * very same names: else what comes would depend on something that is nobody's choice, branches could be lost without
 * a word, and "all there are" would mean nothing. So that is an error.
 */
export function everyOrder(): EveryOrder {
  const path: Fork[] = [];
  const diverged = (step: number, got: string) =>
    new Error(`Expected step ${step} to be [${path[step]?.names}] again, got ${got}`);
  return {
    choose(held, step) {
      const names = held.map(({ name }) => name);
      const fork = path[step];
      if (fork === undefined) path.push({ names, made: 0 });
      else if (fork.names.join() !== names.join()) throw diverged(step, `[${names}]`);
      return fork?.made ?? 0;
    },
    next(steps) {
      if (steps < path.length) throw diverged(steps, 'an end');
      for (let fork = path.at(-1); fork !== undefined; fork = path.at(-1)) {
        if (++fork.made < fork.names.length) return true;
        path.pop();
      }
      return false;
    },
    get open() {
      return path.length && path.reduce((sum, { names, made }) => sum + names.length - 1 - made, 1);
    },
  };
}
