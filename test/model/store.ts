import { fresh } from './seen.js';
import {
  type Bits,
  type Entry,
  each,
  type Frame,
  isFenced,
  type Process,
  type Purpose,
  type Question,
  type State,
  type Version,
  type World,
} from './world.js';

/**
 * The store, and how it is asked. Mirrors `adapters/redis/reads.ts` (questions), `raises.ts` and `scripts.ts` (raises),
 * `trust.ts` and `node.ts` (epochs).
 *
 * A command is two steps: the server carries it out, the answer arrives. On a Cluster each tag and each entry lies on a
 * node of its own, so a question about three keys is carried out in three steps, in any order.
 */
export function ask(
  { setup }: World,
  { epoch, run }: Process,
  question: Question,
  purpose: Purpose,
  tags: Bits,
  entry = false,
  creates = false,
): boolean {
  question.purpose = purpose;
  question.tags = tags;
  question.entry = entry;
  question.creates = creates;
  if (!creates) question.answer = setup.tags.map(() => 0);
  const entries = entry ? 1 << setup.tags.length : 0;
  question.open = setup.cluster === true ? tags | entries : 1;
  // `Node.send`: refused at once while the node is not trusted.
  return epoch !== 0 && run !== 0;
}

/** Whether the server can carry out what the process has sent: what went to the run before is gone with it. */
export function reaches(state: State, process: Process): boolean {
  return process.run === state.store.run;
}

/** The server reads what the question asks for on this node. True when the entry is among it. */
export function carryOut(world: World, state: State, question: Question, node: number): boolean {
  const { store } = state;
  const { tags } = world.setup;
  question.open &= ~(1 << node);
  const here = world.setup.cluster === true ? question.tags & (1 << node) : question.tags;
  for (const tag of each(here)) {
    if (question.creates && store.versions[tag] === 0) store.versions[tag] = newVersion(world, 0);
    const version = store.versions[tag] as Version;
    question.answer[tag] = store.quarantine !== 0 && version > 0 ? -version : version;
  }
  return question.entry && (world.setup.cluster !== true || node === tags.length);
}

/** Tags that have no version yet: SET NX and GET, in a second trip, so that only one of many readers gives it. */
export function missing({ tags, answer }: Question): Bits {
  let none = 0;
  for (const tag of each(tags)) if (answer[tag] === 0) none |= 1 << tag;
  return none;
}

function newVersion({ flaws }: World, before: Version): Version {
  return flaws.has('counts the versions of each tag from 1') ? Math.abs(before) + 1 : fresh();
}

/**
 * The script `lift`: nobody owns the tag any more by this name, and it has a new version, a fenced one while somebody
 * else owns it. A plain invalidation lifts in a name that nobody has.
 */
export function lift(world: World, state: State, tag: number, owner = -1): void {
  const { store } = state;
  if (world.flaws.has('deletes entries instead of raising versions')) return removeEntries(world, state, tag);
  const owners = store.owners[tag] as Bits;
  const others = owner < 0 ? owners : world.flaws.has('fences with a flag') ? 0 : owners & ~(1 << owner);
  store.owners[tag] = others;
  const version = newVersion(world, store.versions[tag] as Version);
  store.versions[tag] = others === 0 ? version : -version;
}

/** The script `fence`, of strict mode. Mirrors `adapters/redis/raises.ts`, which places all of a writer's fences or none. */
export function fence({ store }: State, tag: number, owner: number): void {
  store.owners[tag] = (store.owners[tag] as Bits) | (1 << owner);
  store.versions[tag] = -fresh();
}

function removeEntries({ setup }: World, { store }: State, tag: number): void {
  store.entries = store.entries.map((entry, key) => {
    const { known, queries } = setup.keys[key] as (typeof setup.keys)[number];
    const depends = known.includes(tag) || queries.some((query) => 'tag' in query && query.tag === tag);
    return depends ? null : entry;
  });
}

/** Whether an entry may be served, by what is known of its tags. Mirrors `Known.holds` in `src/core/known.ts`. */
export function holds(
  { flaws }: World,
  { distrusted }: Process,
  entry: Entry,
  { known, distrusted: before }: Frame,
  epoch: number,
): boolean {
  if (!entry.hasValue) return false;
  if (flaws.has('deletes entries instead of raising versions')) return true;
  if (entry.epoch !== epoch && !flaws.has('has no epoch')) return false;
  for (const tag of each(entry.tags)) {
    const version = known[tag] as Version;
    if (version !== entry.versions[tag] || isFenced(version)) return false;
    if (((distrusted | before) >> tag) & 1) return false;
  }
  return true;
}

/**
 * The script `verify`, on a connection that nothing else was sent on: compares the record with the server that it was
 * found on, and begins a new epoch where they differ. The record travels with the data, so a server that went back in
 * time has one that names another run.
 */
export function verify({ setup, flaws }: World, state: State, process: Process): void {
  const { store } = state;
  process.run = store.run;
  if (store.recorded !== store.run) {
    store.epoch = fresh();
    store.recorded = store.run;
    // Strict: what was fenced in the part that is lost cannot be known, so whatever is under way counts.
    if (setup.strict === true && !flaws.has('has no quarantine'))
      state.writers.forEach(({ transaction }, i) => {
        if (transaction === 'open' || transaction === 'unknown') store.quarantine |= 1 << i;
      });
  }
  process.epoch = store.epoch;
}
