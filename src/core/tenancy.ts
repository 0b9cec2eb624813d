import { AsyncLocalStorage } from 'node:async_hooks';
import { expected } from './errors.js';

/** For whom the running code works, by `runAsTenant` of a cache; the inner one first. */
interface TenantScope {
  /** The cache that it belongs to. */
  readonly owner: Tenancy;
  readonly tenant: string | number;
  readonly outer: TenantScope | undefined;
}

/**
 * One for all caches of a process, since Node follows every promise for each storage (before version 24); and made when
 * it is needed. It is never taken out of use again, unlike that of loads and transactions: work that was started for a
 * tenant and goes on must not become work for nobody.
 */
let storage: AsyncLocalStorage<TenantScope> | undefined;

/** The tenant that the running code works for. The root view of a cache is told of its first use instead of asking at each hit. */
export class Tenancy {
  readonly #onFirst: (() => void)[] = [];
  #isUsed = false;

  /** Calls `fn` when the first scope begins. */
  onFirst(fn: () => void): void {
    if (this.#isUsed) fn();
    else this.#onFirst.push(fn);
  }

  current(): string | number | undefined {
    if (!this.#isUsed) return undefined;
    let scope = storage?.getStore();
    while (scope !== undefined && scope.owner !== this) scope = scope.outer;
    return scope?.tenant;
  }

  run<T>(tenant: string | number, fn: () => T): T {
    this.#isUsed = true;
    for (const tell of this.#onFirst.splice(0)) tell();
    storage ??= new AsyncLocalStorage();
    return storage.run({ owner: this, tenant, outer: storage.getStore() }, fn);
  }
}

/** @throws TypeError */
export function checkTenant(id: unknown): string | number {
  if ((typeof id === 'string' && id !== '') || (typeof id === 'number' && !Number.isNaN(id))) return id;
  throw expected('tenant', 'a non-empty text or a number', id);
}
