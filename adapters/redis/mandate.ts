import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '../../src/adapter/index.js';
import type { Address } from './client.js';
import type { Source } from './connection.js';
import { DemotedError, LaterError } from './errors.js';
import type { Link } from './link.js';
import { type Choice, Sentinels } from './sentinels.js';

/**
 * Trust for a limited time, behind Sentinel: that no two masters are ever trusted at once.
 *
 * A master that was replaced does not know it. It goes on to answer for seconds, and who is connected to it has nothing
 * that would tell him: he would read versions there that were replaced elsewhere, and acknowledge what elsewhere nobody
 * hears of. So what was found out about a server counts for {@link life} only, from when the sentinels were *asked*: a
 * lease (Gray and Cheriton 1989), given by a majority of them, though they know nothing of it.
 *
 * Say that at t a majority has named a new master to somebody. Whoever asks after t cannot find a majority for the old
 * one (`sentinels.ts`). Whoever asked before t trusts the old one until t + life at most. And nobody uses the new one
 * before an epoch has begun on it, which its first visitor does only {@link grace} after t. So whatever is acknowledged
 * by the new master comes after the last question to the old one was sent. What the old one still answers belongs to
 * reads that began before that. And what the old one has acknowledged was committed before the first load began whose
 * value is kept under the new epoch.
 *
 * While the number of the master is 0, its sentinels know of no other; the first start does not wait. Sentinels that were set
 * up anew while an older master goes on are not noticed by a process that starts then.
 *
 * The wait is counted by the monotonic clock and the lease by the clock of the cache, which also counts what a machine
 * has slept: either of them errs on the safe side when a wall clock is set.
 */
export class Mandate {
  readonly #sentinels: Sentinels;
  readonly #source: Source;
  #choice: Choice | undefined;
  /** When the first majority for it was complete, on the monotonic clock. */
  #since = Number.NEGATIVE_INFINITY;

  constructor(source: Source, clock: Clock) {
    this.#source = source;
    this.#sentinels = new Sentinels(source.sentinels as NonNullable<Source['sentinels']>, clock);
  }

  /** Asks the sentinels. Never rejects. */
  async ask(timeout: number): Promise<Choice | LaterError> {
    const choice = await this.#sentinels.choice(Math.max(patience, timeout));
    if (choice instanceof LaterError) return choice;
    // The number 0 after another one: its sentinels were set up anew, and who they meant before is not known. So they were
    // when another server has the same number.
    const { host, port, epoch } = this.#choice ?? {};
    if (epoch !== choice.epoch || host !== choice.host || port !== choice.port)
      this.#since = this.#choice === undefined && choice.epoch === 0 ? Number.NEGATIVE_INFINITY : performance.now();
    this.#choice = choice;
    return choice;
  }

  /** @throws DemotedError when the server at the end of `link` is not the one that is meant */
  async refuseOther(choice: Choice, link: Link, runId: string | undefined): Promise<void> {
    if (choice.runId !== '' && choice.runId === runId) return;
    const { generation } = link;
    const { remoteAddress: host, remotePort: port } = link.client.stream ?? {};
    const meant = this.#source.translate(choice);
    // By the time that a name was looked up, the connection may be another one.
    if (host && port === meant.port && (await isAt(meant, host)) && generation === link.generation) return;
    throw new DemotedError(`the sentinels mean ${meant.host}:${meant.port}`);
  }

  /** Milliseconds until an epoch may begin on the server that is meant. */
  get wait(): number {
    if (this.#choice === undefined) return grace;
    return Math.max(0, this.#since + grace - performance.now());
  }

  close(): void {
    this.#sentinels.close();
  }
}

/** Milliseconds that sentinels may take, at least: no call waits for them. */
const patience = 500;

/** Milliseconds that a look counts for: twice the time until the next. */
export const life = 2000;

/** The same on a clock that runs faster than that of others, by a tenth. */
const grace = 1.1 * life;

/** Whether `remote`, an IP address, is the host of an address, which may be a name. */
export async function isAt({ host }: Pick<Address, 'host'>, remote: string): Promise<boolean> {
  const ip = plain(remote);
  if (isIP(host) !== 0) return plain(host) === ip;
  // Sentinels may announce names.
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.some(({ address }) => plain(address) === ip);
}

/** One address of IPv4 has two spellings on a socket of IPv6. */
function plain(ip: string): string {
  return ip
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, '')
    .replace(/%.*$/, '');
}
