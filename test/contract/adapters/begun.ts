/** How a transaction or a savepoint is said, on whatever connection. */
export interface Saying {
  start(): Promise<unknown>;
  commit(): Promise<unknown>;
  rollback(): Promise<unknown>;
}

/** Runs `fn` in what is started: kept when it resolves, undone when it throws. A COMMIT that fails is the caller's. */
export async function begun<T>({ start, commit, rollback }: Saying, fn: () => Promise<T>): Promise<T> {
  await start();
  let result: T;
  try {
    result = await fn();
  } catch (error) {
    await rollback().catch(() => {});
    throw error;
  }
  await commit();
  return result;
}

/** A savepoint, of which there is one at each depth. */
export function savepoint(depth: number, send: (sql: string) => Promise<unknown>): Saying {
  const name = `depth_${depth}`;
  return {
    start: () => send(`SAVEPOINT ${name}`),
    commit: () => send(`RELEASE SAVEPOINT ${name}`),
    rollback: () => send(`ROLLBACK TO SAVEPOINT ${name}`),
  };
}
