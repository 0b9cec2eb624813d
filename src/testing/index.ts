/**
 * What tests need: a clock that stands still, a store in this process, a store with faults on demand, and the suites
 * that every store and every adapter has to pass. Works with any test runner.
 */
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from '../core/memory-store.js';
export {
  type AdapterBuilders,
  type AdapterCase,
  type AdapterClient,
  type AdapterDatabase,
  type AdapterDialect,
  type AdapterDriver,
  type AdapterFeature,
  type AdapterOptions,
  type AdapterRaw,
  type AdapterResult,
  type AdapterRow,
  type AdapterRules,
  type AdapterSafety,
  type AdapterStatements,
  type AdapterTableRule,
  type AdapterTransaction,
  adapterContract,
} from './adapter-contract.js';
export { type FakeClock, fakeClock } from './fake-clock.js';
export {
  type Faults,
  type FaultyStore,
  faultyStore,
  type HeldCalls,
  type StoreCall,
  type StoreCounts,
  type StoreOperation,
} from './faulty-store.js';
export { type ContractCase, type ContractOptions, type ContractSession, storeContract } from './store-contract.js';
