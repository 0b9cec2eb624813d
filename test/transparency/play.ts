import type { AdapterDriver } from '../../src/testing/adapter-contract.js';
import { forgetting, type Kind } from './control.js';
import { type Difference, play } from './program.js';
import { aStage, rules } from './stage.js';

export interface Outcome {
  programs: number;
  /** Questions, in transactions and outside. */
  reads: number;
  /** Those that were answered without a statement. */
  hits: number;
  /** Writes of programs, failed ones included. */
  writes: number;
  /** Statements that reached the database through the wrapped clients. */
  statements: number;
  ms: number;
  readonly differences: Difference[];
}

export interface Playing {
  readonly programs: number;
  readonly seed: number;
  /** A kind of tag that is never raised: then differences must be found. */
  readonly forget?: Kind;
  /** Stops at so many differences. @defaultValue 10 */
  readonly enough?: number;
  progress?(outcome: Outcome): void;
}

/** The rules under which it matters most that a kind of tag is raised. */
const telling: Record<Kind, number> = { table: 0, row: 1, rows: 1, tenant: 1, tenants: 1, ignored: 2 };

/** Programs for one pair of clients; the next ones get others, and other rules. */
const batch = 25;

/** Plays programs of the seeds from `seed` on. */
export async function playAll(driver: AdapterDriver, o: Playing): Promise<Outcome> {
  const started = performance.now();
  const outcome: Outcome = { programs: 0, reads: 0, hits: 0, writes: 0, statements: 0, ms: 0, differences: [] };
  const enough = o.enough ?? 10;
  for (let first = 0; first < o.programs && outcome.differences.length < enough; first += batch) {
    // By the seed, so that a single program is played as it was among others.
    const at = Math.floor((o.seed + first) / batch);
    const { forget } = o;
    const stage = await aStage(driver, {
      rules: rules[forget === undefined ? at % rules.length : telling[forget]] as (typeof rules)[number],
      shared: forget !== undefined || Math.floor(at / rules.length) % 2 === 1,
      ...(forget && { change: (store) => forgetting(store, forget) }),
    });
    try {
      for (let i = first; i < Math.min(first + batch, o.programs) && outcome.differences.length < enough; i++) {
        await stage.refill();
        const { differences, reads, hits, writes } = await play(stage, o.seed + i);
        outcome.programs += 1;
        outcome.reads += reads;
        outcome.hits += hits;
        outcome.writes += writes;
        outcome.differences.push(...differences);
      }
      for (const { client } of stage.actors) outcome.statements += client.sent().length;
    } finally {
      await stage.end();
    }
    outcome.ms = performance.now() - started;
    o.progress?.(outcome);
  }
  return outcome;
}

/** Share of all reads, those inside of transactions too, for which the database was not asked anything. */
export function hitRatio(o: Outcome): number {
  return o.hits / Math.max(1, o.reads);
}

export function summary(o: Outcome): string {
  return `${o.programs} programs, ${o.reads} reads, ${o.writes} writes, ${o.differences.length} differences, ${Math.round(
    hitRatio(o) * 100,
  )} % hits, ${Math.round(o.statements / (o.ms / 1000))} statements/s`;
}

export function described({ seed, step, read, got, twin, history }: Difference): string {
  return [
    `seed ${seed}, step ${step}: ${read}`,
    `  got  ${JSON.stringify(got)}`,
    `  twin ${JSON.stringify(twin)}`,
    ...history.slice(-60).map((line) => `    ${line}`),
  ].join('\n');
}
