import type { Step } from './explore.js';
import { deposit } from './load.js';
import { fresh } from './seen.js';
import type { WriterSetup } from './setup.js';
import { fence, lift, reaches } from './store.js';
import { type Bits, bitsOf, each, type Process, type State, type World, type Writer } from './world.js';

/**
 * A write: BEGIN, COMMIT, new versions for its tags, the acknowledgement. Mirrors `src/core/transaction.ts` (tags wait
 * for the end of the transaction), `invalidate.ts` (order of delete tags, what is refused and delivered later) and, for
 * a COMMIT whose outcome nobody knows, `Invalidations.later`. Fences: `src/adapter/fence` and `src/core/fences.ts`.
 */
export function writerSteps(world: World, state: State, i: number, step: Step<State>): void {
  const setup = world.setup.writers[i] as WriterSetup;
  const writer = state.writers[i] as Writer;
  const process = state.processes[setup.process] as Process;
  const { flaws } = world;
  const strict = world.setup.strict === true;
  const name = `W${i} (P${setup.process})`;
  const act = (label: string, change: (next: State, mine: Writer) => void) =>
    step(
      () => label,
      (next) => change(next, next.writers[i] as Writer),
    );
  const before = world.setup.writers[i - 1];
  const twin = before !== undefined && JSON.stringify(before) === JSON.stringify(setup);
  switch (writer.at) {
    case 'idle':
      if (twin && state.writers[i - 1]?.at === 'idle') break;
      act(`${name} begins its transaction and writes`, (next, mine) => beginWrite(world, next, i, mine));
      break;
    case 'fencing':
      if (reaches(state, process))
        for (const tag of first(world, writer.open))
          act(`store: ${name} fences ${world.setup.tags[tag]}`, (next, mine) => {
            fence(next, tag, i);
            mine.open &= ~(1 << tag);
            if (mine.open === 0) mine.at = 'commits';
          });
      if (process.epoch === 0)
        act(`${name} cannot place its fence: ROLLBACK`, (_, mine) => {
          mine.transaction = 'aborted';
          mine.at = 'done';
          mine.open = 0;
        });
      break;
    case 'open':
    case 'commits':
      commitSteps(world, state, i, act, name);
      break;
    case 'raise':
      if (reaches(state, process))
        for (const tag of first(world, writer.open))
          act(`store: ${name} gives ${world.setup.tags[tag]} a new version`, (next, mine) => {
            raiseOne(world, next, i, mine, tag);
          });
      if (flaws.has('acknowledges without the store') || process.epoch === 0 || state.left['time-out'] > 0)
        act(`${name} is not answered in time`, (next, mine) => {
          if (process.epoch !== 0 && !flaws.has('acknowledges without the store')) next.left['time-out']--;
          refuse(world, next, i, mine);
        });
      break;
    case 'raised':
      if (process.epoch === 0 || state.left['time-out'] > 0)
        act(`${name} is not answered in time`, (next, mine) => {
          if (process.epoch !== 0) next.left['time-out']--;
          refuse(world, next, i, mine);
        });
      act(`${name} hears it`, (next, mine) => heard(world, next, i, mine));
      break;
    case 'again':
      if (writer.transaction !== 'unknown')
        act(`${name} raises once more, since nobody knew the outcome`, (_next, mine) => {
          mine.twice = true;
          toRaise(world, i, mine);
        });
      break;
  }
  const mayDie = writer.at !== 'idle' && writer.at !== 'done' && writer.at !== 'gone';
  if (mayDie && state.left.crash > 0)
    act(`${name} dies`, (next, mine) => {
      next.left.crash--;
      mine.at = 'gone';
      if (mine.transaction === 'open') mine.transaction = 'aborted';
    });
  // The database ends a transaction that idles; its limit is shorter than the lease of the fence.
  if (strict && writer.transaction === 'open' && writer.at === 'commits')
    act(`database: ends the idle transaction of W${i}`, (_, mine) => {
      mine.transaction = 'aborted';
    });
  if (writer.transaction === 'unknown') {
    act(`database: the COMMIT of W${i} takes effect after all`, (next, mine) => {
      next.db |= world.written[i] as number;
      mine.transaction = 'committed';
    });
    act(`database: the transaction of W${i} is rolled back`, (_, mine) => {
      mine.transaction = 'aborted';
    });
  }
}

type Act = (label: string, change: (next: State, mine: Writer) => void) => void;

/** On one server the scripts of a pipeline run in order. */
function first({ setup, flaws }: World, open: Bits): Iterable<number> {
  if (setup.cluster === true || flaws.has('confirms delete tags with the rest')) return each(open);
  const [tag] = each(open);
  return tag === undefined ? [] : [tag];
}

function beginWrite({ setup, flaws }: World, state: State, i: number, mine: Writer): void {
  const { raises } = setup.writers[i] as WriterSetup;
  mine.transaction = 'open';
  setup.readers.forEach(({ inside }, n) => {
    if (inside === i) (state.readers[n] as State['readers'][number]).snapshot = state.db;
  });
  if (setup.strict === true && !flaws.has('has no fence')) {
    mine.at = 'fencing';
    mine.open = bitsOf(raises.flat());
  } else if (flaws.has('raises before COMMIT')) {
    mine.at = 'raise';
    mine.open = bitsOf(raises[0] as readonly number[]);
  } else mine.at = 'open';
}

function commitSteps(world: World, state: State, i: number, act: Act, name: string): void {
  const { setup, flaws } = world;
  const { transaction } = state.writers[i] as Writer;
  const readersInside = setup.readers.some(
    ({ inside }, n) => inside === i && (state.readers[n]?.left !== 0 || state.readers[n]?.frames.length !== 0),
  );
  if (readersInside) return;
  if (transaction === 'aborted')
    return act(`${name}: COMMIT fails, the database has ended the transaction`, (_, mine) => toRaise(world, i, mine));
  act(`${name}: COMMIT`, (next, mine) => {
    next.db |= world.written[i] as number;
    mine.transaction = 'committed';
    if (flaws.has('raises before COMMIT')) acknowledge(world, next, i, mine);
    else toRaise(world, i, mine);
  });
  if (state.left.rollback > 0)
    act(`${name}: ROLLBACK`, (next, mine) => {
      next.left.rollback--;
      mine.transaction = 'aborted';
      if (setup.strict === true) toRaise(world, i, mine);
      else mine.at = 'done';
    });
  if (state.left['unknown outcome'] > 0)
    act(`${name}: COMMIT is sent, and the connection lost`, (next, mine) => {
      next.left['unknown outcome']--;
      mine.transaction = 'unknown';
      mine.doubt = true;
      // Strict: the fence stays, until the database says what became of it.
      if (setup.strict === true && !flaws.has('lifts a fence whose COMMIT may be under way')) mine.at = 'gone';
      else toRaise(world, i, mine);
    });
}

function toRaise({ setup, flaws }: World, i: number, mine: Writer): void {
  mine.at = 'raise';
  const { raises } = setup.writers[i] as WriterSetup;
  const together = flaws.has('confirms delete tags with the rest');
  mine.round = together ? raises.length - 1 : 0;
  mine.open = bitsOf(together ? raises.flat() : (raises[0] as readonly number[]));
}

function raiseOne(world: World, state: State, i: number, mine: Writer, tag: number): void {
  const { by } = world.setup.writers[i] as WriterSetup;
  if (by === 'clear' && world.flaws.has('clears by a new epoch')) {
    state.store.epoch = fresh();
    mine.open = 0;
  } else lift(world, state, tag, world.setup.strict === true ? i : -1);
  mine.open &= ~(1 << tag);
  if (mine.open === 0) mine.at = 'raised';
  if (world.flaws.has('acknowledges the first of several tags')) state.acked |= world.written[i] as number;
}

function heard(world: World, state: State, i: number, mine: Writer): void {
  const { raises } = world.setup.writers[i] as WriterSetup;
  const { flaws } = world;
  if (mine.transaction === 'open') {
    mine.at = 'open';
    return;
  }
  mine.round++;
  const next = raises[mine.round];
  if (next !== undefined) {
    mine.at = 'raise';
    mine.open = bitsOf(next);
  } else if (
    mine.doubt &&
    !mine.twice &&
    world.setup.strict !== true &&
    !flaws.has('raises once when the outcome is unknown')
  )
    mine.at = 'again';
  else acknowledge(world, state, i, mine);
}

function acknowledge({ setup, written }: World, state: State, i: number, mine: Writer): void {
  const { process, by } = setup.writers[i] as WriterSetup;
  mine.at = 'done';
  mine.round = 0;
  // Who does not know the outcome has told his caller so: nothing is promised.
  if (mine.transaction !== 'committed' || mine.doubt) return;
  state.acked |= written[i] as number;
  const own = state.processes[process] as Process;
  own.own |= written[i] as number;
  // `delete` also removes what is stored: a kindness, that nothing depends on.
  if (by === 'delete')
    for (const [key, { keyTag }] of setup.keys.entries())
      if (setup.writers[i]?.raises.flat().includes(keyTag ?? -1)) {
        own.near[key] = null;
        deposit(state, own, key, null, -1);
      }
}

/**
 * The store has not confirmed it in time. The write has happened, so its caller is told nothing else; what is not
 * confirmed is kept, and nothing that depends on it is served here until it is delivered.
 */
function refuse({ setup, flaws, written }: World, state: State, i: number, mine: Writer): void {
  const own = state.processes[(setup.writers[i] as WriterSetup).process] as Process;
  mine.at = 'done';
  if (mine.open !== 0 && reaches(state, own)) state.late.push(mine.open);
  mine.open = 0;
  const promised = mine.transaction === 'committed' && !mine.doubt ? (written[i] as number) : 0;
  own.own |= promised;
  if (flaws.has('acknowledges without the store')) state.acked |= promised;
  if (flaws.has('forgets what it could not deliver')) return;
  for (const tag of (setup.writers[i] as WriterSetup).raises.flat()) {
    own.pending[tag] = fresh();
    own.refused[tag] = (own.refused[tag] as number) | promised;
    if (!flaws.has('serves what an undelivered tag should have ended')) own.distrusted |= 1 << tag;
  }
}

/** What was refused is delivered as soon as the store answers. Mirrors `Invalidations.deliver`. */
export function deliverySteps(world: World, state: State, p: number, step: Step<State>): void {
  const { delivery, pending, epoch } = state.processes[p] as Process;
  const act = (label: string, change: (next: State, mine: Process) => void) =>
    step(
      () => `P${p} ${label}`,
      (next) => change(next, next.processes[p] as Process),
    );
  if (delivery === null) {
    if (epoch !== 0 && pending.some((id) => id !== 0))
      act('sends again what was refused', (_, mine) => {
        mine.delivery = { ids: [...mine.pending], open: tagsIn(mine.pending) };
      });
    return;
  }
  if (delivery.open !== 0) {
    if (reaches(state, state.processes[p] as Process))
      act('has it carried out by the store', (next, mine) => {
        for (const tag of each(tagsIn(delivery.ids))) lift(world, next, tag);
        (mine.delivery as NonNullable<typeof delivery>).open = 0;
      });
    return;
  }
  act('hears that it is delivered', (next, mine) => {
    for (const tag of each(tagsIn(delivery.ids))) {
      // Refused again while this was on its way: that write may be younger than what was just confirmed.
      const same = mine.pending[tag] === delivery.ids[tag];
      if (!same && !world.flaws.has('takes a delivery for every refusal of its tag')) continue;
      next.acked |= mine.refused[tag] as number;
      mine.pending[tag] = mine.refused[tag] = 0;
      mine.distrusted &= ~(1 << tag);
    }
    mine.delivery = null;
  });
}

function tagsIn(ids: readonly number[]): Bits {
  return ids.reduce((tags, id, tag) => (id === 0 ? tags : tags | (1 << tag)), 0);
}
