import { addPair, finish, idOf, processOf, top } from './landing.js';
import type { Key, Query } from './setup.js';
import { type Entry, each, type Frame, isFenced, type State, seenBy, type Version, type World } from './world.js';

/**
 * A load, from its scope to what is stored. Mirrors `src/core/load.ts` (`openScope`, `settle`), `scope.ts` (pairs and
 * learned tags), `deposit.ts` (what is stored), `past.ts` (loads inside a transaction), and `observe.ts`, the way of
 * adapters, by which a query's versions are taken before it runs.
 */
export function startLoad(world: World, state: State, i: number): void {
  const frame = top(state, i);
  const { tags, keys } = world.setup;
  judgeAlone(world, state, i);
  frame.pairs = tags.map(() => 0);
  frame.torn = frame.epoch === 0;
  if (frame.epoch !== 0)
    for (const tag of (keys[frame.key] as Key).known) addPair(world.flaws, frame, tag, frame.known[tag] as Version);
  frame.query = 0;
  frame.value = 0;
  nextQuery(world, frame);
}

/** Without writes and accidents one load is enough for all who ask at once. */
function judgeAlone({ setup, broken }: World, state: State, i: number): void {
  if (setup.writers.length > 0 || setup.accidents !== undefined) return;
  const { key } = top(state, i);
  const loads = (n: number) => ['query', 'loaded'].includes(top(state, n)?.at ?? '') && top(state, n)?.key === key;
  state.readers.forEach((_, n) => {
    if (n !== i && loads(n) && setup.readers[n]?.process === setup.readers[i]?.process)
      broken.push({ property: 'ONE', what: `R${i} loads k${key} while R${n} of the same process does` });
  });
}

/** What the load does next. */
export function nextQuery({ setup, flaws }: World, frame: Frame): void {
  const query = queryOf(setup, frame);
  if (query === undefined) frame.at = 'loaded';
  else if ('inner' in query) frame.at = 'inner';
  else if (query.how !== 'observed' || flaws.has('takes the version of an observed query after it has run'))
    frame.at = 'query';
  else {
    // What the load has already, or the look before it has brought, need not be asked for.
    const version = (frame.pairs[query.tag] as Version) || (frame.known[query.tag] as Version);
    if (version !== 0) addPair(flaws, frame, query.tag, version);
    frame.at = version === 0 ? 'pair' : 'query';
  }
}

export function queryOf({ keys }: World['setup'], { key, query }: Frame): Query | undefined {
  return (keys[key] as Key).queries[query];
}

/** The pair of an observed query has been taken. */
export function observe(world: World, state: State, i: number): void {
  const frame = top(state, i);
  const query = queryOf(world.setup, frame) as Extract<Query, { tag: number }>;
  addPair(world.flaws, frame, query.tag, frame.question.answer[query.tag] as Version);
  if (frame.epoch !== processOf(world, state, i).epoch) frame.torn = true;
  frame.at = 'query';
}

/** The database carries out the query. */
export function lookUp(world: World, state: State, i: number): void {
  const frame = top(state, i);
  const { inside } = world.setup.readers[i] as World['setup']['readers'][number];
  const query = queryOf(world.setup, frame) as Extract<Query, { tag: number }>;
  const { snapshot } = state.readers[i] as State['readers'][number];
  const committed = inside === undefined ? state.db : snapshot | (world.written[inside] as number);
  frame.value |= seenBy(world, [query.row], committed);
  if (query.how === 'learned') learn(world, frame, query.tag);
  frame.query++;
  nextQuery(world, frame);
}

/** `Scope.learn`: a tag found in the result counts only if its version is known from before the load. */
function learn(world: World, frame: Frame, tag: number): void {
  if (frame.pairs[tag] !== 0 || world.flaws.has('asks for the version of a learned tag after the load')) return;
  const version = frame.known[tag] as Version;
  if (version !== 0 && frame.epoch !== 0) return addPair(world.flaws, frame, tag, version);
  frame.learned |= 1 << tag;
  frame.torn = true;
}

/** The load lands: what becomes of its value, and who gets it. */
export function land(world: World, state: State, i: number): void {
  const { flaws, setup } = world;
  const frame = top(state, i);
  const heard = frame.question.purpose === 'late';
  if (!heard && frame.epoch !== 0 && lateTags(world, frame) !== 0) {
    frame.at = 'late';
    return;
  }
  if (heard) for (const tag of each(frame.question.tags)) frame.pairs[tag] = frame.question.answer[tag] as Version;
  const process = processOf(world, state, i);
  const inside = setup.readers[i]?.inside !== undefined && !flaws.has('stores inside a transaction');
  const torn = frame.torn || inside;
  const entry = entryOf(frame, flaws.has('stores under the epoch of the moment') ? process.epoch : frame.epoch);
  const { key, epoch, leased } = frame;
  if (!torn) {
    if (!flaws.has('deletes entries instead of raising versions')) process.near[key] = entry;
    deposit(state, process, key, entry, leased ? idOf(state, i) : -1);
  } else if (frame.learned !== 0 && epoch !== 0 && !inside) {
    // A value that was not stored for want of versions leaves its tags behind, so that the next load is.
    const tags = entry.tags | frame.learned;
    deposit(
      state,
      process,
      key,
      Object.freeze({ ...entry, value: 0, hasValue: false, tags, versions: [] }),
      leased ? idOf(state, i) : -1,
    );
  } else if (leased) release(state, key, idOf(state, i));
  finish(world, state, i, { entry, torn });
}

/** Tags whose versions a flawed load asks for when it has ended. */
export function lateTags({ flaws, setup }: World, frame: Frame): number {
  const key = setup.keys[frame.key] as Key;
  let late = 0;
  if (flaws.has('takes versions after the load')) for (const tag of key.known) late |= 1 << tag;
  if (flaws.has('takes the version of an observed query after it has run'))
    for (const query of key.queries) if ('tag' in query && query.how === 'observed') late |= 1 << query.tag;
  if (flaws.has('asks for the version of a learned tag after the load'))
    for (const query of key.queries) if ('tag' in query && query.how === 'learned') late |= 1 << query.tag;
  return late;
}

function entryOf({ value, pairs }: Frame, epoch: number): Entry {
  let tags = 0;
  pairs.forEach((version, tag) => {
    if (version !== 0) tags |= 1 << tag;
  });
  const versions = Object.freeze([...pairs]);
  const hasValue = !pairs.some(isFenced);
  return Object.freeze({ value, hasValue, tags, versions, epoch });
}

/** The answer does not wait for the store; the lease is given back once the store has it. */
export function deposit(
  state: State,
  process: State['processes'][number],
  key: number,
  entry: Entry | null,
  release: number,
): void {
  if (process.epoch !== 0 && process.run === state.store.run) state.sent.push(Object.freeze({ key, entry, release }));
}

export function release({ store }: State, key: number, id: number): void {
  if (store.leases[key] === id) store.leases[key] = -1;
}
