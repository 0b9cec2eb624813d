/**
 * Who fences which tags, in this process: for each tag a set of owners with the moment from which one may ask whether
 * the owner is still at work. That moment ends nothing; only the owner's own raise does, or one in his name.
 */
export class Owners {
  readonly #ofTag = new Map<string, Map<string, number>>();

  has(tag: string): boolean {
    return this.#ofTag.has(tag);
  }

  add(tag: string, owner: string, until: number): void {
    const owners = this.#ofTag.get(tag) ?? new Map();
    this.#ofTag.set(tag, owners.set(owner, until));
  }

  remove(tag: string, owner: string): void {
    const owners = this.#ofTag.get(tag);
    if (owners?.delete(owner) && owners.size === 0) this.#ofTag.delete(tag);
  }

  expired(tag: string, now: number): readonly string[] {
    return [...(this.#ofTag.get(tag) ?? [])].flatMap(([owner, until]) => (until <= now ? [owner] : []));
  }

  copy(): Owners {
    const copy = new Owners();
    for (const [tag, owners] of this.#ofTag) copy.#ofTag.set(tag, new Map(owners));
    return copy;
  }
}
