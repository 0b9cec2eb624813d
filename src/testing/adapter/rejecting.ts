import assert from 'node:assert/strict';
import type { AdapterClient } from './driver.js';

/** Expects `running` to reject, and gives what with. */
export async function rejection(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    () => assert.fail('this should have rejected'),
    (error: unknown) => {
      // What the case itself found is not what it expects.
      if (error instanceof assert.AssertionError) throw error;
      return error;
    },
  );
}

/** What callers throw to roll a transaction back. */
export class RollBack extends Error {
  override name = 'RollBack';
}

/** Runs `fn` in a transaction, which is rolled back. */
export async function rolledBack(
  client: Pick<AdapterClient, 'transaction'>,
  fn: (tx: Parameters<Parameters<AdapterClient['transaction']>[0]>[0]) => Promise<unknown>,
): Promise<void> {
  const error = await rejection(
    client.transaction(async (tx) => {
      await fn(tx);
      throw new RollBack('on purpose');
    }),
  );
  if (!(error instanceof RollBack)) throw error;
}
