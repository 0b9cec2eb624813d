/** What things are made of, to find out later what somebody has put in its place. */
export interface Marks {
  /** Methods and accessors that are others now, or were not there, of the things and of all that they inherit from. */
  changes(): string[];
}

/** Looks at things, and at their prototypes. */
export function marksOn(things: readonly object[]): Marks {
  const seen = new Map<object, { name: string; before: Map<PropertyKey, unknown[]> }>();
  for (const thing of things) {
    note(thing, `a ${nameOf(thing)}`);
    for (let at = Object.getPrototypeOf(thing); at && at !== Object.prototype; at = Object.getPrototypeOf(at))
      if (at !== Function.prototype) note(at, `${nameOf(at)}.prototype`);
  }
  function note(object: object, name: string): void {
    if (!seen.has(object)) seen.set(object, { name, before: methodsOf(object) });
  }
  return {
    changes: () =>
      [...seen].flatMap(([object, { name, before }]) => {
        const now = methodsOf(object);
        return [...new Set([...before.keys(), ...now.keys()])]
          .filter((key) => before.get(key)?.some((one, at) => one !== now.get(key)?.[at]) ?? true)
          .map((key) => `${String(key)} of ${name}`);
      }),
  };
}

function methodsOf(object: object): Map<PropertyKey, unknown[]> {
  const own = Object.entries(Object.getOwnPropertyDescriptors(object)) as [PropertyKey, PropertyDescriptor][];
  for (const symbol of Object.getOwnPropertySymbols(object))
    own.push([symbol, Object.getOwnPropertyDescriptor(object, symbol) as PropertyDescriptor]);
  const methods = own
    .map(([key, { value, get, set }]) => [key, [value, get, set].filter((it) => typeof it === 'function')] as const)
    .filter(([, functions]) => functions.length > 0);
  return new Map(methods.map(([key, functions]) => [key, functions]));
}

const nameOf = (thing: object) => thing.constructor?.name || 'Object';
