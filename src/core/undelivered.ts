import type { Tags } from './tags.js';

/** Tags as they were when they were sent, each with the refusal that a confirmation will answer. */
export type Sent = ReadonlyMap<string, Refusal | undefined>;

/** When the oldest one was; one object for each refusal. */
interface Refusal {
  readonly since: number;
}

/**
 * What was to be invalidated and is not confirmed. While a tag is in here this process trusts nothing that depends on
 * it: the database has the write, and only the store does not know.
 */
export class Undelivered {
  readonly #tags: Tags;
  readonly #everything: readonly string[];
  readonly #pending = new Map<string, Refusal>();

  /** @param everything - the tags that every entry depends on */
  constructor(tags: Tags, everything: readonly string[]) {
    this.#tags = tags;
    this.#everything = everything;
  }

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  get tags(): readonly string[] {
    return [...this.#pending.keys()];
  }

  /** When the oldest of them was refused. */
  get since(): number {
    return Math.min(...[...this.#pending.values()].map(({ since }) => since));
  }

  /** `tags` as they are now, for {@link forget} when they have been confirmed. */
  now(tags: readonly string[]): Sent {
    return new Map(tags.map((tag) => [tag, this.#pending.get(tag)]));
  }

  keep(tags: readonly string[], since: number): void {
    for (const tag of tags) {
      this.#pending.set(tag, { since: this.#pending.get(tag)?.since ?? since });
      this.#tags.distrust(tag, true);
    }
    if (this.#pending.size > maxPending) this.#keepAll(since);
  }

  /** They were confirmed, unless refused again meanwhile: that write may be younger than what was confirmed. */
  forget(sent: Sent): void {
    for (const [tag, pending] of sent) {
      if (pending === undefined || this.#pending.get(tag) !== pending) continue;
      this.#pending.delete(tag);
      this.#tags.distrust(tag, false);
    }
  }

  /** Too many to remember one by one: everything ends instead. */
  #keepAll(since: number): void {
    for (const tag of this.#pending.keys()) this.#tags.distrust(tag, false);
    this.#pending.clear();
    for (const tag of this.#everything) {
      this.#pending.set(tag, { since });
      this.#tags.distrust(tag, true);
    }
  }
}

const maxPending = 10_000;
