import { Unfit } from './fault.js';
import { maxDepth } from './kind.js';

/** An object without prototype and an instance take two arrays each, and leaves such as a Date one more. */
const deepest = 2 * maxDepth + 8;

/**
 * Where the packed array at the start of `bytes` ends.
 *
 * It is the guard before msgpackr: bytes of a store are not ours until proven, and a checksum proves no intent. Only
 * what `wire` writes may pass: nil, booleans, integers up to 32 bits, doubles, strings and arrays; no extensions,
 * which may run code that another user of msgpackr registered, and no maps; nothing that promises more than is there.
 *
 * @throws when the bytes are anything else
 */
export function endOfPlainData(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: number[] = []; // how many items each open array still has
  let at = 0;
  do {
    if (at >= bytes.length || open.length > deepest) throw new Unfit();
    const token = bytes[at++]!;
    let items = -1;
    if (token >= 0xa0 && token < 0xc0) at += token - 0xa0;
    else if (token >= 0x90 && token < 0xa0) items = token - 0x90;
    else if (token >= 0x80 && token < 0xe0)
      switch (token) {
        case 0xc0: // nil
        case 0xc2: // false
        case 0xc3: // true
          break;
        case 0xcc: // integers
        case 0xd0:
          at += 1;
          break;
        case 0xcd:
        case 0xd1:
          at += 2;
          break;
        case 0xce:
        case 0xd2:
          at += 4;
          break;
        case 0xcb: // a double
          at += 8;
          break;
        case 0xd9: // strings
          at += 1 + view.getUint8(at);
          break;
        case 0xda:
          at += 2 + view.getUint16(at);
          break;
        case 0xdb:
          at += 4 + view.getUint32(at);
          break;
        case 0xdc: // arrays
          items = view.getUint16(at);
          at += 2;
          break;
        case 0xdd:
          items = view.getUint32(at);
          at += 4;
          break;
        default:
          throw new Unfit();
      }
    // Every item takes a byte at least, so an array cannot be longer than what is left.
    if (items > bytes.length - at) throw new Unfit();
    if (open.length > 0) open[open.length - 1]!--;
    else if (items === -1) throw new Unfit();
    if (items > 0) open.push(items);
    while (open.length > 0 && open[open.length - 1] === 0) open.pop();
  } while (open.length > 0);
  if (at > bytes.length) throw new Unfit();
  return at;
}
