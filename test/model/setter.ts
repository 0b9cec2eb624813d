import type { Step } from './explore.js';
import { deposit } from './load.js';
import type { Key, SetterSetup } from './setup.js';
import { ask, carryOut, lift, missing, reaches } from './store.js';
import {
  bitsOf,
  each,
  noQuestion,
  type Process,
  type Setter,
  type State,
  seenBy,
  type Version,
  type World,
} from './world.js';

/**
 * A program that takes a snapshot, reads the database by itself and sets what it read. Mirrors `src/core/snapshot.ts`,
 * `put.ts`, and the tags of `identity.ts`: a snapshot holds all copies of `~*`, all of `~d` and the stars of its view,
 * since it is taken before anybody has named a key.
 */
export function setterSteps(world: World, state: State, i: number, step: Step<State>): void {
  const setup = (world.setup.setters as readonly SetterSetup[])[i] as SetterSetup;
  const key = world.setup.keys[setup.key] as Key;
  const setter = state.setters[i] as Setter;
  const process = state.processes[setup.process] as Process;
  const name = `S${i} (P${setup.process})`;
  const act = (label: string, change: (next: State, mine: Setter) => void) =>
    step(
      () => label,
      (next) => change(next, next.setters[i] as Setter),
    );
  const { question } = setter;
  const tags = world.flaws.has('takes snapshots without standing tags')
    ? setup.since
    : [...setup.since, ...setup.standing];
  switch (setter.at) {
    case 'idle':
      act(setup.writes === undefined ? `${name} begins` : `${name}: COMMIT of a write of its own`, (next, mine) => {
        if (setup.writes !== undefined) next.db |= bitsWritten(world, i);
        mine.at = 'snapshot';
        ask(world, next.processes[setup.process] as Process, mine.question, 'snapshot', bitsOf(tags));
      });
      break;
    case 'snapshot':
    case 'put':
      if (question.open !== 0) {
        if (reaches(state, process))
          for (const node of each(question.open))
            act(`store: ${name} asks for versions${setter.at === 'put' ? ' again' : ''}`, (next, mine) => {
              carryOut(world, next, mine.question, node);
            });
      } else if (missing(question) !== 0)
        act(`${name} asks for versions where there were none`, (_, mine) => {
          ask(world, process, mine.question, question.purpose, missing(question), false, true);
        });
      else if (setter.at === 'put')
        act(`${name} hears it and sets what it has`, (next, mine) => put(world, next, setup, mine, key));
      else
        act(`${name} has its snapshot`, (_, mine) => {
          mine.since = question.answer;
          mine.epoch = process.epoch;
          mine.question = noQuestion();
          mine.at = 'query';
        });
      break;
    case 'query':
      act(`database: ${name} reads`, (next, mine) => {
        const rows = key.queries.flatMap((query) => ('row' in query ? [query.row] : []));
        mine.value = seenBy(world, rows, next.db);
        mine.at = 'raise';
      });
      break;
    case 'raise':
      if (reaches(state, process))
        act(`store: ${name} ends the old value`, (next, mine) => {
          if (!world.flaws.has('sets without ending what is being loaded')) lift(world, next, key.keyTag as number);
          mine.own = next.store.versions[key.keyTag as number] as Version;
          mine.at = 'raised';
        });
      break;
    case 'raised':
      act(`${name} hears it`, (_, mine) => {
        mine.at = 'put';
        ask(world, process, mine.question, 'put', bitsOf([...key.known, ...setup.standing, key.deleteTag as number]));
      });
      break;
  }
}

function bitsWritten({ setup, written }: World, i: number): number {
  return written[setup.writers.length + i] as number;
}

function put(world: World, state: State, setup: SetterSetup, mine: Setter, key: Key): void {
  const process = state.processes[setup.process] as Process;
  const now = mine.question.answer;
  const { since, own, value, epoch } = mine;
  const i = state.setters.indexOf(mine);
  mine.at = 'done';
  mine.question = noQuestion();
  mine.since = [];
  mine.own = mine.value = mine.epoch = 0;
  if (setup.writes !== undefined) state.acked |= bitsWritten(world, i);
  const deleted = key.deleteTag as number;
  const blind = world.flaws.has('takes snapshots without standing tags');
  // Deleted between the snapshot and here: the value is older than that.
  if (!blind && since[deleted] !== now[deleted]) return;
  // Of what `clear` raises, only the share of this key counts; the delete tags are no part of the entry.
  const versions = since.map((version, tag) =>
    setup.standing.includes(tag) && !key.known.includes(tag) ? 0 : version,
  );
  for (const tag of key.known) if (versions[tag] === 0) versions[tag] = now[tag] as Version;
  versions[key.keyTag as number] = own;
  const tags = bitsOf(versions.flatMap((version, tag) => (version === 0 ? [] : [tag])));
  const entry = Object.freeze({ value, hasValue: true, tags, versions: Object.freeze(versions), epoch });
  process.near[setup.key] = entry;
  deposit(state, process, setup.key, entry, -1);
}
