import { randomUUID } from 'node:crypto';
import type { Parts } from '../../core/parts.js';
import { CycleRun, lost, type Warmed } from './cycle.js';
import { Keys } from './keys.js';
import { Leader } from './leader.js';
import type { WarmSettings } from './options.js';
import { OwnReads, Watcher } from './reads.js';
import { type Cycle, Record } from './record.js';

/** What a warmer is doing in this process. */
export interface WarmState {
  /** `following`: another process leads, or nobody; `waiting`: this one leads, until the next cycle; then `running`. */
  readonly phase: 'following' | 'waiting' | 'running' | 'stopped';
  /** Cycles that have ended in this process. */
  readonly cycles: number;
  /** How many times longer than asked for the pause is: 1, 2, 4 or 8. */
  readonly slowdown: number;
  /** Milliseconds until the next cycle, while waiting. */
  readonly nextIn: number | undefined;
  /** What came of the last one here. */
  readonly last: Warmed | undefined;
}

/**
 * A warmer in one process: strives to lead, and while it does, runs one cycle after the other.
 *
 * 1. Only the leader begins a cycle, and it stays the leader until that has ended, also when it takes too long: so of all
 *    processes one runs. Who loses the lease in the middle aborts, and strives again only when its cycle has ended.
 * 2. The rhythm is kept over changes of the leader by a record in the store. A cycle that was cut off is done again.
 * 3. A cycle that takes more than half of its pause, or in which something fails, says that the database is slow: the
 *    pause is doubled, up to eight times, and halved again with every cycle that goes well.
 */
export class Warmer {
  readonly #parts: Parts;
  readonly #name: string;
  readonly #settings: WarmSettings;
  readonly #record: Record;
  readonly #leader: Leader;
  readonly #keys: Keys | undefined;
  readonly #watcher: Watcher | undefined;
  readonly #id = randomUUID();
  #run: { readonly cycle: CycleRun; readonly ended: Promise<Warmed> } | undefined;
  /** The next cycle, while this process leads and waits. */
  #next: { readonly at: number; readonly fire: number | undefined; readonly stop: () => void } | undefined;
  #cycles = 0;
  #slowdown = 1;
  #last: Warmed | undefined;
  #stopped: Promise<void> | undefined;

  /** @param full - the name, and the view that it was made through */
  constructor(parts: Parts, name: string, full: string, settings: WarmSettings) {
    const { clock, session } = parts;
    this.#parts = parts;
    this.#name = name;
    this.#settings = settings;
    this.#record = new Record(parts, full, settings.every === undefined ? month : settings.every * 16);
    if (settings.keys !== undefined) {
      const reads = new OwnReads(parts);
      this.#keys = new Keys(parts, settings.keys, reads, this.#record);
      const every = Math.min(mostBetweenLooks, (settings.every ?? month) / 2);
      if (parts.shared) this.#watcher = new Watcher(parts, this.#record, reads, every);
    }
    this.#leader = new Leader({
      ...{ session, clock, key: this.#record.leaseKey, within: settings.lease },
      onWon: () => void this.#lead(),
      onLost: () => this.#follow(new Error(lost)),
    });
    this.#watcher?.start();
    this.#leader.seek();
  }

  get state(): WarmState {
    const stopped = this.#stopped !== undefined;
    return {
      phase: this.#run ? 'running' : stopped ? 'stopped' : this.#leader.leads ? 'waiting' : 'following',
      cycles: this.#cycles,
      slowdown: this.#slowdown,
      nextIn: this.#next && Math.max(0, this.#next.at - this.#parts.clock.now()),
      last: this.#last,
    };
  }

  /** The cycle that is running, or one that begins at once; undefined unless this process leads. */
  async now(): Promise<Warmed | undefined> {
    if (this.#run === undefined && this.#leader.leads && this.#stopped === undefined) this.#begin(this.#next?.fire);
    return this.#run?.ended;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#watcher?.stop();
    this.#next?.stop();
    this.#next = undefined;
    this.#run?.cycle.end(new Error('The warmer was stopped.'));
    // The lease is kept for as long as anything runs under it; nobody prolongs it when that is longer than it lasts.
    await this.#run?.ended;
    this.#leader.stop();
  }

  /** Not waited for any longer: what is left of the lease ends by itself. */
  abandon(): void {
    this.#leader.leave();
  }

  async #lead(): Promise<void> {
    this.#watcher?.stop();
    const last = await this.#record.last();
    if (this.#leader.leads && this.#run === undefined) this.#schedule(last);
  }

  /** @param last - the last cycle that anybody began */
  #schedule(last: Cycle | undefined): void {
    if (this.#stopped !== undefined) return;
    const { clock } = this.#parts;
    const { at, fire } = this.#due(last);
    const ms = Math.max(0, at - clock.now());
    this.#next?.stop();
    this.#next = { at: clock.now() + ms, fire, stop: clock.after(ms, () => this.#begin(fire)) };
  }

  /** When the next cycle is due, and the time of the schedule that it is for. */
  #due(last: Cycle | undefined): { at: number; fire: number | undefined } {
    const { clock, session } = this.#parts;
    const { every, cron, jitter } = this.#settings;
    const now = clock.now();
    const cutOff = last !== undefined && !last.ended && last.owner !== this.#id;
    if (cron !== undefined) {
      const wall = this.#wall();
      if (cutOff) return { at: now, fire: last.fire };
      let fire = cron.next(last?.fire ?? wall);
      // What was missed is made up for once, however often it was.
      if (fire <= wall) fire = Math.floor(wall / minute) * minute;
      else for (let more = this.#slowdown; more > 1; more--) fire = cron.next(fire);
      return { at: now + (fire - wall) + Math.random() * jitter * minute, fire };
    }
    const pause = (every as number) * this.#slowdown * (1 + jitter * Math.random());
    if (last === undefined || cutOff) return { at: now, fire: undefined };
    return { at: last.began + (now - session.now()) + pause, fire: undefined };
  }

  #begin(fire: number | undefined): void {
    this.#next?.stop();
    this.#next = undefined;
    if (!this.#leader.leads || this.#run !== undefined || this.#stopped !== undefined) return;
    let told = this.#parts.clock.now();
    const cycle = new CycleRun(this.#parts, {
      ...this.#settings,
      name: this.#name,
      mayWork: () => this.#leader.leads,
      onProgress: () => {
        const now = this.#parts.clock.now();
        if (now - told < betweenEvents) return;
        told = now;
        this.#tell(cycle, false);
      },
    });
    this.#run = { cycle, ended: this.#cycle(cycle, fire) };
  }

  /** One cycle, from its record to its record. Never rejects. */
  async #cycle(cycle: CycleRun, fire: number | undefined): Promise<Warmed> {
    const record: Cycle = { owner: this.#id, began: this.#parts.session.now(), fire, ended: false, keys: [] };
    let keys: readonly string[] = [];
    try {
      const last = await this.#record.last();
      const calls = await this.#keys?.named();
      keys = [...(calls?.keys() ?? [])];
      await this.#record.tell({ ...record, keys });
      if (calls !== undefined) await this.#keys?.refresh(cycle, calls, last);
      else await this.#settings.run?.(cycle.context);
    } catch (error) {
      cycle.fail(error);
    }
    cycle.close();
    return this.#ended(cycle, { ...record, ended: true, keys });
  }

  async #ended(cycle: CycleRun, record: Cycle): Promise<Warmed> {
    const outcome = cycle.outcome();
    const { every, cron } = this.#settings;
    const wall = this.#wall();
    const pause = every ?? (cron === undefined ? 0 : cron.next(cron.next(wall)) - cron.next(wall));
    const isSlow = outcome.duration > pause / 2 || cycle.hasFailed;
    this.#slowdown = isSlow ? Math.min(mostSlowdown, this.#slowdown * 2) : Math.max(1, this.#slowdown / 2);
    this.#cycles++;
    this.#last = outcome;
    const leads = this.#leader.leads;
    // Who does not lead any more has nothing to say: another may have begun.
    if (leads) await this.#record.tell(record);
    this.#run = undefined;
    this.#tell(cycle, true);
    if (this.#stopped !== undefined) return outcome;
    if (this.#leader.leads) this.#schedule(record);
    else this.#follow(new Error(lost));
    return outcome;
  }

  /** Another process may lead from now on. */
  #follow(why: Error): void {
    this.#next?.stop();
    this.#next = undefined;
    // It strives again once that has ended.
    if (this.#run !== undefined) return this.#run.cycle.end(why);
    if (this.#stopped !== undefined) return;
    this.#watcher?.start();
    this.#leader.seek();
  }

  #tell(cycle: CycleRun, ended: boolean): void {
    const { events } = this.#parts;
    if (!events.hears('warm')) return;
    const { of } = cycle;
    events.emit('warm', {
      ...{ name: this.#name, cycle: this.#cycles + (ended ? 0 : 1), of },
      ...{ ...cycle.outcome(), ended, slowdown: this.#slowdown },
    });
  }

  #wall(): number {
    const { clock } = this.#parts;
    return clock.wall?.() ?? clock.now();
  }
}

const minute = 60_000;
const month = 30 * 86_400_000;
/** A process looks for reads at least so often. Milliseconds. */
const mostBetweenLooks = 30_000;
/** Milliseconds between two events of a cycle, its end aside. */
const betweenEvents = 1000;
const mostSlowdown = 8;
