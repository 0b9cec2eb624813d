/**
 * The states that were seen, as 64-bit hashes: two states of a million in all are mistaken for one another about once in
 * 40 million runs.
 *
 * Versions are random in truth and compared only for being the same. So their names do not matter, and states that
 * differ in nothing else are one state: while it is hashed, each version is named by the order of its first appearance.
 * That is why no version may be one of the small numbers, which stand for themselves.
 */
export class Seen {
  #table = new Int32Array(2 << 16);
  #size = 0;
  readonly #texts = new Map<string, number>();
  readonly #names: number[] = [];
  #low = 0;
  #high = 0;

  /** False when the state, or one that differs in the names of versions alone, is there. */
  add(state: unknown): boolean {
    this.#low = 0x2545f491;
    this.#high = 0x6c078965;
    this.#names.length = 0;
    this.#walk(state);
    const low = this.#low | 0;
    const high = this.#high | 1; // never both 0, which marks a free place
    if (this.#size * 3 > this.#table.length) this.#grow();
    if (!place(this.#table, low, high)) return false;
    this.#size++;
    return true;
  }

  #walk(value: unknown): void {
    switch (typeof value) {
      case 'number':
        return this.#mix(value >= firstVersion || value <= -firstVersion ? this.#named(value) : value);
      case 'string': {
        let text = this.#texts.get(value);
        if (text === undefined) this.#texts.set(value, (text = 100_000 + this.#texts.size));
        return this.#mix(text);
      }
      case 'boolean':
        return this.#mix(value ? 200_001 : 200_000);
      case 'object':
        if (value === null) return this.#mix(200_002);
        if (Array.isArray(value)) {
          this.#mix(300_000 + value.length);
          for (let i = 0; i < value.length; i++) this.#walk(value[i]);
          return;
        }
        for (const name in value) this.#walk((value as Record<string, unknown>)[name]);
        return;
      default:
        throw new TypeError(`A state holds a ${typeof value}`);
    }
  }

  /** A fenced version is the negative of a plain one. */
  #named(version: number): number {
    let at = this.#names.indexOf(version);
    if (at < 0) at = this.#names.push(version) - 1;
    return (version < 0 ? 500_000 : 400_000) + at;
  }

  #mix(x: number): void {
    let low = Math.imul(this.#low ^ x, 0x9e3779b1);
    low ^= low >>> 15;
    this.#low = low + 0x7f4a7c15;
    let high = Math.imul(this.#high + x, 0x85ebca6b);
    high ^= high >>> 13;
    this.#high = Math.imul(high, 0xc2b2ae35) ^ low;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Int32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2)
      if (old[at] !== 0 || old[at + 1] !== 0) place(this.#table, old[at] as number, old[at + 1] as number);
  }
}

/** Open addressing, two numbers for each place. */
function place(table: Int32Array, low: number, high: number): boolean {
  const places = table.length / 2;
  for (let at = (low ^ high) & (places - 1); ; at = (at + 1) & (places - 1)) {
    const there = table[2 * at];
    const thereHigh = table[2 * at + 1];
    if (there === 0 && thereHigh === 0) {
      table[2 * at] = low;
      table[2 * at + 1] = high;
      return true;
    }
    if (there === low && thereHigh === high) return false;
  }
}

/** Smaller numbers are no versions. */
export const firstVersion = 10_000_000;

let last = firstVersion;

/** A version that nobody has seen before. */
export function fresh(): number {
  return ++last;
}
