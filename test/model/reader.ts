import type { Step } from './explore.js';
import { processOf, top } from './landing.js';
import { land, lateTags, lookUp, nextQuery, queryOf, startLoad } from './load.js';
import { again, answer, begin, hear, look, noteDistrust, send, unanswered } from './look.js';
import type { Query, ReaderSetup } from './setup.js';
import { reaches } from './store.js';
import { type Bits, type Entry, each, type Frame, type Reader, type State, type World } from './world.js';

/**
 * A read at `maxStale: 0`, step by step. What the code does between two awaits is one step, together with the answer that
 * it begins with; what is done in it is in `look.ts`, `load.ts` and `landing.ts`, after the files that they mirror.
 */
export function readerSteps(world: World, state: State, i: number, step: Step<State>): void {
  const reader = state.readers[i] as Reader;
  const setup = world.setup.readers[i] as ReaderSetup;
  const frame = reader.frames.at(-1);
  const act = (label: () => string, change: (next: State) => void) =>
    step(label, (next) => {
      change(next);
      goOn(world, next);
    });
  if (frame === undefined) {
    if (reader.left > 0 && mayBegin(world, state, i))
      act(
        () => `R${i} (P${setup.process}) begins to read k${setup.key}`,
        (next) => begin(world, next, i, setup.key),
      );
    return;
  }
  const name = `R${i}${reader.frames.length > 1 ? ' inside' : ''}`;
  if (frame.at === 'sent' && reaches(state, processOf(world, state, i)))
    for (const node of each(frame.question.open))
      act(
        () => `store: ${name} asks for ${tell(world, frame, node)}`,
        (next) => answer(world, next, i, node),
      );
  if (frame.at === 'answered')
    act(
      () => `${name} hears it${frame.found === null ? '' : ', and the entry'}`,
      (next) => hear(world, next, i),
    );
  if (frame.at === 'query')
    act(
      () => `database: query ${frame.query + 1} of ${name} sees ${tellWrites(world, state.db)}`,
      (next) => lookUp(world, next, i),
    );
  if (frame.at === 'loaded')
    act(
      () => `${name}'s load lands`,
      (next) => land(world, next, i),
    );
  if (frame.at === 'waits') {
    act(
      () => `${name} has waited for the lease, and looks again`,
      (next) => look(world, next, i),
    );
    act(
      () => `${name} has waited long enough, and loads without the lease`,
      (next) => startLoad(world, next, i),
    );
  }
  if ((frame.at === 'sent' || frame.at === 'answered') && state.left['time-out'] > 0)
    act(
      () => `${name} is not answered in time`,
      (next) => {
        next.left['time-out']--;
        unanswered(world, next, i);
      },
    );
}

/** What needs no answer happens at once. */
export function goOn(world: World, state: State): void {
  for (let idle = false; !idle; ) {
    idle = true;
    for (let i = 0; i < state.readers.length; i++) {
      const frame = top(state, i);
      if (frame === undefined || !passing.has(frame.at)) continue;
      idle = false;
      pass(world, state, i, frame);
    }
  }
}

const passing: ReadonlySet<string> = new Set(['again', 'still', 'inner', 'goes on', 'pair', 'late']);

function pass(world: World, state: State, i: number, frame: Frame): void {
  const query = frame.at === 'pair' || frame.at === 'inner' ? (queryOf(world.setup, frame) as Query) : undefined;
  switch (frame.at) {
    case 'again':
      return again(world, state, i);
    case 'still':
      noteDistrust(world, state, i);
      return send(world, state, i, 'still', (frame.near as Entry).tags);
    case 'inner':
      frame.at = 'inside';
      return begin(world, state, i, (query as { inner: number }).inner);
    case 'goes on':
      frame.query++;
      return nextQuery(world, frame);
    case 'pair':
      return send(world, state, i, 'pair', 1 << (query as { tag: number }).tag);
    default:
      return send(world, state, i, 'late', lateTags(world, frame));
  }
}

/** Readers that are alike begin in one order: which of them is the first makes no difference. */
function mayBegin({ setup }: World, state: State, i: number): boolean {
  const mine = setup.readers[i] as ReaderSetup;
  if (mine.last === true) return isQuiet(setup.readers, state, i);
  if (mine.inside !== undefined) return state.writers[mine.inside]?.at === 'open';
  const before = setup.readers[i - 1];
  const { left, frames } = (state.readers[i - 1] ?? { left: 0, frames: [] }) as Reader;
  const alike = before !== undefined && before.process === mine.process && before.key === mine.key;
  return !(
    alike &&
    before.inside === undefined &&
    before.reads === mine.reads &&
    left === mine.reads &&
    frames.length === 0
  );
}

/** All else is over, and what was sent has arrived. */
function isQuiet(setups: readonly ReaderSetup[], state: State, i: number): boolean {
  const { writers, setters, sent, late, processes, store } = state;
  const others = state.readers.every(
    ({ left, frames }, n) => n === i || (setups[n]?.last === true && n > i) || (left === 0 && frames.length === 0),
  );
  return (
    others &&
    sent.length === 0 &&
    late.length === 0 &&
    writers.every(({ at, transaction }) => (at === 'done' || at === 'gone') && transaction !== 'unknown') &&
    store.owners.every((owners) => owners === 0) &&
    setters.every(({ at }) => at === 'done') &&
    processes.every(({ pending, run }) => pending.every((id) => id === 0) && run === store.run)
  );
}

function tell({ setup }: World, { key, question }: Frame, node: number): string {
  if (question.purpose === 'lease') return `the lease of k${key}`;
  const tags = setup.cluster === true ? question.tags & (1 << node) : question.tags;
  const parts = [...each(tags)].map((tag) => `${question.creates ? 'a version for' : ''} ${setup.tags[tag]}`.trim());
  if (question.entry && (setup.cluster !== true || node === setup.tags.length)) parts.push(`entry k${key}`);
  return parts.join(', ');
}

function tellWrites({ setup, written }: World, db: Bits): string {
  const names = written.flatMap((writes, w) => {
    if ((writes & db) === 0) return [];
    return w < setup.writers.length ? `W${w}` : `the write of S${w - setup.writers.length}`;
  });
  return names.join(' and ') || 'no write';
}
