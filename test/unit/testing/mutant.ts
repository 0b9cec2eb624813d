import { systemClock } from '../../../src/core/clock.js';
import type { Store, StoreContext, StoreListener, StoreSession, Version } from '../../../src/core/store.js';
import { type ContractOptions, type MemoryStore, memoryStore, storeContract } from '../../../src/testing/index.js';
import { quiet } from './listeners.js';

const clock = systemClock();
/** A change of the reference; what it does not name stays. */
export type Mutation = (inner: StoreSession, context: StoreContext, shared: Shared) => Partial<StoreSession>;

/** A change of what the cache gets to hear. */
export type Hearing = (listener: StoreListener) => StoreListener;

/** What sessions of one mutant have in common, and what a test can do to it. */
export interface Shared {
  readonly memory: MemoryStore;
  /** Anything that a mutant keeps beside the store. Cleared when the store is emptied. */
  readonly beside: Map<string, Version>;
}

export function mutant(mutate: Mutation, hear: Hearing = (listener) => listener): ContractOptions {
  const shared: Shared = { memory: memoryStore(), beside: new Map() };
  const maxStale = 1000;
  const open: ContractOptions['open'] = async (name, listener = quiet, strict = false) => {
    const context = { name, clock, maxStale: listener === quiet ? 0 : maxStale, strict, listener: hear(listener) };
    const session = mutated(shared.memory, context, mutate, shared);
    return { session, clock, dispose: () => session.close() };
  };
  return {
    open,
    another: open,
    maxStale,
    fences: true,
    patience: 300,
    async lose() {
      shared.beside.clear();
      shared.memory.lose();
    },
    async rewind() {
      const goBack = shared.memory.remember();
      return async () => goBack();
    },
  };
}

function mutated(store: Store, context: StoreContext, mutate: Mutation, shared: Shared): StoreSession {
  const inner = store.open(context);
  const changes: object = mutate(inner, context, shared);
  return new Proxy(inner, {
    get(target, property) {
      const value = Reflect.get(property in changes ? changes : target, property);
      return typeof value === 'function' ? value.bind(property in changes ? changes : target) : value;
    },
  });
}

export async function run(options: ContractOptions, name: string): Promise<void> {
  const found = storeContract(options).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no case is called '${name}'`);
  await found.run();
}
