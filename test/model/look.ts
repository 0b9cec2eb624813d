import { finish, idOf, processOf, top } from './landing.js';
import { land, observe, startLoad } from './load.js';
import type { Key, ReaderSetup } from './setup.js';
import { ask, carryOut, holds, missing } from './store.js';
import {
  type Bits,
  bitsOf,
  type Entry,
  each,
  type Frame,
  noQuestion,
  type Purpose,
  type Reader,
  type State,
  type Version,
  type World,
} from './world.js';

/**
 * What a read asks for, and what it makes of the answers. Mirrors `lookFar` in `src/core/look.ts`, `Known` in `known.ts`,
 * `fill.ts` (who joins, who takes off, who starts over) and, for leases, `lease.ts`.
 */
/** A read begins: everything acknowledged by now must be in what it gets. */
export function begin(world: World, state: State, i: number, key: number): void {
  const process = processOf(world, state, i);
  const reader = state.readers[i] as Reader;
  const { inside } = world.setup.readers[i] as ReaderSetup;
  reader.frames.push({
    key,
    at: 'sent',
    acked: state.acked,
    own: process.own | (inside === undefined ? 0 : (world.written[inside] as number)),
    committed: world.setup.strict === true ? state.db : 0,
    shown: state.shown,
    question: noQuestion(),
    known: [],
    epoch: 0,
    older: 0,
    distrusted: 0,
    near: null,
    found: null,
    query: 0,
    value: 0,
    pairs: [],
    torn: false,
    learned: 0,
    leased: false,
  });
  forgetOrder(world, state, i);
  const past = !world.flaws.has('serves inside a transaction') && !world.flaws.has('stores inside a transaction');
  if (inside !== undefined && past) return startLoad(world, state, i);
  // What is in memory is looked at before anybody waits for a load.
  if (process.near[key] === null && join(world, state, i)) return;
  look(world, state, i);
}

/** This read began after everything that has begun so far. */
function forgetOrder(world: World, state: State, i: number): void {
  const others = ~(1 << idOf(state, i));
  for (const flight of processOf(world, state, i).flights) if (flight !== null) flight.older &= others;
  for (const { frames } of state.readers) for (const frame of frames) frame.older &= others;
}

/** Joins the load of this key that is under way, if there is one. */
function join(world: World, state: State, i: number): boolean {
  const frame = top(state, i);
  const flight = processOf(world, state, i).flights[frame.key];
  if (flight === null || world.flaws.has('has no flights')) return false;
  rest(frame);
  frame.at = 'joined';
  return true;
}

/** What a finished look leaves behind is no part of the state. */
function rest(frame: Frame): void {
  frame.question = noQuestion();
  frame.known = [];
  frame.epoch = 0;
  frame.near = null;
  frame.found = null;
  frame.older = 0;
  frame.distrusted = 0;
}

/** `lookFar`: an entry in memory is compared with the versions of its tags, else everything is asked for. */
export function look(world: World, state: State, i: number): void {
  const frame = top(state, i);
  rest(frame);
  frame.known = world.setup.tags.map(() => 0);
  frame.near = processOf(world, state, i).near[frame.key] as Entry | null;
  noteDistrust(world, state, i);
  state.readers.forEach(({ frames }, n) => {
    if (world.setup.readers[n]?.process !== world.setup.readers[i]?.process) return;
    frames.forEach((other, depth) => {
      if (other.key === frame.key && other !== frame) frame.older |= 1 << (2 * n + depth);
    });
  });
  if (frame.near !== null) send(world, state, i, 'recheck', frame.near.tags);
  else send(world, state, i, 'look', bitsOf(keyOf(world, frame).known), true);
}

/** What is undelivered now may be delivered before the answer is heard, and the answer older than that. */
export function noteDistrust(world: World, state: State, i: number): void {
  if (world.flaws.has('trusts a tag once it is delivered, whenever it was asked for')) return;
  top(state, i).distrusted = processOf(world, state, i).distrusted;
}

function keyOf({ setup }: World, { key }: Frame): Key {
  return setup.keys[key] as Key;
}

/** Sends a question; when the store cannot be asked, that is the answer. */
export function send(
  world: World,
  state: State,
  i: number,
  purpose: Purpose,
  tags: Bits,
  entry = false,
  creates = false,
): void {
  const frame = top(state, i);
  frame.at = 'sent';
  if (!ask(world, processOf(world, state, i), frame.question, purpose, tags, entry, creates))
    return unanswered(world, state, i);
  if (frame.question.open === 0) frame.at = 'answered';
  if (world.flaws.has('joins a question that is on its way')) joinQuestion(world, state, i);
}

/** The mistake: an answer to a question from before this read began. */
function joinQuestion({ setup }: World, state: State, i: number): void {
  const frame = top(state, i);
  for (let n = 0; n < state.readers.length; n++) {
    const other = top(state, n);
    if (n === i || other?.at !== 'answered' || setup.readers[n]?.process !== setup.readers[i]?.process) continue;
    if (other.key !== frame.key || other.question.purpose !== frame.question.purpose) continue;
    frame.question = { ...other.question, answer: [...other.question.answer] };
    frame.found = other.found;
    frame.at = 'answered';
  }
}

export function answer(world: World, state: State, i: number, node: number): void {
  const frame = top(state, i);
  const { question, key } = frame;
  const { store } = state;
  if (carryOut(world, state, question, node)) frame.found = store.entries[key] as Entry | null;
  if (question.purpose === 'lease' && store.leases[key] === -1) {
    store.leases[key] = idOf(state, i);
    frame.leased = true;
  }
  if (question.open === 0) frame.at = 'answered';
}

export function hear(world: World, state: State, i: number): void {
  const frame = top(state, i);
  const process = processOf(world, state, i);
  const { purpose, tags, answer: versions } = frame.question;
  // An answer counts only if the epoch was the same when the question was sent, and in all questions of a look.
  if (frame.epoch === 0) frame.epoch = process.epoch;
  if (frame.epoch !== process.epoch && (purpose === 'recheck' || purpose === 'look' || purpose === 'more'))
    return unanswered(world, state, i);
  for (const tag of each(tags))
    if (purpose !== 'pair' && purpose !== 'late') frame.known[tag] = versions[tag] as Version;
  const none = missing(frame.question);
  if (none !== 0) return send(world, state, i, purpose, none, false, true);
  switch (purpose) {
    case 'recheck': {
      const near = frame.near as Entry;
      if (mayServe(world, i) && holds(world, process, near, frame, frame.epoch))
        return finish(world, state, i, { entry: near, torn: false });
      return send(world, state, i, 'look', (bitsOf(keyOf(world, frame).known) | near.tags) & ~knownBits(frame), true);
    }
    case 'look': {
      const unknown = (frame.found?.tags ?? 0) & ~knownBits(frame);
      const versionless = world.flaws.has('deletes entries instead of raising versions');
      return unknown === 0 || versionless ? decide(world, state, i) : send(world, state, i, 'more', unknown);
    }
    case 'more':
      return decide(world, state, i);
    case 'lease':
      // Between the look and the lease another process may have stored what it loaded.
      if (frame.leased) return look(world, state, i);
      frame.at = 'waits';
      return;
    case 'pair':
      return observe(world, state, i);
    case 'late':
      return land(world, state, i);
    default:
      return stillHolds(world, state, i);
  }
}

function knownBits({ known }: Frame): Bits {
  return known.reduce((bits, version, tag) => (version === 0 ? bits : bits | (1 << tag)), 0);
}

function mayServe({ setup, flaws }: World, i: number): boolean {
  return setup.readers[i]?.inside === undefined || flaws.has('serves inside a transaction');
}

function decide(world: World, state: State, i: number): void {
  const frame = top(state, i);
  const process = processOf(world, state, i);
  for (const entry of [frame.found, frame.near]) {
    if (entry === null || !mayServe(world, i) || !holds(world, process, entry, frame, frame.epoch)) continue;
    if (!world.flaws.has('deletes entries instead of raising versions')) process.near[frame.key] = entry;
    if (frame.leased) state.store.leases[frame.key] = -1;
    return finish(world, state, i, { entry, torn: false });
  }
  miss(world, state, i);
}

/** Somebody else may have taken off while this read was looking. */
function miss(world: World, state: State, i: number): void {
  const frame = top(state, i);
  const process = processOf(world, state, i);
  const id = idOf(state, i);
  const mine = process.flights[frame.key]?.by === id;
  if (!mine && join(world, state, i)) return;
  if (!mine) process.flights[frame.key] = { by: id, older: frame.older };
  frame.near = frame.found = null;
  frame.older = frame.distrusted = 0;
  if (world.setup.leases === true && frame.epoch !== 0 && !frame.leased) send(world, state, i, 'lease', 0);
  else startLoad(world, state, i);
}

/** The store could not be asked: the database is still there. */
export function unanswered(world: World, state: State, i: number): void {
  const frame = top(state, i);
  switch (frame.question.purpose) {
    case 'recheck':
    case 'look':
    case 'more':
      frame.epoch = 0;
      return miss(world, state, i);
    case 'lease':
      return startLoad(world, state, i);
    case 'pair':
      frame.torn = true;
      frame.at = 'query';
      return;
    case 'late':
      frame.torn = true;
      return land(world, state, i);
    default:
      return again(world, state, i);
  }
}

/** Who joined asks for the pairs that the value rests on, and starts over when one of them has changed. */
function stillHolds(world: World, state: State, i: number): void {
  const frame = top(state, i);
  const process = processOf(world, state, i);
  const entry = frame.near as Entry;
  if (holds(world, process, entry, frame, process.epoch)) return finish(world, state, i, { entry, torn: false });
  again(world, state, i);
}

export function again(world: World, state: State, i: number): void {
  rest(top(state, i));
  if (!join(world, state, i)) look(world, state, i);
}
