import type { Store } from '../../src/index.js';

/**
 * A store that reports no changes, as a server without tracking: what a cache knows it has from its own reads, and at
 * `maxStale: 0` it must ask for every version again. A loss of the store is still told.
 */
export function unwatched(store: Store): Store {
  return {
    kind: store.kind,
    open(context) {
      const { listener } = context;
      const session = store.open({ ...context, listener: { ...listener, changed: () => {}, proven: () => {} } });
      const { read } = session;
      session.read = async (key, tags) => ({ ...(await read.call(session, key, tags)), watched: false });
      return session;
    },
  };
}
