import { InvalidationPendingError } from '../../core/errors.js';
import { notConnected } from '../../core/not-connected.js';
import type { Port } from '../../core/port.js';
import { collapse } from '../collapse.js';
import type { Driver } from '../driver.js';
import type { Ask } from '../types.js';
import { most, type Sent, type Statements, sentIn } from './statements.js';

type Borrow = NonNullable<Driver<unknown>['borrow']>;

/**
 * What empties the outbox that one client writes to, beside its writes: it never makes one wait.
 *
 * Rows of this process go as soon as their invalidation is acknowledged, many in one statement. Whatever stays longer
 * than half of the interval is somebody's who could not do that: he has died, or does not reach the store. It is looked
 * for twice in an interval, invalidated once more, and removed when that is confirmed, and not before: at least once.
 * So it takes an interval at most, and nobody needs to know who has died.
 */
export class Relay {
  readonly #port: Port;
  readonly #interval: number;
  readonly #failed: (error: unknown) => void;
  /** Its client, while that is used. */
  #lender: Lender | undefined;
  /** Rows whose invalidation was acknowledged. */
  readonly #over = new Set<string>();
  #pause: number;
  #stop: (() => void) | undefined;
  #stays: (() => void) | undefined;
  #ticks = 0;
  /** A look that is under way. */
  #working: Promise<void> | undefined;
  #said: string | undefined;

  constructor(port: Port, interval: number, failed: (error: unknown) => void) {
    this.#port = port;
    this.#interval = interval;
    this.#failed = failed;
    this.#pause = interval / 4;
  }

  /** From now on it may use the connections of its client. @returns ends it, with a promise if that takes a while */
  join(borrow: Borrow, says: () => Statements): () => Promise<void> | undefined {
    const lender = { borrow, says };
    this.#lender = lender;
    this.#stays ??= this.#port.atClose(async () => this.#leave(lender));
    if (this.#stop === undefined) this.#wait();
    return () => (this.#lender === lender ? this.#leave(lender) : undefined);
  }

  /** The invalidation of a row is acknowledged. */
  done(id: string): void {
    // Those that are left out somebody takes for a dead man's, which costs a load.
    if (this.#over.size < maxOver) this.#over.add(id);
  }

  /** What is acknowledged is nobody's business any more. */
  #leave({ borrow, says }: Lender): Promise<void> | undefined {
    this.#lender = undefined;
    this.#stop?.();
    this.#stays?.();
    this.#stop = undefined;
    this.#stays = undefined;
    if (this.#working === undefined && this.#over.size === 0) return undefined;
    return (async () => {
      await this.#working;
      if (this.#over.size > 0) await borrow((ask) => this.#clear(ask, says())).catch(() => {});
    })();
  }

  #wait(): void {
    const stop = this.#port.after(this.#pause, () => {
      const working = this.#tick().finally(() => {
        if (this.#working === working) this.#working = undefined;
        // Who has left and joined again meanwhile waits already.
        if (this.#stop === stop) this.#wait();
      });
      this.#working = working;
    });
    this.#stop = stop;
  }

  async #tick(): Promise<void> {
    const lender = this.#lender;
    if (lender === undefined) return;
    const looks = this.#pause > this.#interval / 4 || ++this.#ticks % 2 === 0;
    if (!looks && this.#over.size === 0) return;
    try {
      await this.#work(lender, looks);
      this.#pause = this.#interval / 4;
      this.#said = undefined;
    } catch (error) {
      if (error === notConnected) return;
      this.#pause = Math.min(2 * this.#pause, 8 * this.#interval);
      this.#tell(error);
    }
  }

  async #work({ borrow, says }: Lender, looks: boolean): Promise<void> {
    const age = this.#interval / 2;
    const isAny = await borrow(async (ask) => {
      const statements = says();
      await this.#clear(ask, statements);
      return looks && (await ask(statements.anyOlder(age))).length > 0;
    });
    const take = says().begin.length > 0 ? takeInTransaction : takeBeside;
    while (isAny && this.#lender !== undefined) {
      const taken = await take(borrow, says(), age, (sent) => this.#raise(sent));
      if (taken < most) return;
    }
  }

  async #clear(ask: Ask, { remove }: Statements): Promise<void> {
    while (this.#over.size > 0) {
      const ids = [...this.#over].slice(0, most);
      await ask(remove(ids));
      for (const id of ids) this.#over.delete(id);
    }
  }

  /** @throws InvalidationPendingError */
  async #raise(sent: readonly Sent[]): Promise<void> {
    const outcome = await this.#port.acknowledge(collapse([...new Set(sent.flatMap(({ tags }) => tags))]), undefined);
    if (outcome instanceof Error) throw outcome;
  }

  /** Once for each cause; that an invalidation is pending was told already. */
  #tell(error: unknown): void {
    const cause = String(error);
    if (cause !== this.#said && !(error instanceof InvalidationPendingError)) this.#failed(error);
    this.#said = cause;
  }
}

/** A client that lends its connections, and what is to be said on them. */
interface Lender {
  readonly borrow: Borrow;
  says(): Statements;
}

const maxOver = 10_000;

/** Whoever else looks meanwhile leaves these rows alone, and finds them again if this one dies. */
function takeInTransaction(
  borrow: Borrow,
  { begin, take, remove }: Statements,
  age: number,
  raise: (sent: readonly Sent[]) => Promise<void>,
): Promise<number> {
  return borrow(async (ask) => {
    try {
      for (const sql of begin) await ask(sql);
      const sent = sentIn(await ask(take(age)));
      if (sent.length > 0) {
        await raise(sent);
        await ask(remove(sent.map(({ id }) => id)));
      }
      await ask('commit');
      return sent.length;
    } catch (error) {
      await ask('rollback').catch(() => {});
      throw error;
    }
  });
}

/** SQLite has one writer at a time, and none must wait for a store; that two raise the same does no harm. */
async function takeBeside(
  borrow: Borrow,
  { take, remove }: Statements,
  age: number,
  raise: (sent: readonly Sent[]) => Promise<void>,
): Promise<number> {
  const sent = sentIn(await borrow((ask) => ask(take(age))));
  if (sent.length === 0) return 0;
  await raise(sent);
  await borrow((ask) => ask(remove(sent.map(({ id }) => id))));
  return sent.length;
}
