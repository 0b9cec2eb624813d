/** A part of a key that has no parts. */
export type Atom = string | number | bigint | boolean | null | undefined | Date | Uint8Array;
/** What a key is made of: data whose text says all there is to say. */
export type KeyPart =
  | Atom
  | readonly KeyPart[]
  | ReadonlyMap<KeyPart, KeyPart>
  | ReadonlySet<KeyPart>
  | { readonly [name: string]: KeyPart };
/** What an entry is found by: `'config'`, `['user', 7]`, `['search', { text: 'x', page: 2 }]`. `'a'` and `['a']` differ. */
export type Key = string | readonly KeyPart[];

/**
 * How instances of one class become part of keys and of stored values. Without a rule neither happens: an instance
 * that came back without its methods or its private state would be worse than a miss.
 */
export interface TypeRule<T> {
  class: abstract new (...args: never[]) => T;
  /** The name under which instances are stored. Give one if your build renames classes. @defaultValue the class's name */
  name?: string;
  /** What tells two instances apart in a key. Without it instances cannot be part of a key. */
  key?(instance: T): KeyPart;
  /** The instance as data. Without `encode` and `decode`, it is its own enumerable properties. */
  encode?(instance: T): unknown;
  /** The instance again, from what `encode` gave. May be called on every hit. */
  decode?(data: any): T;
  /** Instances never change once they are made, so all readers may share one. @defaultValue false */
  immutable?: boolean;
}

/** A rule for whatever class: a rule both takes and gives its class, so no narrower type holds all rules. */
export type AnyRule = TypeRule<any>;

/** Rules by what they are looked up by. */
export interface TypeTable {
  readonly byPrototype: ReadonlyMap<object, NamedRule>;
  readonly byName: ReadonlyMap<string, NamedRule>;
}

/** A rule that was checked. */
export interface NamedRule {
  readonly name: string;
  readonly rule: AnyRule;
}

/** Rules of the user's, and beside them those of adapters, which know the classes of a mapper. */
export interface OpenTypeTable extends TypeTable {
  /**
   * Adds rules, each in the place of one that was added under its name or for its class. What the user has given a rule
   * for keeps that one. Of two names for one class both are read, and the later one is written.
   *
   * @throws TypeError as {@link createTypeTable}
   */
  add(rules: readonly AnyRule[]): void;
}

/** These keep their state where no property shows it, so a copy of their properties would be an empty shell. */
const withHiddenState = [
  Array,
  ArrayBuffer,
  DataView,
  Date,
  Error,
  Map,
  Promise,
  RegExp,
  Set,
  Object.getPrototypeOf(Uint8Array),
];

/**
 * Checks rules and arranges them for look-up.
 *
 * @throws TypeError when a rule is not complete, or two rules share a class or a name
 */
export function createTypeTable(rules: readonly AnyRule[]): OpenTypeTable {
  const byPrototype = new Map<object, NamedRule>();
  const byName = new Map<string, NamedRule>();
  rules.forEach((rule, at) => {
    const prototype: unknown = typeof rule?.class === 'function' ? rule.class.prototype : undefined;
    if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype)
      throw new TypeError(`Expected \`types[${at}].class\` to be a class, got ${typeof rule?.class}`);
    const name = rule.name ?? rule.class.name;
    if (name === '') throw new TypeError(`Expected \`types[${at}]\` to have a name, got an anonymous class`);
    if (byName.has(name)) throw new TypeError(`Expected \`types\` to have distinct names, got "${name}" twice`);
    if (byPrototype.has(prototype))
      throw new TypeError(`Expected \`types\` to have distinct classes, got ${rule.class.name} twice`);
    if ((rule.encode === undefined) !== (rule.decode === undefined))
      throw new TypeError(`Expected the rule for ${name} to have both \`encode\` and \`decode\` or neither`);
    const hidden = withHiddenState.find((base) => prototype instanceof base || prototype === base.prototype);
    if (hidden && rule.encode === undefined)
      throw new TypeError(
        `Expected the rule for ${name} to have \`encode\` and \`decode\`, as ${hidden.name} keeps its state hidden`,
      );
    const named = Object.freeze({ name, rule });
    byPrototype.set(prototype, named);
    byName.set(name, named);
  });
  const given = new Set([...byPrototype.values()]);
  return {
    byPrototype,
    byName,
    add(more) {
      for (const rule of more) {
        const own = createTypeTable([rule]);
        const isTaken = (known: NamedRule | undefined) => known !== undefined && given.has(known);
        for (const [prototype, named] of own.byPrototype)
          if (!isTaken(byPrototype.get(prototype)) && !isTaken(byName.get(named.name))) {
            byPrototype.set(prototype, named);
            byName.set(named.name, named);
          }
      }
    },
  };
}
