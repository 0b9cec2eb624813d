import type { Clock } from '../../src/adapter/index.js';
import type { Value } from './client.js';
import { carryOut, type Errand, type Nodes } from './nodes.js';
import { create, evaluate } from './scripts.js';
import { freshVersion, randomText, tagTtl } from './versions.js';

/** A tag that has no version, by the keys of both. */
export interface Unseen {
  readonly tag: string;
  readonly owners: string;
}

export interface CreateOptions {
  readonly nodes: Nodes;
  readonly clock: Clock;
  /** Whether tags are fenced. */
  readonly strict: boolean;
}

/**
 * Gives versions to tags that have none, each by SET NX, so that only one of many readers gives it. Resolves with what
 * they have then, in order; an error is a value.
 *
 * A fenced tag has no TTL, so it is here only if somebody deleted it by hand. Where tags are fenced the few that are new
 * take a script that looks for owners first: Lua costs more, but this is one command instead of two.
 */
export async function createVersions(
  { nodes, clock, strict }: CreateOptions,
  tags: readonly Unseen[],
  timeout: number,
): Promise<Value[]> {
  if (strict) {
    const errands = tags.map(({ tag, owners }): Errand => {
      return { key: tag, command: evaluate(create, [tag, owners], [randomText(), tagTtl]) };
    });
    return (await carryOut(nodes, errands, timeout, clock)) as Value[];
  }
  const errands = tags.flatMap(({ tag }): Errand[] => [
    { key: tag, command: ['set', tag, freshVersion(), 'PX', tagTtl, 'NX'] },
    { key: tag, command: ['get', tag] },
  ]);
  const replies = await carryOut(nodes, errands, timeout, clock);
  return tags.map((_, n) => {
    // An error of the SET (out of memory, say) shows in the GET: there is still no version.
    const [set, got] = [replies[2 * n], replies[2 * n + 1]];
    // Evicted between the two: it has none, and gets one that nobody else will ever see.
    return (got ?? (set instanceof Error ? set : Buffer.from(freshVersion()))) as Value;
  });
}
