import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  AdapterClient,
  AdapterDatabase,
  AdapterDriver,
  AdapterTransaction,
} from '../../src/testing/adapter-contract.js';
import { OpenTransaction } from './open-transaction.js';
import { type Actor, answer, aQuestion, ask, canonical, nameOf, tell, text } from './questions.js';
import { Random } from './random.js';
import { aWrite } from './statements.js';
import type { Lane, Said } from './values.js';

/**
 * A random program against a wrapped client, one step at a time: whatever is read, at whatever moment and in whatever
 * way, equals what a client without a cache reads at that moment. Two clients work on the same rows; a transaction of
 * each may be open at the same time, and stay open over steps of the other.
 */
export interface Stage {
  readonly driver: AdapterDriver;
  readonly database: AdapterDatabase;
  readonly actors: readonly [Actor, Actor];
}

export interface Difference {
  readonly seed: number;
  readonly step: number;
  readonly read: string;
  readonly got: unknown;
  readonly twin: unknown;
  /** What happened before, the latest last. */
  readonly history: readonly string[];
}

export interface Played {
  readonly differences: readonly Difference[];
  readonly reads: number;
  /** Reads that sent no statement. */
  readonly hits: number;
  /** Failed ones included. */
  readonly writes: number;
}

const steps = 40;

/** Plays the program of `seed` on tables that have been filled anew. */
export async function play(stage: Stage, seed: number): Promise<Played> {
  const { driver, database, actors } = stage;
  const random = new Random(seed);
  const outside = AsyncLocalStorage.snapshot();
  const questions = Array.from({ length: 10 }, () => aQuestion(random, driver));
  const open: [OpenTransaction | undefined, OpenTransaction | undefined] = [undefined, undefined];
  const history: string[] = [];
  const differences: Difference[] = [];
  let reads = 0;
  let hits = 0;
  let writes = 0;
  let step = 0;

  const compare = async (name: string, read: () => Promise<unknown>, twin: () => Promise<unknown>) => {
    reads += 1;
    const sent = () => actors.reduce((sum, { client }) => sum + client.sent().length, 0);
    const before = sent();
    const got = canonical(await read());
    if (sent() === before) hits += 1;
    const right = canonical(await twin());
    history.push(`reads ${name}`);
    try {
      assert.deepEqual(got, right);
    } catch {
      differences.push({ seed, step, read: name, got, twin: right, history: history.slice() });
    }
  };
  const other = (who: number) => open[1 - who];
  /** Where this one may write now without waiting for the other. */
  const laneOf = (who: number): Lane | undefined => {
    const they = other(who);
    if (!they?.wrote) return 'any';
    // InnoDB locks more than the rows that are named, and who waits there waits for a second at least.
    if (driver.dialect === 'mysql' && random.chance(0.9)) return undefined;
    return driver.pool && they.lane !== 'any' ? (who as Lane) : undefined;
  };
  const write = async (who: number, run: (said: Said) => Promise<unknown>, narrow: boolean) => {
    const lane = laneOf(who);
    if (lane === undefined) return;
    const said = aWrite(random, driver.dialect, lane === 'any' && narrow ? (who as Lane) : lane);
    writes += 1;
    history.push(`${who} writes ${text(said)}`);
    await run(said).catch((error: Error) => {
      history.push(`  which failed: ${error.message.split(' - ').at(-1)}`);
      throw error;
    });
  };

  try {
    for (step = 0; step < steps; step++) {
      const who = random.below(2);
      const actor = actors[who] as Actor;
      const tx = open[who];
      // A client with one connection has none left while its transaction is open.
      const free = tx === undefined || driver.pool;
      const does = random.pick({
        read: free ? 75 : 0,
        write: free && !tx ? 14 : 0,
        byHand: free && !tx && !other(who)?.wrote ? 3 : 0,
        begin: tx ? 0 : 7,
        'read inside': tx ? 12 : 0,
        'write inside': tx ? 14 : 0,
        savepoint: tx ? 4 : 0,
        release: tx && tx.depth > 0 ? 4 : 0,
        'roll back to': tx && tx.depth > 0 ? 4 : 0,
        commit: tx ? 6 : 0,
        'roll back': tx ? 3 : 0,
      });
      if (does === 'read') {
        const question = random.one(questions);
        const name = nameOf(question);
        await outside(() =>
          compare(
            `${who}: ${name}`,
            () => ask(actor, question),
            () => answer(question, (said) => database.bare(said.sql, said.params)),
          ),
        );
      } else if (does === 'write') {
        await outside(() => write(who, (said) => tell(actor.client, said), false)).catch(() => {});
      } else if (does === 'byHand') {
        await outside(() => byHand(actor, random, driver, history)).catch(() => {});
      } else if (does === 'begin') {
        history.push(`${who} begins`);
        open[who] = await outside(() => OpenTransaction.begin(actor.client));
      } else if (tx !== undefined) {
        const alive = await inside(tx, does);
        if (!alive) open[who] = undefined;
      }
    }
  } finally {
    for (const tx of open) await tx?.end(true);
  }
  return { differences, reads, hits, writes };

  /** A step of an open transaction; whether it is open still. */
  async function inside(tx: OpenTransaction, does: string): Promise<boolean> {
    const who = open.indexOf(tx);
    const { cache } = actors[who] as Actor;
    const client = (at: AdapterTransaction): Actor => ({ client: at as unknown as AdapterClient, cache });
    try {
      if (does === 'read inside') {
        const question = random.one(questions);
        await tx.run((at) =>
          compare(
            `${who} inside: ${nameOf(question)}`,
            () => ask(client(at), question),
            () => answer(question, (said) => at.read(said.sql, said.params, false)),
          ),
        );
      } else if (does === 'write inside') {
        // Who writes anywhere keeps the other one from writing until the end.
        const narrow = driver.pool && (tx.wrote ? tx.lane !== 'any' : random.chance(0.7));
        await write(
          who,
          (said) => {
            tx.wrote = true;
            if (!narrow && laneOf(who) === 'any') tx.lane = 'any';
            else if (tx.lane === undefined) tx.lane = who as Lane;
            return tx.run((at) => tell(at, said));
          },
          narrow,
        );
      } else if (does === 'savepoint' || does === 'release' || does === 'roll back to') {
        history.push(`${who} ${does}`);
        if (does === 'savepoint') await tx.nest();
        else await tx.unnest(does === 'roll back to');
      } else {
        history.push(`${who} ${does}s`);
        await tx.end(does === 'roll back');
        return false;
      }
      return true;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      // PostgreSQL takes nothing more from a transaction after an error.
      history.push(`${who} rolls back`);
      await tx.end(true);
      return false;
    }
  }
}

/** A transaction sent as text over one connection, with a savepoint. */
async function byHand({ client }: Actor, random: Random, driver: AdapterDriver, history: string[]): Promise<void> {
  await client.connection?.(async (run) => {
    const send = async (sql: string, params?: readonly unknown[]) => {
      history.push(`by hand ${sql} ${params ? JSON.stringify(params) : ''}`);
      await run(sql, params);
    };
    try {
      await send('BEGIN');
      for (let i = 0; i < 1 + random.below(4); i++) {
        const sql = random.one(['SAVEPOINT one', 'ROLLBACK TO SAVEPOINT one', 'write', 'write', 'write']);
        const said = sql === 'write' ? aWrite(random, driver.dialect, 'any') : { sql, params: [] };
        await send(said.sql, said.params);
      }
      await send(random.chance(0.7) ? 'COMMIT' : 'ROLLBACK');
    } catch (error) {
      await send('ROLLBACK');
      throw error;
    }
  });
}
