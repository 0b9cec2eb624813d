import { type Attached, type Port, portOf } from '../../../src/core/port.js';
import type { Cache, Store, StoreSession, Version } from '../../../src/index.js';
import { memoryStore } from '../../../src/testing/index.js';
import { deferred, processes, turns } from './a-cache.js';

/**
 * What others do where strict mode does something else: the same stories must go wrong with it, or they prove nothing.
 * All of it is done by the database client and the store of the test, none of it by the library.
 */
export type Flaw =
  /** A fence ends by its time alone. */
  | 'plain lease'
  /** A fence counts its owners, and does not know them. */
  | 'counter'
  /** A tag is fenced or not. */
  | 'flag'
  /** The fence of a COMMIT that nobody knows the outcome of is lifted. */
  | 'lifts what is unknown'
  /** After a loss of the store nobody asks what is open. */
  | 'no quarantine'
  /** Nothing is fenced. */
  | 'no fence';

const lease = 5000;

/** Two processes that read one row, a third that writes it, and all of them ask one database. */
export function strictWorld({ flaw, store = memoryStore() }: { flaw?: Flaw; store?: Store } = {}) {
  const strict = flaw !== 'no fence';
  const { clock, caches } = processes({
    count: 3,
    strict,
    store: flaw === 'flag' || flaw === 'counter' ? forgetful(store, flaw) : store,
    ttl: '1h',
  });
  const [here, there, writing] = caches as [Cache, Cache, Cache];
  const rows = { value: 1 };
  /** Transactions that can still commit. */
  const open = new Map<string, Promise<unknown>>();
  const client: Attached = {
    database: 'shop',
    unitOf: () => undefined,
    isOver: async (owner) => flaw === 'plain lease' || !open.has(owner),
    quiet: flaw === 'no quarantine' ? undefined : async () => void (await Promise.all(open.values())),
  };
  for (const cache of caches) portIn(cache).attach(client);

  const read = (cache: Cache = here) => cache.getOrSet({ key: ['row'], tags: ['rows'], load: async () => rows.value });
  /** Reads until it is stored, and so in the way of a write. */
  const prime = async (cache: Cache = here) => {
    await read(cache);
    await turns();
    return read(cache);
  };

  let writes = 0;
  /** A transaction that changes the row; what its process does is told step by step. */
  const write = () => {
    const port = portIn(writing);
    const owner = `writer ${++writes}`;
    const value = rows.value + 1;
    const over = deferred<void>();
    open.set(owner, over.promise);
    const end = () => {
      open.delete(owner);
      over.resolve();
    };
    return {
      owner,
      fence: async () => void (strict && (await port.fence(['rows'], owner, lease))),
      /** The COMMIT takes effect. */
      commit() {
        rows.value = value;
        end();
      },
      rollback: end,
      /** Its process has heard of the end. */
      acknowledge: async () => {
        await port.acknowledge(['rows'], undefined, owner);
        port.fenceEnded(owner, true);
      },
      /** Its process has lost the connection with COMMIT under way. */
      async lose() {
        const isLifted = flaw === 'lifts what is unknown';
        await port.acknowledge(['rows'], undefined, isLifted ? owner : undefined);
        port.fenceEnded(owner, isLifted);
      },
    };
  };
  return { clock, here, there, writing, rows, read, prime, write };
}

export function portIn(cache: Cache): Port {
  return (cache as unknown as { [portOf]: Port })[portOf];
}

/** A store whose fences do not know their owners. */
function forgetful(inner: Store, how: 'flag' | 'counter'): Store {
  const fences = new Map<string, number>();
  let versions = 0;
  return {
    kind: 'forgetful',
    open(context) {
      const session = inner.open(context);
      const shut = (tags: readonly string[], of: readonly Version[]) =>
        tags.map((tag, at) => ((fences.get(tag) ?? 0) > 0 ? `f${++versions}` : (of[at] as Version)));
      const own: Partial<StoreSession> = {
        read: async (key, tags) => {
          const answer = await session.read(key, tags);
          return { ...answer, versions: shut(tags, answer.versions) };
        },
        async fence(tags) {
          for (const tag of tags) fences.set(tag, how === 'flag' ? 1 : (fences.get(tag) ?? 0) + 1);
        },
        async raise(tags, timeout, owner) {
          if (owner !== undefined)
            for (const tag of tags) fences.set(tag, how === 'flag' ? 0 : Math.max(0, (fences.get(tag) ?? 0) - 1));
          return shut(tags, await session.raise(tags, timeout));
        },
        expired: async (tags) => tags.map(() => []),
      };
      return new Proxy(session, {
        get: (target, name) => {
          const value = own[name as keyof StoreSession] ?? target[name as keyof StoreSession];
          return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
        },
      });
    },
  };
}
