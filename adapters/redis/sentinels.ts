import { type Clock, warnOnce } from '../../src/adapter/index.js';
import type { Address, Command, Reply } from './client.js';
import type { SentinelSource } from './connection.js';
import { LaterError } from './errors.js';
import { Link } from './link.js';

/**
 * Which server the master is, by majority of the sentinels that the target lists.
 *
 * A single sentinel is no witness: it may not have heard of a failover, and for as long it names the old master. What one
 * can build on is this. A sentinel numbers its masters (`config-epoch`); it never goes back to a lower number, and under
 * one number it names one server. So once a majority has named a server under a number, every majority that is asked
 * later has a member that knows this number, and cannot agree on a lower one. That needs no sentinel to be quick, and no
 * more of Sentinel's own agreement than that; `mandate.ts` makes it a bound in time.
 *
 * One connection for each sentinel, which reconnects for ever.
 */
export class Sentinels {
  readonly #source: SentinelSource;
  readonly #members: readonly Member[];

  constructor(source: SentinelSource, clock: Clock) {
    this.#source = source;
    this.#members = source.all.map((at) => new Member(source, at, clock));
  }

  /** Asks all of them at once. Never rejects: that a majority does not agree within `timeout` ms is an answer, too. */
  choice(timeout: number): Promise<Choice | LaterError> {
    const majority = Math.floor(this.#members.length / 2) + 1;
    const votes = new Map<string, number>();
    let open = this.#members.length;
    let answered = 0;
    let silent: unknown;
    return new Promise((resolve) => {
      const count = (vote: Vote) => {
        answered++;
        this.#warnOfOthers(vote);
        const { host, port, epoch } = vote;
        const name = `${epoch} ${host}:${port}`;
        const same = (votes.get(name) ?? 0) + 1;
        votes.set(name, same);
        if (same === majority) resolve(vote);
      };
      const end = () => {
        if (--open > 0) return;
        const few = `${answered} of ${this.#members.length} sentinels answered (${String((silent as Error)?.message)})`;
        resolve(new LaterError(answered < majority ? few : 'the sentinels do not agree on a master', again, 'lapses'));
      };
      for (const member of this.#members)
        member
          .vote(timeout)
          .then(count, (error: unknown) => {
            silent = error;
          })
          .then(end);
    });
  }

  close(): void {
    for (const member of this.#members) member.close();
  }

  /** Processes that list different ones count different majorities. */
  #warnOfOthers({ others }: Vote): void {
    const { all, name } = this.#source;
    if (others < all.length) return;
    warnOnce(
      `redis:sentinels:${name}`,
      `${all.length} of ${others + 1} sentinels of ${name} are listed in \`sentinels\`. Which master counts is decided by a majority of those that are listed, so list all of them, and the same in every process.`,
    );
  }
}

/** What a majority agrees on. */
export interface Choice extends Address {
  /** Counts the masters. */
  readonly epoch: number;
  /** The run id of this server; empty while the sentinel that was heard has not seen it. */
  readonly runId: string;
}

interface Vote extends Choice {
  /** How many sentinels this one knows. */
  readonly others: number;
}

/** One sentinel. */
class Member {
  readonly #name: string;
  readonly #at: Address;
  readonly #clock: Clock;
  readonly #link: Link;
  readonly #waiting = new Set<() => void>();
  /** Questions in a row that were not answered on this connection. */
  #silent = 0;

  constructor(source: SentinelSource, at: Address, clock: Clock) {
    this.#name = source.name;
    this.#at = at;
    this.#clock = clock;
    this.#link = new Link((attempts) => source.connect(attempts, at), {
      clock,
      maxInFlight: 4,
      onReady: () => {
        this.#silent = 0;
        for (const go of this.#waiting) go();
      },
      onLost() {},
      // A wire that was cut without a word looks like a sentinel that hangs.
      onTimeout: () => {
        if (++this.#silent >= 2) this.#link.reconnect('no answer');
      },
    });
  }

  /** @throws Error when there is no answer that can be read within `timeout` ms */
  async vote(timeout: number): Promise<Vote> {
    const end = this.#clock.now() + timeout;
    try {
      if (!this.#link.ready) await this.#opened(timeout);
      // During a failover the one who leads it has the new number already and shows the old server's address, so the
      // address is asked for by itself. While the number is the same on both sides, it belongs to it.
      const master: Command = ['sentinel', 'master', this.#name];
      const address: Command = ['sentinel', 'get-master-addr-by-name', this.#name];
      const replies = await this.#link.send([master, address, master], Math.max(1, end - this.#clock.now()));
      this.#silent = 0;
      this.#link.settle();
      return readVote(replies);
    } catch (error) {
      throw new Error(`${this.#at.host}:${this.#at.port}: ${(error as Error).message.replace(/\.$/, '')}`);
    }
  }

  close(): void {
    this.#link.close();
  }

  /** Resolves when it is connected, or when the time is over. */
  async #opened(timeout: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const go = () => {
        callOff();
        this.#waiting.delete(go);
        resolve();
      };
      const callOff = this.#clock.after(timeout, go);
      this.#waiting.add(go);
    });
  }
}

/** @throws Error when it is not what a sentinel answers */
export function readVote([before, address, after]: readonly Reply[]): Vote {
  const first = fields(before);
  const last = fields(after);
  const epoch = whole(last, 'config-epoch');
  if (whole(first, 'config-epoch') !== epoch) throw new Error('it is just changing over');
  if (address instanceof Error) throw address;
  if (!Array.isArray(address) || address.length !== 2) throw new Error('its answer cannot be read');
  const [host, port] = address.map(String) as [string, string];
  if (host === '' || !/^\d{1,5}$/.test(port)) throw new Error('its answer cannot be read');
  const shown = last.get('ip') === host && last.get('port') === port;
  return {
    host,
    port: Number(port),
    epoch,
    runId: shown ? (last.get('runid') ?? '') : '',
    others: whole(last, 'num-other-sentinels'),
  };
}

function fields(reply: Reply | undefined): ReadonlyMap<string, string> {
  if (reply instanceof Error) throw reply;
  if (!Array.isArray(reply) || reply.length % 2 !== 0) throw new Error('its answer cannot be read');
  const texts = reply.map(String);
  return new Map(texts.flatMap((text, i) => (i % 2 === 0 ? [[text, texts[i + 1] as string] as const] : [])));
}

function whole(from: ReadonlyMap<string, string>, name: string): number {
  const text = from.get(name);
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  throw new Error(`its answer has no ${name}`);
}

/** Milliseconds until the next question, when a majority did not agree. */
const again = 100;
