import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { auditWatched, forgetWatched } from '../support/audit.js';
import { turn } from '../support/database.js';
import { effort } from '../support/effort.js';
import type { Flaw } from '../support/naive.js';
import { type Actor, aNaiveStage, aStage, programs, run, type Stage } from '../support/programs.js';

// Thousands of random programs, each in a random order. Another seed each time; the report of a failure names it, and
// UNSTALE_SEED runs it again.

const seed = Number(process.env.UNSTALE_SEED ?? Date.now() % 2 ** 31);
const runs = (count: number) => Number(process.env.UNSTALE_RUNS ?? effort(count));

type Step = (label: string) => Promise<unknown>;

function property(program: fc.Arbitrary<readonly Actor[]>, stageOf: (step: Step) => Stage, audited = false) {
  return fc.asyncProperty(fc.scheduler(), program, async (scheduler, actors) => {
    const step: Step = (label) => scheduler.schedule(Promise.resolve(), label);
    await scheduler.waitFor(run(actors, stageOf(step), step)).catch((error) => {
      forgetWatched();
      throw error;
    });
    // What nobody waits for arrives too: writes into the store, refreshes.
    for (await turn(); scheduler.count() > 0; await turn()) await scheduler.waitIdle();
    if (audited) await auditWatched((closing) => scheduler.waitFor(closing));
  });
}

afterEach(forgetWatched);

describe(`in any order of all that can be reordered, a read contains every write acknowledged before it (seed ${seed})`, () => {
  test.each([
    ['one process, in memory', 1, 'memory', [], 400],
    ['two processes on a store that reports changes', 2, 'watched', [], 400],
    ['three processes on a store that reports nothing', 3, 'unwatched', [], 500],
    ['two processes on a store that is lost and goes back', 2, 'unwatched', ['remember', 'go back', 'lose'], 300],
    [
      'two processes on a store that reports changes, is lost and goes back',
      2,
      'watched',
      ['remember', 'go back', 'lose'],
      200,
    ],
    ['two processes whose connections are cut', 2, 'unwatched', ['down', 'up', 'up'], 250],
  ] as const)('%s', { timeout: 120_000 }, async (_, processes, how, accidents, count) => {
    await fc.assert(
      property(
        programs(processes, accidents),
        (step) => aStage(processes, how, step, (accidents as readonly string[]).includes('down')),
        true,
      ),
      { numRuns: runs(count), seed },
    );
  });
});

describe('the same property finds what is wrong with a cache that', { timeout: 60_000 }, () => {
  const flaws: readonly Flaw[] = [
    'deletes entries instead of raising versions',
    'takes versions after the load',
    'lets joiners have whatever lands',
    'deletes an entry and raises nothing for its key',
    'clears entries and raises nothing',
    'sets without ending what is being loaded',
    'takes versions when a value is set',
    'asks for the version of a learned tag after the load',
    'lets the last version of a tag win',
    'lets the dependencies of inner loads stay inside',
    'invalidates before a transaction has ended',
  ];
  test.each(flaws)('%s', async (flaw) => {
    const outcome = await fc.check(
      property(programs(2), (step) => aNaiveStage(2, [flaw], step)),
      {
        numRuns: 600,
        seed: 1,
        endOnFailure: true,
      },
    );
    expect(outcome.failed, `within ${outcome.numRuns} runs`).toBe(true);
    expect(String(outcome.errorInstance)).toContain('StaleRead');
  });

  test('clears a namespace by its entries', async () => {
    const program = programs(2, [], ['view']);
    const outcome = await fc.check(
      property(program, (step) => aNaiveStage(2, ['clears a namespace by its entries'], step)),
      { numRuns: 600, seed: 1, endOnFailure: true },
    );
    expect(outcome.failed).toBe(true);
  });

  test('has no epoch', async () => {
    const outcome = await fc.check(
      property(programs(2, ['remember', 'go back', 'lose']), (step) => aNaiveStage(2, ['has no epoch'], step)),
      { numRuns: 600, seed: 1, endOnFailure: true },
    );
    expect(outcome.failed).toBe(true);
  });

  test('has none of that: nothing', async () => {
    await fc.assert(
      property(programs(2, ['remember', 'go back', 'lose']), (step) => aNaiveStage(2, [], step)),
      {
        numRuns: 300,
        seed,
      },
    );
  });
});
