import type { UnkeyableError, UnstorableError } from './errors.js';

/**
 * Finding what a walk stumbled over. The walks themselves keep no path, since nearly all succeed; one that fails
 * throws {@link Unfit}, and the value is searched again, slowly, for the place to name.
 */
export class Unfit extends Error {}

/** What is wrong with `value` itself, its children aside. */
type Check = (value: unknown) => string | undefined;

/** The error for what `error` says about `root`. */
export function explain(
  error: unknown,
  root: unknown,
  where: string,
  check: Check,
  deepest: number,
  Fault: typeof UnkeyableError | typeof UnstorableError,
): UnkeyableError | UnstorableError {
  if (error instanceof Fault) return error;
  if (!(error instanceof Unfit))
    return new Fault(where, `something that fails to be read (${messageOf(error)})`, { cause: error });
  const [path, found] = search(root, where, [], check, deepest) ?? [where, 'not data'];
  return new Fault(path, found);
}

function search(
  value: unknown,
  path: string,
  above: unknown[],
  check: Check,
  deepest: number,
): [string, string] | undefined {
  if (above.includes(value)) return [path, 'a cyclic reference'];
  const fault = check(value);
  if (fault !== undefined) return [path, fault];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  if (above.length >= deepest) return [path, `nested deeper than ${deepest} levels`];
  above.push(value);
  for (const [segment, child] of childrenOf(value)) {
    const found = search(child, path + segment, above, check, deepest);
    if (found !== undefined) return found;
  }
  above.pop();
  return undefined;
}

function* childrenOf(value: object): Iterable<[string, unknown]> {
  if (value instanceof Map) {
    let at = 0;
    for (const [key, entry] of value) {
      yield [`.keys[${at}]`, key];
      yield [typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `.values[${at}]`, entry];
      at++;
    }
  } else if (value instanceof Set) {
    let at = 0;
    for (const item of value) yield [`.values[${at++}]`, item];
  } else {
    if (value instanceof Error)
      for (const name of ['cause', 'errors'])
        if (Object.hasOwn(value, name)) yield [`.${name}`, Reflect.get(value, name)];
    for (const name of Object.keys(value)) yield [segmentOf(value, name), Reflect.get(value, name)];
  }
}

function segmentOf(value: object, name: string): string {
  if (Array.isArray(value)) return `[${name}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
