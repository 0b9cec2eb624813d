import { crc32 } from 'node:zlib';
import { readValue } from './read.js';
import type { TypeTable } from './types.js';
import { writeValue } from './write.js';

/**
 * Entries as bytes. Readers may be older or newer than the writer, and what lies between them may have changed the
 * bytes, so reading promises one thing above all: the value that was written, or none.
 *
 *     c1 75 | format 1 | flags 1 | crc32 4 | length of the head 3 | head | value
 *
 * `c1` starts neither text nor JSON nor msgpack, so foreign bytes are told at once. The checksum covers everything
 * but itself: without it most single flipped bits decode to another value (`docs/decisions/003-bytes.md`). Head and
 * value are separate, because most of what is read is decided by the head: a dead entry's value is never decoded.
 */

/** What an entry says about itself. */
export interface Envelope {
  /** The store's epoch in which the versions were read. */
  readonly epoch: string;
  /** Tags and, at the same places, the versions they had before the load. */
  readonly tags: readonly string[];
  readonly versions: readonly string[];
  /** When it was stored, in milliseconds. */
  readonly storedAt: number;
  readonly freshUntil: number;
  readonly keepUntil: number;
  /** Milliseconds that the load took. */
  readonly cost: number;
  /** Host and release that stored it. */
  readonly origin: string;
  /** Hash of the statements that the load ran. */
  readonly statements?: string;
}

/** In place of a value: the entry tells only which tags its next load will have. */
export const noValue: unique symbol = Symbol('unstale.noValue');
/** In place of a value whose bytes make no sense: it counts as not stored. */
export const damaged: unique symbol = Symbol('unstale.damaged');

/** An entry of which only the head was decoded. */
export interface DecodedEntry {
  readonly head: Envelope;
  readonly hasValue: boolean;
  /** The value, decoded anew on each call, so that it belongs to the caller; {@link damaged} instead of an error. */
  value(): unknown;
}

const magic0 = 0xc1;
const magic1 = 0x75;
const format = 1;
const prelude = 11;
/** Flags. Two more are spoken for: 2 for compressed, 4 for sealed. An entry with a flag that we do not know is not read. */
const withValue = 1;

/**
 * The bytes of an entry.
 *
 * @throws UnstorableError when the value would not come back as it is
 */
export function encodeEntry(head: Envelope, value: unknown, types?: TypeTable): Buffer {
  const { epoch, tags, versions, storedAt, freshUntil, keepUntil, cost, origin, statements } = head;
  if (tags.length !== versions.length)
    throw new TypeError(`Expected \`versions\` to have one for each of ${tags.length} tags, got ${versions.length}`);
  const known = [epoch, tags, versions, storedAt, freshUntil, keepUntil, cost, origin];
  const headParts = writeValue(statements === undefined ? known : [...known, statements]);
  const valueParts = value === noValue ? [] : writeValue(value, types);
  const bytes = Buffer.concat([Buffer.alloc(prelude), ...headParts, ...valueParts]);
  bytes[0] = magic0;
  bytes[1] = magic1;
  bytes[2] = format;
  bytes[3] = value === noValue ? 0 : withValue;
  bytes.writeUIntBE(
    headParts.reduce((sum, part) => sum + part.length, 0),
    8,
    3,
  );
  bytes.writeUInt32BE(checksum(bytes), 4);
  return bytes;
}

/**
 * What `bytes` say, or undefined when they are damaged, of another program or of a later format, or too many. Never
 * throws. The bytes must not change as long as the entry is used.
 */
export function decodeEntry(
  bytes: Uint8Array,
  limits: { maxBytes: number },
  types?: TypeTable,
): DecodedEntry | undefined {
  if (bytes.length > limits.maxBytes || bytes.length < prelude) return undefined;
  if (bytes[0] !== magic0 || bytes[1] !== magic1 || bytes[2] !== format) return undefined;
  const flags = bytes[3]!;
  if ((flags & ~withValue) !== 0) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const valueAt = prelude + buffer.readUIntBE(8, 3);
  if (valueAt > buffer.length || buffer.readUInt32BE(4) !== checksum(buffer)) return undefined;
  const hasValue = flags === withValue;
  if (!hasValue && valueAt !== buffer.length) return undefined;
  let head: Envelope;
  try {
    head = asEnvelope(readValue(buffer.subarray(prelude, valueAt)));
  } catch {
    return undefined;
  }
  return {
    head,
    hasValue,
    value() {
      if (!hasValue) return noValue;
      try {
        return readValue(buffer.subarray(valueAt), types);
      } catch {
        return damaged;
      }
    },
  };
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4)));
}

function asEnvelope(head: unknown): Envelope {
  // Whoever can write to the store can compute a checksum: the shape is checked, not assumed.
  if (!Array.isArray(head) || (head.length !== 8 && head.length !== 9)) throw new TypeError('Expected an envelope');
  const [epoch, tags, versions, storedAt, freshUntil, keepUntil, cost, origin, statements] = head as unknown[];
  if (
    typeof epoch !== 'string' ||
    !areTexts(tags) ||
    !areTexts(versions) ||
    tags.length !== versions.length ||
    typeof storedAt !== 'number' ||
    typeof freshUntil !== 'number' ||
    typeof keepUntil !== 'number' ||
    typeof cost !== 'number' ||
    typeof origin !== 'string' ||
    (statements !== undefined && typeof statements !== 'string')
  )
    throw new TypeError('Expected an envelope');
  const envelope = { epoch, tags, versions, storedAt, freshUntil, keepUntil, cost, origin };
  return statements === undefined ? envelope : { ...envelope, statements };
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
