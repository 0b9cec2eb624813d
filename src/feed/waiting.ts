/** Waits, but not beyond the end. */
export function slept(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** Waits for it, but not beyond the end. To race it with the end's promise would keep every race until then. */
export function unless(signal: AbortSignal, doing: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    doing.then(done, reject).finally(() => signal.removeEventListener('abort', done));
    if (signal.aborted) done();
  });
}

/** @throws Error when it takes longer */
export async function within<T>(ms: number, doing: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(noAnswer(ms)), ms);
  });
  return Promise.race([doing, late]).finally(() => clearTimeout(timer));
}

export const noAnswer = (ms: number) => new Error(`no answer within ${ms} ms`);
