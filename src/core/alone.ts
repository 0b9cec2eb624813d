import type { StoreContext, StoreSession } from './store.js';

/** The session of a cache without a store: values live in memory, and the table of tags is the truth about versions. */
export function alone({ clock }: StoreContext): StoreSession {
  return {
    maxEntryBytes: 0,
    epoch: '',
    now: () => clock.now(),
    read: async () => ({ entry: undefined, versions: [], epoch: '', sentAt: clock.now(), watched: true }),
    write: async () => {},
    remove: () => {},
    raise: async () => [],
    lease: async () => ({ release: () => {}, renew: async () => true }),
    released: async () => {},
    reach: async () => 0,
    close: async () => {},
  };
}
