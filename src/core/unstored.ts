import { LRUCache } from 'lru-cache';

/** Keys whose reason is remembered. */
const maxKeys = 10_000;

/** Why the last load of a key was not stored, for `explain`. */
export class Unstored {
  #reasons: LRUCache<string, string> | undefined;

  set(key: string, reason: string): void {
    this.#reasons ??= new LRUCache({ max: maxKeys });
    this.#reasons.set(key, reason);
  }

  /** Its last load was stored. */
  delete(key: string): void {
    this.#reasons?.delete(key);
  }

  get(key: string): string | undefined {
    return this.#reasons?.get(key);
  }
}
