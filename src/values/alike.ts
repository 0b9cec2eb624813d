import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { readValue } from './read.js';
import type { NamedRule, TypeTable } from './types.js';
import { writeValue } from './write.js';

/** How two values compare, and what can be told of them without telling them. */
interface Likeness {
  readonly alike: boolean;
  /** Of the bytes of each, in the order in which they were given. */
  readonly hashes: readonly [string, string];
}

/**
 * Whether two values would be the same to whoever reads them from a store. The order of properties, of Maps and of Sets
 * does not count: it changes with the order in which parallel queries answer.
 *
 * @param some - as bytes, made by {@link bytesOf} when the value was what it is to be compared as
 * @throws UnstorableError when `other` is no data
 */
export function compare(some: Buffer, other: unknown, types?: TypeTable): Likeness {
  const others = bytesOf(other, types);
  const hashes = [hashOf(some), hashOf(others)] as const;
  if (hashes[0] === hashes[1]) return { alike: true, hashes };
  const bare = withoutClasses(types);
  return { alike: isDeepStrictEqual(readValue(some, bare), readValue(others, bare)), hashes };
}

/** @throws UnstorableError */
export function bytesOf(value: unknown, types?: TypeTable): Buffer {
  return Buffer.concat(writeValue(value, types));
}

function hashOf(bytes: Buffer): string {
  return hash('sha256', bytes, 'base64url').slice(0, 22);
}

/** Instances as what their rules say of them: two with other private fields would look alike. */
function withoutClasses(types: TypeTable | undefined): TypeTable {
  const bare = ({ name, rule }: NamedRule): [string, NamedRule] => [
    name,
    { name, rule: { class: rule.class, decode: (data: unknown) => [name, data] } },
  ];
  return { byPrototype: new Map(), byName: new Map([...(types?.byName.values() ?? [])].map(bare)) };
}
