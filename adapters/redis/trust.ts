import { type Clock, StoreUnavailableError, warnOnce, whyUnlike } from '../../src/adapter/index.js';
import type { Command, Reply } from './client.js';
import { DemotedError, LaterError, UnfitError } from './errors.js';
import type { Keys } from './keys.js';
import type { Link } from './link.js';
import { life, type Mandate } from './mandate.js';
import { evaluate, spelledOut, verify } from './scripts.js';
import { randomText } from './versions.js';

/**
 * When the answers of a server count.
 *
 * Versions protect against everything that Redis does in order; they cannot show that Redis went back in time. A server
 * that was restarted from yesterday's snapshot, or a replica that was promoted before it had received the last writes,
 * has tags with versions that were replaced, and entries that go with them. So the record at `<name>:epoch` says which
 * server (run id) with which history (replication id) the epoch belongs to. The record travels with the data: after a
 * loss it is missing, or names another server than the one that holds it. Either begins a new epoch, in which no entry
 * of the old one counts.
 *
 * For caches that fence what they write (`strict`) the record also says so, and who does otherwise is not trusted; nor
 * is a server that may drop a fence.
 *
 * This is looked at on every connection before anything else is sent on it, and once a second after that: a replica
 * that is promoted keeps its connections, so reconnecting alone would not show it. Behind Sentinel a majority of the
 * sentinels has to mean this server, and what was found counts for a limited time (`mandate.ts`).
 *
 * It also brings the server's time, on which all processes agree about ages, and publishes how stale the memory of
 * this process may be.
 */
export class Trust {
  readonly #options: TrustOptions;
  #epoch: string | undefined;
  /** The record belongs to clients that are not like this one. */
  #isUnlike = false;
  /** Server time minus local time. */
  #ahead = 0;
  #lastTime = 0;
  readonly #known = new Map<string, string>();
  readonly #waiting: (() => void)[] = [];
  #reach: number;

  constructor(options: TrustOptions) {
    this.#options = options;
    this.#reach = options.maxStale;
  }

  /** The epoch that the last look found; undefined before the first, and while this session is refused. */
  get epoch(): string | undefined {
    return this.#isUnlike ? undefined : this.#epoch;
  }

  /** Milliseconds on the server's scale: entries of all processes are dated by one clock. */
  now(): number {
    return this.#options.clock.now() + this.#ahead;
  }

  /**
   * Asks a node who it is, compares that with the record, and resolves when it may be trusted.
   *
   * @param record - the connection to the node that holds the record; may be the same
   * @param before - what the last look at this node found
   * @param again - whether this is another connection than that of the last look
   * @throws LaterError when the record is out of reach, the sentinels do not agree, or an epoch must not begin yet
   */
  async look(link: Link, record: Link | undefined, before: Look | undefined, again: boolean): Promise<Look> {
    const { clock, timeout, cluster, strict, mandate } = this.#options;
    const sent = clock.now();
    const asked = mandate?.ask(timeout);
    const commands: Command[] = [['info', 'server'], ['info', 'replication'], ['time']];
    if (cluster) commands.push(['cluster', 'myid']);
    if (strict) commands.push(['info', 'memory']);
    const replies = await link.send(commands, timeout, true);
    const [server, replication, time, id] = replies;
    if (strict) refuseEviction(replies.at(-1));
    const between = (sent + clock.now()) / 2;
    const runs = identity(server, replication);
    const choice = await asked;
    if (choice instanceof LaterError) throw choice;
    if (choice) await mandate?.refuseOther(choice, link, runs.split(' ', 1)[0]);
    const node = cluster ? `node:${text(id) ?? '?'}` : 'node';
    // What was compared stays so while neither the node nor the epoch has changed. Where the record lies, it is looked
    // at each time: it may be gone.
    if (link !== record && before?.runs === runs && before?.epoch === this.epoch && !again) return before;
    if (!record?.ready) throw new LaterError('the node with the record of trust is out of reach', 50, 'ends');
    let end = '';
    if (link === record && time) {
      const now = milliseconds(time);
      // The server's clock was set back: entries of the time in between would seem to be from the future, and their
      // age would never come.
      if (now < this.#lastTime) end = this.#epoch ?? '';
      this.#lastTime = now;
      this.#ahead = now - between;
    }
    // Nobody can see whether it is the same server. It may not be, so the epoch that we knew is over; a process that
    // comes second finds another epoch than it knew, and leaves that one alone.
    if (runs === hidden && again) end = this.#epoch ?? '';
    // The sentinels may come back to a master that has never been a replica: it is what it was, and missed what another
    // did in between. Only its number shows that.
    const said = choice ? `${runs} ${choice.epoch}` : runs;
    const epoch = await this.#compare(
      record,
      end,
      this.#epoch === undefined ? await this.#gather(node, said) : [node, said],
    );
    return { runs, epoch, until: mandate ? sent + life : Number.POSITIVE_INFINITY };
  }

  /**
   * What all nodes say of themselves, at the start. One by one, each would be new to a record that the first of them
   * has made, and each would begin an epoch of its own.
   */
  async #gather(node: string, runs: string): Promise<readonly string[]> {
    const { clock, timeout, masters } = this.#options;
    this.#known.set(node, runs);
    if (this.#known.size < masters())
      await new Promise<void>((resolve) => {
        const callOff = clock.after(timeout, resolve);
        this.#waiting.push(() => {
          callOff();
          resolve();
        });
      });
    else for (const resolve of this.#waiting.splice(0)) resolve();
    return [...this.#known].flat();
  }

  /** The largest maxStale that any process works with. */
  async reach(record: Link): Promise<number> {
    await this.#compare(record, '', []);
    return this.#reach;
  }

  async #compare(record: Link, end: string, node: readonly string[]): Promise<string> {
    const { keys, timeout, maxStale, strict, name, mandate } = this.#options;
    const wait = mandate?.wait ?? 0;
    const args = [wait > 0 ? '' : randomText(), end, maxStale, strict ? 1 : 0, ...node];
    const command = evaluate(verify, [keys.epoch], args);
    let [reply] = await record.send([command], timeout, true);
    const full = spelledOut(command, reply as Reply);
    if (full) [reply] = await record.send([full], timeout, true);
    if (reply instanceof Error)
      throw new StoreUnavailableError(`the epoch could not be read (${reply.message})`, { cause: reply });
    // Somebody else may have waited for longer, and begin it sooner.
    const soon = Math.min(wait, 500);
    if (reply === 0)
      throw new LaterError('it has just become the master, and another may still be trusted elsewhere', soon, 'ends');
    this.#isUnlike = reply === null;
    if (reply === null) throw new UnfitError(whyUnlike({ name, strict }));
    const [epoch, reach] = (reply as Reply[]).map(text) as [string, string];
    // A record that was lost has forgotten what others published; they publish again within a heartbeat.
    this.#reach = Math.max(Number(reach), epoch === this.#epoch ? 0 : this.#reach);
    if (epoch !== this.#epoch) {
      const before = this.#epoch;
      this.#epoch = epoch;
      this.#options.onEpoch(before);
    }
    return epoch;
  }
}

/** What a look found. */
export interface Look {
  /** Run id and replication id. */
  readonly runs: string;
  readonly epoch: string;
  /** How long that counts, on the cache's clock. */
  readonly until: number;
}

export interface TrustOptions {
  /** The cache's. */
  readonly name: string;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly timeout: number;
  readonly maxStale: number;
  readonly strict: boolean;
  readonly cluster: boolean;
  /** Behind Sentinel. */
  readonly mandate: Mandate | undefined;
  /** How many there are, as far as is known. */
  masters(): number;
  /** There is a new epoch; called before anybody can have read in it. */
  onEpoch(before: string | undefined): void;
}

/** What a server is called that does not say who it is. */
export const hidden = 'hidden';

/** Run id and replication id. @throws DemotedError */
export function identity(server: Reply | undefined, replication: Reply | undefined): string {
  const field = (from: Reply | undefined, name: string) =>
    new RegExp(`^${name}:(\\S+)`, 'm').exec(text(from) ?? '')?.[1];
  if (field(replication, 'role') === 'slave') throw new DemotedError('it is a replica');
  const ids = [field(server, 'run_id'), field(replication, 'master_replid')];
  if (ids.some((id) => id !== undefined)) return ids.join(' ');
  warnOnce(
    'redis:info',
    'Redis does not let unstale see INFO (run_id, master_replid), so a restart or a failover cannot be told from a lost connection. Each reconnection begins a new epoch, which empties the cache, and a restart from an older snapshot while no process is connected goes unnoticed. Allow `+info`.',
  );
  return hidden;
}

/**
 * A server that evicts keys without a TTL evicts fences. What it is set to may be changed while it runs, so this is
 * looked at with everything else.
 */
function refuseEviction(memory: Reply | undefined): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(text(memory) ?? '')?.[1];
  if (policy === undefined)
    throw new UnfitError(
      'it does not show its `maxmemory-policy`, and with `strict: true` that must be known, since some policies drop fences. Allow `+info`',
    );
  if (policy.startsWith('allkeys-'))
    throw new UnfitError(
      `its \`maxmemory-policy\` is ${policy}, which drops fences as well, so it cannot be used with \`strict: true\`. Set it to noeviction or one of volatile-*`,
    );
}

function milliseconds(time: Reply): number {
  if (!Array.isArray(time)) return Date.now();
  const [seconds, micros] = (time as Reply[]).map((part) => Number(text(part)));
  return (seconds as number) * 1000 + (micros as number) / 1000;
}

function text(reply: Reply | undefined): string | undefined {
  return Buffer.isBuffer(reply) ? reply.toString() : undefined;
}
