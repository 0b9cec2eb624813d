import { expected } from './errors.js';

/** What all checks of options have in common. */

/**
 * The names of options that are known. The compiler compares them with the type of the options: a name that is missing,
 * or one too many, is an error.
 */
export function namesOf<Options extends object>(names: Record<keyof Options, true>): readonly string[] {
  return Object.keys(names);
}

/** A misspelt option would be a promise that nobody keeps. */
export function refuseUnknown(o: object, known: readonly string[], of: string): void {
  for (const name of Object.keys(o))
    if (!known.includes(name))
      throw new TypeError(`Unknown option \`${name}\` of ${of}; there are ${known.join(', ')}`);
}

/** @throws TypeError */
export function oneOf<const T extends string>(what: string, allowed: readonly T[], got: unknown): T {
  if (allowed.includes(got as T)) return got as T;
  throw expected(what, allowed.map((one) => `'${one}'`).join(' or '), got);
}

/** @throws TypeError */
export function aFunction(what: string, got: unknown): void {
  if (got !== undefined && typeof got !== 'function') throw expected(what, 'a function', got);
}
