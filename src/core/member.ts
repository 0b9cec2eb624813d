/**
 * A method of a class, and which class that is: part of the method's name, so that subclasses share entries and
 * overriding methods have their own. A legacy decorator is told the class; a standard one learns it from the first
 * instance, or at once for a static method.
 */
export class Member {
  readonly name: string | symbol;
  /** What stands in the class: tells a method from one that overrides it. */
  placed: unknown;
  /** The prototype that has the method, or the class that has the static one. */
  #owner: object | undefined;

  constructor(name: string | symbol, owner?: object) {
    this.name = name;
    this.#owner = owner;
  }

  /** Learns the class from an instance, or from the class of a static method. */
  seenOn(self: unknown): void {
    this.#owner ??= ownerOf(self, this);
  }

  /** `Class.method`, by the class that has the method. @throws TypeError */
  nameOn(self: unknown): string {
    const owner = this.#owner ?? ownerOf(self, this);
    const name = typeof owner === 'function' ? owner.name : owner?.constructor?.name;
    if (!name || name === 'Object')
      throw new TypeError(
        `Expected '${String(this.name)}' to be called on an instance of a class with a name; give withCache a \`name\`, or cacheOf(method, instance) the instance`,
      );
    return `${name}.${String(this.name)}`;
  }
}

function ownerOf(self: unknown, member: Member): object | undefined {
  let owner: object | undefined;
  // A method that overrides this one and calls it has the same name, and comes first; another decorator around ours
  // hides it, and then the first one has to do.
  for (let at = self; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
    const found: unknown = Object.getOwnPropertyDescriptor(at, member.name)?.value;
    if (found === member.placed || (found !== undefined && owner === undefined)) owner = at;
    if (found === member.placed) break;
  }
  return owner;
}
