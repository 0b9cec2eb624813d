/**
 * Identity and bytes of values. `key` says when two calls ask for the same thing, `codec` turns a value and what the
 * cache must know about it into bytes and back, `copy` keeps a value in memory so that no reader can change what the
 * next one sees. None of them knows what a cache is.
 */
export { bytesOf, compare } from './alike.js';
export { damaged, decodeEntry, type Envelope, encodeEntry, noValue } from './codec.js';
export { type CopyPolicy, handOut, type Kept, keep } from './copy.js';
export { UnkeyableError, UnstorableError } from './errors.js';
export { encodeArguments, encodeKey, escapeTag, hashKey } from './key.js';
export {
  type AnyRule,
  type Atom,
  createTypeTable,
  type Key,
  type KeyPart,
  type OpenTypeTable,
  type TypeRule,
  type TypeTable,
} from './types.js';
