import {
  type Bits,
  type Entry,
  each,
  type Flight,
  type Frame,
  isFenced,
  type Process,
  type Reader,
  type State,
  type Version,
  type World,
} from './world.js';

/**
 * How a read ends, what becomes of those who joined it, and what it must contain. Mirrors `takeOff` and the end of
 * `fill` in `src/core/fill.ts`, `stillHolds` in `join.ts`, and `handUp` in `src/core/context.ts`.
 *
 * Here the properties are judged: whoever is served is compared with what was acknowledged when he began.
 */
export interface Landing {
  readonly entry: Entry;
  readonly torn: boolean;
}

/** The frame on top: the innermost read. */
export function top(state: State, i: number): Frame {
  return (state.readers[i] as Reader).frames.at(-1) as Frame;
}

export function processOf({ setup }: World, state: State, i: number): Process {
  return state.processes[(setup.readers[i] as World['setup']['readers'][number]).process] as Process;
}

/** A frame's place in sets of frames. */
export function idOf({ readers }: State, i: number): number {
  return 2 * i + (readers[i] as Reader).frames.length - 1;
}

export function finish(world: World, state: State, i: number, landing: Landing): void {
  const frame = top(state, i);
  const process = processOf(world, state, i);
  const id = idOf(state, i);
  const flight = process.flights[frame.key] as Flight | null;
  giveOut(world, state, i, landing);
  if (flight?.by !== id) return;
  process.flights[frame.key] = null;
  state.readers.forEach((_, n) => {
    const other = top(state, n);
    if (other?.at === 'joined' && other.key === frame.key && processOf(world, state, n) === process)
      wake(world, state, n, flight, landing);
  });
}

/** A flight whose versions were taken after this read began contains all that the read must contain. */
function wake(world: World, state: State, i: number, { older }: Flight, landing: Landing): void {
  const frame = top(state, i);
  const later = ((older >> idOf(state, i)) & 1) === 1;
  if (later || world.flaws.has('lets joiners have whatever lands')) return giveOut(world, state, i, landing);
  if (landing.torn) {
    frame.at = 'again';
    return;
  }
  frame.near = landing.entry;
  frame.known = world.setup.tags.map(() => 0);
  frame.at = 'still';
}

function giveOut(world: World, state: State, i: number, landing: Landing): void {
  const reader = state.readers[i] as Reader;
  const frame = reader.frames.pop() as Frame;
  judge(world, state, i, frame, landing.entry.value);
  const outer = reader.frames.at(-1);
  if (outer === undefined) reader.left--;
  else handUp(world, outer, landing);
}

/** An inner value's pairs become those of the load around it. */
function handUp({ flaws }: World, outer: Frame, { entry, torn }: Landing): void {
  outer.value |= entry.value;
  outer.at = 'goes on';
  if (flaws.has('lets the dependencies of inner loads stay inside')) return;
  for (const tag of each(entry.tags)) addPair(flaws, outer, tag, entry.versions[tag] as Version);
  if (torn) outer.torn = true;
}

/** Mirrors `Scope.add` in `src/core/scope.ts`: the first version wins, a second one tears. */
export function addPair(flaws: World['flaws'], frame: Frame, tag: number, version: Version): void {
  const first = frame.pairs[tag] as Version;
  if (isFenced(version)) frame.torn = true;
  if (first === 0) frame.pairs[tag] = version;
  else if (first !== version && flaws.has('lets the last version of a tag win')) frame.pairs[tag] = version;
  else if (first !== version) frame.torn = true;
}

function judge({ setup, broken, contents, written }: World, state: State, i: number, frame: Frame, value: Bits): void {
  const { inside, last } = setup.readers[i] as World['setup']['readers'][number];
  const all = contents[frame.key] as Bits;
  const lacks = (of: Bits) => of & all & ~value;
  const mine = inside === undefined ? 0 : (written[inside] as Bits);
  const tell = (property: string, what: string) => broken.push({ property, what: `R${i} is served ${what}` });
  if (inside === undefined) {
    // Who says it by another word than `invalidate` has a promise of his own.
    const acked = lacks(frame.acked);
    written.forEach((writes, w) => {
      if ((writes & acked) === 0) return;
      const by = setup.writers[w]?.by ?? 'set';
      const property = by === 'invalidate' ? 'ACK' : `NO-LOST-${by.toUpperCase()}`;
      const name = by === 'set' ? `S${w - setup.writers.length}` : `W${w}`;
      tell(property, `a value without the write of ${name}, whose ${by} was acknowledged before the read began`);
    });
    if (setup.strict === true && lacks(frame.committed) !== 0)
      tell('COMMIT', 'a value without a write that was committed before the read began');
    if (setup.strict === true && lacks(frame.shown) !== 0)
      tell('MONO', 'a value without a write that somebody was shown before the read began');
    if (last === true && lacks(state.db) !== 0)
      tell('QUIET', 'a value without a write that is in the database, and nothing runs any more');
  }
  if ((lacks(frame.own) & ~frame.acked) !== 0)
    tell('OWN', 'a value without a write of its own process that had resolved');
  if ((value & ~(state.db | mine)) !== 0) tell('DIRTY', 'a write that was not committed');
  if (setup.strict === true) state.shown |= value;
}
