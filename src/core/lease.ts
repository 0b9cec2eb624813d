import type { Ask } from './ask.js';
import { cheap } from './entry.js';
import { look, type Sight } from './look.js';
import type { Parts } from './parts.js';
import { isFenced, type Lease } from './store.js';

/** With what a load goes on that has asked for the right to load. */
export interface Leased {
  /** The last look, which a load begins from. */
  readonly sight: Sight;
  /** Undefined when there is none to be had, or none worth asking for: then one loads without. */
  readonly lease: Lease | undefined;
  /** The process that had the lease has stored meanwhile what is asked for: there is nothing to load. */
  readonly isStored: boolean;
}

/**
 * The right to load, so that of all processes one loads. Who does not get it waits for what the other one stores, and
 * looks again.
 *
 * A lease saves work and promises nothing: two loads at once cost twice and break no value. So nobody waits for one load
 * much longer than it is known to take. Whoever has waited so long leaves the first right to its owner and asks for a
 * second one, to follow; that one ends when others have waited so long again, and the next has it: one at a time, since
 * all at once would not make a slow database faster. Nobody waits for more than a few, or for longer than a load may
 * take; and a store that is down is no reason not to load.
 *
 * @param lookedAt - before `sight`, in the clock's milliseconds
 */
export async function acquire(parts: Parts, ask: Ask, sight: Sight, lookedAt: number): Promise<Leased> {
  const { session, clock } = parts;
  if (!isWorthIt(parts, ask, sight, lookedAt)) return withoutLease(sight);
  const { cost } = ask.counter;
  // Nobody waits much longer for another process than the load itself would take; but a machine that is busy, and then
  // many miss at once, makes a load of 50 ms one of 150, and no load is saved by whoever gives up in between.
  const patience = cost === undefined ? ask.settings.hard : cost + Math.max(cost / 2, lag);
  const since = clock.now();
  const giveUp = since + Math.min(ask.settings.hard, turns * patience);
  let refused = false;
  for (let pause = 25; ; pause = Math.min(100, pause * 2)) {
    const follows = clock.now() - since >= patience;
    const right = follows ? `${ask.hash}+` : ask.hash;
    const lease = await session.lease(right, follows ? patience : ask.settings.hard).catch(() => null);
    if (lease === null) return withoutLease(sight);
    if (lease !== undefined) {
      // Between the look and the lease another process may have had the lease and stored what it loaded. Who was refused
      // before knows that somebody had it.
      if (!refused && clock.now() - lookedAt < cheap) return { sight, lease, isStored: false };
      sight = await look(parts, ask);
      if (!isAnswer(parts, ask, sight)) return { sight, lease, isStored: false };
      lease.release();
      return { sight, lease: undefined, isStored: true };
    }
    refused = true;
    if (clock.now() >= giveUp) return withoutLease(sight);
    const left = (follows ? giveUp : Math.min(giveUp, since + patience)) - clock.now();
    await session.released(right, Math.min(left, pause * (0.75 + Math.random() / 2)));
    sight = await look(parts, ask);
    if (isAnswer(parts, ask, sight)) return { sight, lease: undefined, isStored: true };
    if (sight.before === undefined) return withoutLease(sight);
  }
}

function isWorthIt(parts: Parts, ask: Ask, { before }: Sight, lookedAt: number): boolean {
  if (!parts.shared || before === undefined) return false;
  const { cost } = ask.counter;
  // Where the store is slow, asking for the right to load takes longer than loading.
  const dear = Math.max(cheap, parts.clock.now() - lookedAt);
  if (cost !== undefined && cost < dear) return false;
  // What would be loaded is stored by nobody, so there is nothing to wait for.
  return !(parts.settings.strict && [...before.values()].some(isFenced));
}

function withoutLease(sight: Sight): Leased {
  return { sight, lease: undefined, isStored: false };
}

/** What may end a flight: all who join it must be able to have it, so nobody's `tolerate` counts. */
function isAnswer(parts: Parts, ask: Ask, { entry, tolerated }: Sight): boolean {
  // An aged one is what is to be replaced.
  return !ask.fresh && !tolerated && entry !== undefined && parts.clock.coarse() < entry.freshUntil;
}

/** How many that do not come to an end somebody waits for. */
const turns = 4;

/** Milliseconds by which a load may take longer elsewhere than it is known to take. */
const lag = 250;
