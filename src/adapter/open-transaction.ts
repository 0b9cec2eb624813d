import type { OpenUnit } from '../core/port.js';
import { collapse } from './collapse.js';

/** Tags to be published now. */
export interface Publication {
  readonly tags: readonly string[];
  /** The outcome is not known: once more, a little later. */
  readonly again: boolean;
  /** What has ended with it: to be told what became of the tags. */
  readonly units: readonly OpenUnit[];
}

/** What was written since a BEGIN or a SAVEPOINT. */
export class Frame {
  readonly name: string | undefined;
  /** The first is its own; the others are those of savepoints that were released into it. */
  readonly units: OpenUnit[];
  /** Statements that have not ended: what they end whatever becomes of them. */
  readonly inFlight = new Set<{ readonly tags: readonly string[] }>();
  /** Where it has gone. */
  into: Frame | undefined;
  /** So many tags are kept as they are: a transaction may change millions of rows. */
  #most = 10_000;

  constructor(unit: OpenUnit, name: string | undefined) {
    this.units = [unit];
    this.name = name;
  }

  get unit(): OpenUnit {
    return this.units[0]!;
  }

  add(tags: readonly string[]): void {
    const all = this.unit.tags;
    for (const tag of tags) all.add(tag);
    if (all.size <= this.#most) return;
    const fewer = collapse([...all]);
    all.clear();
    for (const tag of fewer) all.add(tag);
    // Tags of which not many are rows of one table: not to be tried again for each.
    this.#most = Math.max(this.#most, 2 * fewer.length);
  }

  /** Takes over what another one has written. */
  take(other: Frame): void {
    this.units.push(...other.units);
    this.expect(other);
  }

  /** Takes over what has not ended in another one. */
  expect(other: Frame): void {
    for (const write of other.inFlight) this.inFlight.add(write);
    other.into = this;
  }
}

/** One transaction of a connection: a stack of frames, one for each savepoint. See `unit-of-work`. */
export class OpenTransaction {
  readonly #frames: Frame[];
  /** How many of the frames were there when it came in doubt whether they still are. */
  #doubt: number | undefined;
  #isOver = false;

  constructor(unit: OpenUnit, name: string | undefined) {
    this.#frames = [new Frame(unit, name)];
  }

  get top(): Frame {
    return this.#frames.at(-1)!;
  }

  /** Whether it may have ended without anybody having been told. */
  get isInDoubt(): boolean {
    return this.#doubt !== undefined;
  }

  get depth(): number {
    return this.#frames.length;
  }

  /** @param depth - how many frames were there before what has raised the doubt */
  doubt(depth = this.depth): void {
    this.#doubt = Math.min(this.#doubt ?? depth, depth);
  }

  believe(): void {
    this.#doubt = undefined;
  }

  /** A savepoint was found in the database: if it is older than the doubt, nothing has ended. */
  found(at: number): void {
    if (this.#doubt !== undefined && at < this.#doubt) this.believe();
  }

  write(tags: readonly string[]): (tags: readonly string[]) => readonly string[] {
    let frame = this.top;
    const write = { tags };
    frame.inFlight.add(write);
    return (refined) => {
      for (frame.inFlight.delete(write); frame.into !== undefined; frame.inFlight.delete(write)) frame = frame.into;
      frame.add(refined);
      return this.#isOver || this.isInDoubt ? refined : [];
    };
  }

  /** Where the savepoint of that name stands, or -1; the youngest hides the others. */
  find(name: string): number {
    return this.#frames.findLastIndex((frame) => frame.name === name);
  }

  push(unit: OpenUnit, name: string): Frame {
    // A frame that comes in doubt is no witness of what was before.
    if (this.#doubt !== undefined) this.doubt();
    const frame = new Frame(unit, name);
    this.#frames.push(frame);
    return frame;
  }

  /** The savepoint is gone, what was written since is not. */
  forget(frame: Frame | undefined): void {
    const at = frame === undefined ? -1 : this.#frames.indexOf(frame);
    if (at < 1) return;
    const [gone] = this.#frames.splice(at, 1) as [Frame];
    this.#frames[at - 1]!.take(gone);
  }

  /** A savepoint is released, and all that came after it. */
  release(at: number): void {
    for (const frame of this.#frames.slice(at).reverse()) this.forget(frame);
  }

  at(index: number): Frame | undefined {
    return this.#frames[index];
  }

  /** What was written since a savepoint is taken back; the savepoint stays. To be dropped, or put back, once it is known. */
  cut(at: number): { drop(): void; undo(): void } {
    const frame = this.#frames[at]!;
    const above = this.#frames.splice(at + 1);
    const own = frame.units.flatMap((unit) => [...unit.tags]);
    for (const unit of frame.units) unit.tags.clear();
    for (const other of above) frame.expect(other);
    return {
      drop() {
        for (const unit of above.flatMap(({ units }) => units)) unit.settle();
      },
      undo() {
        frame.add(own);
        for (const { units } of above) frame.units.push(...units);
      },
    };
  }

  /** Takes over what another one has written. */
  adopt(other: OpenTransaction): void {
    for (const frame of other.#frames) this.#frames[0]!.take(frame);
    // What ends in it later is published at once.
    other.#isOver = true;
  }

  /** All that was written so far; it goes on. */
  published(again = false): Publication {
    const tags = new Set<string>();
    for (const frame of this.#frames) {
      for (const unit of frame.units) for (const tag of unit.tags) tags.add(tag);
      for (const write of frame.inFlight) for (const tag of write.tags) tags.add(tag);
    }
    return { tags: [...tags], again, units: [] };
  }

  /** It has ended, and what was written counts. */
  committed(again = false): Publication {
    this.#isOver = true;
    const units = this.#frames.flatMap((frame) => frame.units);
    for (const unit of units) unit.end();
    return { ...this.published(again), units };
  }

  /** It has ended, and nothing of it is left. */
  dropped(): void {
    this.#isOver = true;
    for (const frame of this.#frames) for (const unit of frame.units) unit.settle();
  }
}
