import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Begins with what takes longest, so that no file is left to run alone at the end. vitest knows that of files that have
 * run here before, and a fresh clone has none.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

const longest = [
  'test/faults/history.test.ts',
  'test/contract/adapters/typeorm.test.ts',
  'test/contract/adapters/drizzle.test.ts',
  'test/contract/adapters/knex.test.ts',
  'test/contract/',
  'test/integration/nestjs/',
  'test/faults/',
  'test/integration/neighbours/',
  'test/integration/migrating.test.ts',
  'test/integration/examples.test.ts',
  'test/guarantees/',
  'test/integration/',
];

function rank({ moduleId, project }: TestSpecification): number {
  // Together, because a worker that they share ends when another project comes in between.
  if (project.name === 'unit') return longest.length + 1;
  const at = longest.findIndex((part) => moduleId.includes(`/${part}`));
  return at === -1 ? longest.length : at;
}
