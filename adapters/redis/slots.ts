import type { Address, Reply } from './client.js';

/** Which of the 16,384 slots of a Cluster a key lies in, and which master has the slot. */
export function slotOf(key: string): number {
  // Only what is between the first brace and the next closing one counts, if there is something.
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  let crc = 0;
  for (const byte of Buffer.from(hashed)) crc = ((crc << 8) ^ (table[((crc >> 8) ^ byte) & 0xff] as number)) & 0xffff;
  return crc & 16383;
}

/** CRC16, XMODEM: the polynomial that Redis uses. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: Address;
}

/** Reads the answer to CLUSTER SLOTS that came from `asked`. */
export function readSlots(reply: Reply, asked: Address): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  return (reply as Reply[][]).map(([first, last, master]) => {
    const [host, port] = master as Reply[];
    // A node that does not know its own address leaves it empty: the one it was asked at.
    return {
      first: Number(first),
      last: Number(last),
      master: { host: String(host ?? '') || asked.host, port: Number(port) },
    };
  });
}

/** What an error of a Cluster asks to do. */
export function redirection(reply: Reply): { readonly ask: boolean; readonly to: Address } | undefined {
  const match = reply instanceof Error ? /^(MOVED|ASK) \d+ (.*):(\d+)/.exec(reply.message) : null;
  if (!match) return undefined;
  return { ask: match[1] === 'ASK', to: { host: match[2] as string, port: Number(match[3]) } };
}
