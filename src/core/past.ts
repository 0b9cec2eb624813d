import type { Ask } from './ask.js';
import { currentScope } from './context.js';
import { tagsOf, tagsOfWhat } from './dependency.js';
import type { Landing } from './flight.js';
import { knownTags } from './look.js';
import type { LoadContext } from './options.js';
import type { Parts } from './parts.js';

/**
 * A load that goes past the cache: nothing is served, nothing stored, nobody shares it. What it depends on belongs to
 * the load around it, if there is one: queries report there by themselves, and tags said by hand are learned there.
 */
export async function loadPast(parts: Parts, ask: Ask, reason: string): Promise<Landing> {
  const learn = (tags: readonly string[]) => {
    const scope = currentScope(parts);
    for (const tag of tags) scope?.learn(tag);
  };
  /** The same of tags that somebody wrote, be it none. */
  const declare = (tags: readonly string[]) => {
    const scope = currentScope(parts);
    if (scope !== undefined) scope.tracked = true;
    learn(tags);
  };
  // The key's own tag too, so that deleting it ends what was made of it; a call without a key has none.
  const tags = ask.identity.key === '' ? tagsOf(parts, ask.settings.tags ?? [], 'reads') : knownTags(parts, ask);
  (ask.settings.tags === undefined ? learn : declare)(tags);
  const abort = new AbortController();
  const context: LoadContext = {
    signal: abort.signal,
    tag: (...tags) => declare(tagsOfWhat(parts, tags, 'reads')),
    ttl: () => {},
    skip: () => {},
  };
  const raw = await ask.query.load(context);
  const refined = ask.query.refine?.(raw).tags;
  if (refined !== undefined) declare(refined);
  return {
    kept: undefined,
    raw,
    source: 'database',
    age: 0,
    stored: false,
    reason,
    pairs: new Map(),
    epoch: parts.session.epoch ?? '',
    ttl: Number.POSITIVE_INFINITY,
    stale: false,
    own: true,
    torn: undefined,
  };
}
