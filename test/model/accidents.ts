import type { Step } from './explore.js';
import { top } from './landing.js';
import { release } from './load.js';
import { unanswered } from './look.js';
import { goOn } from './reader.js';
import { fresh } from './seen.js';
import { lift, verify } from './store.js';
import { each, noQuestion, type Process, type State, type World } from './world.js';

/**
 * What nobody does on purpose: things arrive, are forgotten, break. Mirrors what `adapters/redis/trust.ts` and `node.ts`
 * make of a lost connection, `src/core/fences.ts` of a fence that has run out, and `quarantine.ts` of a new epoch.
 */
export function accidentSteps(world: World, state: State, step: Step<State>): void {
  arrivals(world, state, step);
  evictions(world, state, step);
  losses(world, state, step);
  if (world.setup.strict === true) resolver(world, state, step);
}

function arrivals(world: World, { sent, late, store, left }: State, step: Step<State>): void {
  sent.forEach(({ key, entry }, n) => {
    step(
      () => `store: ${entry === null ? 'removes' : entry.hasValue ? 'stores' : 'keeps the tags of'} k${key}`,
      (next) => {
        const [it] = next.sent.splice(n, 1) as [State['sent'][number]];
        next.store.entries[key] = it.entry;
        if (it.release >= 0) release(next, key, it.release);
      },
    );
  });
  late.forEach((tags, n) => {
    for (const happens of [true, false])
      step(
        () => `store: a raise that timed out ${happens ? 'is carried out after all' : 'never is'}`,
        (next) => {
          next.late.splice(n, 1);
          if (happens) for (const tag of each(tags)) lift(world, next, tag);
        },
      );
  });
  if (left['lease lapse'] > 0)
    store.leases.forEach((holder, key) => {
      if (holder >= 0)
        step(
          () => `store: the lease of k${key} ends by itself`,
          (next) => {
            next.left['lease lapse']--;
            next.store.leases[key] = -1;
          },
        );
    });
}

function evictions({ setup, flaws }: World, { store, left }: State, step: Step<State>): void {
  if (left['evicted tag'] > 0)
    for (let tag = 0; tag < setup.tags.length; tag++) {
      // A fenced tag has no TTL, and strict mode refuses a server that evicts such keys.
      const kept = store.owners[tag] !== 0 && !flaws.has('lets fenced tags be evicted');
      if (store.versions[tag] !== 0 && !kept)
        step(
          () => `store: forgets ${setup.tags[tag]}`,
          (next) => {
            next.left['evicted tag']--;
            next.store.versions[tag] = 0;
            next.store.owners[tag] = 0;
          },
        );
    }
  if (left['evicted entry'] > 0)
    for (let key = 0; key < setup.keys.length; key++)
      if (store.entries[key] !== null)
        step(
          () => `store: forgets k${key}`,
          (next) => {
            next.left['evicted entry']--;
            next.store.entries[key] = null;
          },
        );
}

function losses(world: World, state: State, step: Step<State>): void {
  const { store, left, processes } = state;
  if (left.loss > 0 && store.saved === null)
    step(
      () => 'store: saves what it has',
      ({ store: now }) => {
        const { versions, owners, entries, epoch, recorded } = now;
        now.saved = Object.freeze({
          versions: [...versions],
          owners: [...owners],
          entries: [...entries],
          epoch,
          recorded,
        });
      },
    );
  if (left.loss > 0 && store.saved !== null)
    step(
      () => 'store: is restarted from what it had saved',
      (next) => {
        const { saved } = next.store;
        const { versions, owners, entries, epoch, recorded } = saved as NonNullable<typeof saved>;
        next.left.loss--;
        next.sent = [];
        next.late = [];
        Object.assign(next.store, {
          versions: [...versions],
          owners: [...owners],
          entries: [...entries],
          epoch,
          recorded,
        });
        next.store.leases.fill(-1);
        next.store.run++;
        next.store.saved = null;
      },
    );
  processes.forEach((process, p) => {
    if (process.run === store.run) trusts(world, process, p, step);
    else if (process.run !== 0)
      step(
        () => `P${p} learns that its connection is lost`,
        (next) => disconnect(world, next, p),
      );
    else
      step(
        () => `P${p} connects, looks at the server, and trusts it`,
        (next) => {
          const mine = next.processes[p] as Process;
          if (!world.flaws.has('trusts a connection before it has looked')) return verify(world, next, mine);
          mine.run = next.store.run;
          mine.epoch = next.store.epoch;
          mine.blind = true;
        },
      );
  });
}

/** The mistake: the look comes after the first questions. */
function trusts(world: World, { blind }: Process, p: number, step: Step<State>): void {
  if (blind)
    step(
      () => `P${p} looks at the server`,
      (next) => {
        const mine = next.processes[p] as Process;
        mine.blind = false;
        verify(world, next, mine);
      },
    );
}

function disconnect(world: World, state: State, p: number): void {
  const process = state.processes[p] as Process;
  process.run = 0;
  process.epoch = 0;
  if (process.delivery !== null) process.delivery = null;
  state.readers.forEach((_, i) => {
    const frame = top(state, i);
    if (world.setup.readers[i]?.process === p && (frame?.at === 'sent' || frame?.at === 'answered'))
      unanswered(world, state, i);
  });
  goOn(world, state);
  state.setters.forEach((setter, i) => {
    if (world.setup.setters?.[i]?.process !== p || setter.at === 'idle' || setter.at === 'query') return;
    Object.assign(setter, { at: 'done', question: noQuestion(), since: [], own: 0, value: 0, epoch: 0 });
  });
}

/**
 * Strict: whoever meets a fence that has run out asks the database whether its transaction is over, and then lifts it.
 * The tag has a new version afterwards.
 */
function resolver({ flaws, setup }: World, { store, writers }: State, step: Step<State>): void {
  const isOver = (i: number) => writers[i]?.transaction === 'committed' || writers[i]?.transaction === 'aborted';
  for (let tag = 0; tag < setup.tags.length; tag++)
    for (const owner of each(store.owners[tag] as number))
      if (isOver(owner) || flaws.has('lets a fence end by its time alone'))
        step(
          () => `resolver: lifts the fence of W${owner} on ${setup.tags[tag]}`,
          (next) => {
            const others = (next.store.owners[tag] as number) & ~(1 << owner);
            next.store.owners[tag] = others;
            next.store.versions[tag] = others === 0 ? fresh() : -fresh();
          },
        );
  if (store.quarantine !== 0 && [...each(store.quarantine)].every(isOver))
    step(
      () => 'resolver: no transaction is older than the epoch any more',
      (next) => {
        next.store.quarantine = 0;
      },
    );
}
