import type { Version } from './store.js';

/**
 * What this process knows about the versions of tags.
 *
 * Entries point at *cells*, one per tag, so that a hit compares a few fields and looks nothing up. A cell either knows
 * its tag's version or does not, and carries a mark: the moment of its last change on one counter for the whole table.
 * Marks are never reused, so "unchanged since I looked" is a comparison of two numbers, also after the table dropped
 * the cell and made a new one (counts that restart per cell break this: `docs/decisions/005-cells.md`).
 *
 * Without a store the table is the truth itself: a cell is born known, its mark is its version, and touching it is the
 * invalidation. With a store the cells are a memory of what was read there, good for as long as somebody proves that
 * every later change would have been reported; a table that nobody feeds (`maxStale: 0`) knows nothing and harms nothing.
 */
export class Tags {
  /** Every change of a known cell that took effect before this moment has been reported. */
  proven: number;
  readonly #cells = new Map<string, Cell>();
  /** Cells that no entry points at, oldest first: kept a while, so that recent changes stay known by tag. */
  readonly #idle = new Set<Cell>();
  readonly #authoritative: boolean;
  /** Counts what could make an entry hold or not hold any more: every change of any cell. */
  changes = 0;
  /** How many tags are distrusted at the moment: mostly none, and then nobody has to look. */
  distrusted = 0;
  /** How often that has ended for a tag. */
  trustedAgain = 0;
  #marks = 0;
  /** The newest change of any tag that the table has no cell for. */
  #floor = 0;

  constructor(authoritative: boolean) {
    this.#authoritative = authoritative;
    this.proven = authoritative ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** How many cells there are, for tests of bounds. */
  get size(): number {
    return this.#cells.size;
  }

  /** The present moment, for {@link learn} and {@link unchangedSince}. */
  get mark(): number {
    return this.#marks;
  }

  /** The cell of a tag. Whoever keeps it must {@link hold} it. */
  cell(tag: string): Cell {
    const known = this.#cells.get(tag);
    if (known !== undefined) return known;
    const cell = new Cell(tag, this.#floor, this.#authoritative ? this.#floor : undefined);
    this.#cells.set(tag, cell);
    this.#rest(cell);
    return cell;
  }

  hold(cell: Cell): void {
    if (cell.holders++ > 0) return;
    this.#idle.delete(cell);
    // The table may have dropped the cell between `cell` and `hold`; an entry must point at the one that is touched.
    if (this.#cells.get(cell.tag) === cell) return;
    cell.version = undefined;
    this.changes++;
  }

  release(cell: Cell): void {
    if (--cell.holders === 0) this.#rest(cell);
  }

  /** A tag changed, or may have: whatever was known of it is not known any more. */
  touch(tag: string): void {
    const cell = this.cell(tag);
    if (this.#idle.delete(cell)) this.#idle.add(cell);
    this.changes++;
    cell.mark = ++this.#marks;
    cell.version = this.#authoritative ? cell.mark : undefined;
    cell.readAt = Number.NEGATIVE_INFINITY;
  }

  /** Any tag may have changed. */
  touchAll(): void {
    this.changes++;
    this.#floor = ++this.#marks;
    for (const cell of this.#cells.values()) {
      cell.mark = this.#floor;
      cell.version = this.#authoritative ? this.#floor : undefined;
      cell.readAt = Number.NEGATIVE_INFINITY;
    }
    if (!this.#authoritative) this.proven = Number.NEGATIVE_INFINITY;
  }

  /** Takes over a version that was asked for at `mark`, unless the cell changed since: the answer may be older. */
  learn(cell: Cell, version: Version, sentAt: number, mark: number): void {
    if (cell.mark > mark) return;
    if (cell.version !== version) this.changes++;
    cell.version = version;
    cell.readAt = sentAt;
  }

  /** The version that a tag has had since `mark`; undefined when it changed, or when that cannot be told here. */
  unchangedSince(mark: number, tag: string): Version | undefined {
    if (!this.#authoritative) return undefined;
    const cell = this.cell(tag);
    return cell.mark <= mark ? cell.version : undefined;
  }

  /** An undelivered invalidation: nothing that depends on the tag is served here, whatever the store still says. */
  distrust(tag: string, on: boolean): void {
    const cell = this.cell(tag);
    if (cell.distrusted === on) return;
    cell.distrusted = on;
    this.distrusted += on ? 1 : -1;
    this.changes++;
    if (on) this.hold(cell);
    else {
      this.trustedAgain++;
      this.release(cell);
    }
  }

  isDistrusted(tag: string): boolean {
    return this.distrusted > 0 && this.#cells.get(tag)?.distrusted === true;
  }

  /** Whether the cell's version is good enough for a read that accepts changes after `floor` to be missing. */
  isVerified(cell: Cell, floor: number): boolean {
    return cell.version !== undefined && (this.proven >= floor || cell.readAt >= floor);
  }

  #rest(cell: Cell): void {
    // A cell that the table has dropped is nobody's any more; its tag may have another one by now.
    if (this.#cells.get(cell.tag) !== cell) return;
    this.#idle.add(cell);
    if (this.#idle.size <= maxIdle) return;
    // Many at once: the way to the oldest leads over the holes that those before it have left in the set.
    for (const oldest of this.#idle) {
      this.#forget(oldest);
      if (this.#idle.size <= maxIdle - 1000) return;
    }
  }

  #forget(cell: Cell): void {
    this.#idle.delete(cell);
    this.#cells.delete(cell.tag);
    cell.version = undefined;
    this.changes++;
    this.#floor = Math.max(this.#floor, cell.mark);
  }
}

/** Cells without an entry that are kept. A dropped one costs at most a load too many. */
const maxIdle = 20_000;

export class Cell {
  readonly tag: string;
  mark: number;
  version: Version | undefined;
  /** When the read that told the version was sent. */
  readAt = Number.NEGATIVE_INFINITY;
  holders = 0;
  distrusted = false;
  constructor(tag: string, mark: number, version: Version | undefined) {
    this.tag = tag;
    this.mark = mark;
    this.version = version;
  }
}
