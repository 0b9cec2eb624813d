/** Names of properties; null for each element. */
export type Path = readonly (string | null)[];

/** Data, with texts in the places of values of a class. */
export interface Texts {
  readonly value: unknown;
  /** Where those are. */
  readonly at?: readonly Path[];
}

/** A result as data. What `isOther` is for becomes a text; all else stays. */
export function toTexts(result: unknown, isOther: (value: unknown) => boolean): Texts {
  const paths = new Map<string, Path>();
  const plain = (value: unknown, path: Path): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((one) => plain(one, [...path, null]));
    if (isOther(value)) {
      paths.set(JSON.stringify(path), path);
      return String(value);
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one, [...path, name])]));
  };
  const value = plain(result, []);
  return paths.size === 0 ? { value: result } : { value, at: [...paths.values()] };
}

export function ofTexts({ value, at = [] }: Texts, made: (text: string) => unknown): unknown {
  return at.reduce((it, path) => changed(it, path, made), value);
}

function changed(value: any, [name, ...rest]: Path, made: (text: string) => unknown): unknown {
  if (name === undefined) return typeof value === 'string' ? made(value) : value;
  if (name === null) return Array.isArray(value) ? value.map((one) => changed(one, rest, made)) : value;
  if (typeof value !== 'object' || value === null || !(name in value)) return value;
  return { ...value, [name]: changed(value[name], rest, made) };
}
