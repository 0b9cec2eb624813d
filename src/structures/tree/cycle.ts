import { UnstaleError } from '../../core/errors.js';

/** A row of a tree is its own ancestor. Rows beside the cycle, and single rows of it, can still be read. */
export class TreeCycleError extends UnstaleError {
  override name = 'TreeCycleError';
  /** The ids on the way from the row back to itself, parents first. */
  readonly cycle: readonly unknown[];
  constructor(tree: string, cycle: readonly unknown[]) {
    const shown = cycle.length > 12 ? [...cycle.slice(0, 6), '…', ...cycle.slice(-5)] : cycle;
    super(
      'TREE_CYCLE',
      `The tree '${tree}' has a cycle, ${shown.map(String).join(' → ')}: give one of these rows another parent.`,
    );
    this.cycle = cycle;
  }
}
