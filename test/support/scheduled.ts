import type { Store } from '../../src/index.js';

/** A store whose requests and answers each wait for `step`: a scheduler then decides who comes first. */
export function scheduled(store: Store, step: (label: string) => Promise<unknown>): Store {
  const slow =
    <A extends unknown[], R>(label: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await step(`${label} leaves`);
      const answer = await call(...args);
      await step(`${label} answers`);
      return answer;
    };
  return {
    kind: store.kind,
    open(context) {
      const session = store.open(context);
      session.read = slow('read', session.read.bind(session));
      session.write = slow('write', session.write.bind(session));
      session.raise = slow('raise', session.raise.bind(session));
      session.lease = slow('lease', session.lease.bind(session));
      return session;
    },
  };
}
