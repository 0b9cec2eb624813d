import { hash } from 'node:crypto';
import type { TypeRule } from '../index.js';
import { UnstorableError } from '../values/index.js';

/**
 * Classes whose instances a mapper makes of rows: entities. They are stored as their properties, and made again the way
 * the mapper makes them, by its constructor and its setters: what a class keeps in private fields is where its methods
 * look for it, and what the mapper puts on each instance is there as well. So every reader has an instance of his own.
 */
export interface MappedClass {
  /** What is no class is left out: a mapper may have entities without one. */
  readonly class: unknown;
  /** Where its rows are. What is a part of others' rows has none. */
  readonly place?: string;
  /** What the mapper sets. */
  readonly parts: readonly Part[];
  /** Those of them that an instance loads when they are asked for. To read one would load it. */
  readonly lazy?: readonly Part[];
  /** A new one, as the mapper makes it before it sets its properties. */
  make(): object;
  /** Whether what `make` gives would load them from where this one does. @defaultValue always */
  isOurs?(instance: object): boolean;
}
/** A property of a class that is mapped. */
export type Part = { readonly propertyName: string };

/** How they are stored. `database` is part of their names: what a lazy part of one is read from. */
export function typesOf(database: string, classes: readonly MappedClass[]): TypeRule<any>[] {
  return classes.flatMap((mapped) => {
    const { class: type } = mapped;
    return typeof type === 'function' && type !== Object ? [ruleOf(database, mapped, type as AClass)] : [];
  });
}

type AClass = abstract new () => object;
type Properties = Record<string, unknown>;

function ruleOf(database: string, { place, parts, lazy = [], make, isOurs }: MappedClass, type: AClass) {
  const names = namesOf(parts);
  // A build may give its name to another class, and a release other columns to this one: neither reads the other's.
  const shape = hash('sha256', JSON.stringify([place, names]), 'base64url').slice(0, 8);
  // Set by the mapper, and found on the class: a getter, with its state wherever the class has it.
  const accessors = names.filter((name) => name in type.prototype && !namesOf(lazy).includes(name));
  const rule: TypeRule<any> = {
    class: type,
    name: `${type.name}@${database}#${shape}`,
    encode(instance: Properties) {
      if (lazy.length > 0 && isOurs?.(instance) === false)
        throw new UnstorableError('value', `a ${type.name} with lazy parts that other clients than the one here load`);
      const read: Properties = {};
      for (const name of accessors) if (instance[name] !== undefined) read[name] = instance[name];
      // Its own properties are the truth where a getter shows them otherwise, and so they are put back last.
      return { read, own: { ...instance } };
    },
    decode({ read, own }: { read: Properties; own: Properties }) {
      const instance = make() as Properties;
      for (const name of accessors) if (Object.hasOwn(read, name)) instance[name] = read[name];
      for (const name of Object.keys(instance)) if (!Object.hasOwn(own, name)) delete instance[name];
      for (const name of Object.keys(own))
        Object.defineProperty(instance, name, {
          value: own[name],
          ...{ enumerable: true, configurable: true, writable: true },
        });
      return instance;
    },
  };
  return rule;
}

function namesOf(parts: readonly Part[]): string[] {
  return [...new Set(parts.map(({ propertyName }) => propertyName))].sort();
}
