import { accidentSteps } from './accidents.js';
import type { Model } from './explore.js';
import type { Flaw } from './flaws.js';
import { readerSteps } from './reader.js';
import { setterSteps } from './setter.js';
import type { Key, Setup } from './setup.js';
import { type Commits, type State, startOf, type World } from './world.js';
import { deliverySteps, writerSteps } from './writer.js';

/** Processes that share a store, at `maxStale: 0`: memory holds values, and their versions are asked for at each read. */
export function shared(setup: Setup, ...flaws: readonly Flaw[]): Model<State> {
  const world = worldOf(setup, new Set(flaws));
  return {
    broken: world.broken,
    start: () => startOf(world),
    steps(state, step) {
      for (let i = 0; i < state.readers.length; i++) readerSteps(world, state, i, step);
      for (let i = 0; i < state.writers.length; i++) writerSteps(world, state, i, step);
      for (let i = 0; i < state.setters.length; i++) setterSteps(world, state, i, step);
      for (let p = 0; p < state.processes.length; p++) deliverySteps(world, state, p, step);
      accidentSteps(world, state, step);
    },
    stuck({ readers, writers, setters }) {
      const reader = readers.findIndex(({ left }) => left > 0);
      if (reader >= 0)
        return `R${reader} waits for something that does not come: ${readers[reader]?.frames.at(-1)?.at}`;
      const writer = writers.findIndex(({ at }) => at !== 'done' && at !== 'gone');
      if (writer >= 0) return `W${writer} waits for something that does not come`;
      return setters.some(({ at }) => at !== 'done') ? 'a setter waits for something that does not come' : undefined;
    },
  };
}

function worldOf(setup: Setup, flaws: ReadonlySet<Flaw>): World {
  const rows = Math.max(
    ...setup.keys.flatMap(({ queries }) => queries.map((query) => ('row' in query ? query.row : 0))),
  );
  const writesOf: Commits[] = Array.from({ length: rows + 1 }, () => 0);
  let bit = 1;
  const written = [
    ...setup.writers.map((writer) => writer.rows),
    ...(setup.setters ?? []).map(({ writes }) => writes ?? []),
  ].map((changed) => {
    let writes: Commits = 0;
    for (const row of changed) {
      writes |= bit;
      writesOf[row] = (writesOf[row] as Commits) | bit;
      bit <<= 1;
    }
    return writes;
  });
  const contentsOf = ({ queries }: Key): Commits =>
    queries.reduce(
      (all, query) =>
        all | ('row' in query ? (writesOf[query.row] as Commits) : contentsOf(setup.keys[query.inner] as Key)),
      0,
    );
  return { setup, flaws, broken: [], writesOf, written, contents: setup.keys.map(contentsOf) };
}
