import { entries } from './contract/entries.js';
import { losing, outages, rewinding } from './contract/faults.js';
import { fences, losingFences, rewindingFences } from './contract/fences.js';
import { leases } from './contract/leases.js';
import type { ContractCase, ContractOptions } from './contract/options.js';
import { reading } from './contract/reading.js';
import { sessions } from './contract/sessions.js';
import { raising, versions } from './contract/versions.js';
import { watchedLoss, watching } from './contract/watching.js';
import { inWorld } from './contract/world.js';

export type { ContractCase, ContractOptions, ContractSession } from './contract/options.js';

/**
 * The contract of a store as cases to run: what the essay of `Store` promises, under the numbers it has there.
 *
 * A case opens two sessions on the shared store, as two processes would, does what a promise is about and looks from
 * both sides. It knows nothing of how a store keeps things, it waits for what may take time (at most
 * {@link ContractOptions.patience}), and it never waits for a moment that has to be exact.
 *
 * Races cannot be forced on a server from outside, so the cases about them repeat until a store that loses one now and
 * then is caught: 200 rounds with reads leaving all the time.
 */

/**
 * The cases that every store must pass. Give each to your test runner, whichever it is.
 *
 * @returns the cases, in the order of the contract; each can run alone, and several at once only when the store is not
 *   lost, rewound or taken down by one of them
 * @example
 * ```ts
 * import { test } from 'node:test';
 * import { memoryStore, storeContract } from 'unstale/testing';
 *
 * const store = memoryStore();
 * const clock = {
 *   now: () => performance.now(),
 *   coarse: () => performance.now(),
 *   after(delay: number, fn: () => void) {
 *     const timer = setTimeout(fn, delay).unref();
 *     return () => clearTimeout(timer);
 *   },
 * };
 * const quiet = { changed() {}, lost() {}, proven() {}, up() {}, report() {} };
 * const open = async (name: string, listener = quiet, strict = false) => {
 *   const session = store.open({ name, clock, maxStale: listener === quiet ? 0 : 1000, strict, listener });
 *   return { session, clock, dispose: () => session.close() };
 * };
 * for (const { name, run } of storeContract({ open, another: open, maxStale: 1000, fences: true })) test(name, run);
 * ```
 */
export function storeContract(options: ContractOptions): readonly ContractCase[] {
  const { lose, rewind, down, up } = options;
  return [
    ...versions,
    ...raising,
    ...reading,
    ...entries,
    ...leases,
    ...sessions,
    ...(options.fences ? fences : []),
    ...(lose ? losing(() => lose.call(options)) : []),
    ...(rewind ? rewinding(() => rewind.call(options)) : []),
    ...(options.fences && lose ? losingFences(() => lose.call(options)) : []),
    ...(options.fences && rewind ? rewindingFences(() => rewind.call(options)) : []),
    ...(down && up ? outages({ down: () => down.call(options), up: () => up.call(options) }) : []),
    ...((options.maxStale ?? 0) > 0 ? watching : []),
    ...(lose && (options.maxStale ?? 0) > 0 ? watchedLoss(() => lose.call(options)) : []),
  ].map((one) => ({ name: one[0], run: () => inWorld(options, one) }));
}
