import type { Ask } from './ask.js';
import { runApart } from './context.js';
import type { Landing } from './flight.js';
import { runLoad } from './load.js';
import type { Parts } from './parts.js';
import { Scope } from './scope.js';
import { asItIs, judge, type Loaded, type Stored } from './verdict.js';

/**
 * The option `audit`: of a share of all hits the load runs after all, and what it gives is compared with what was served.
 *
 * The reader has his answer meanwhile. The load runs as it would for him: with his arguments, begun before he can change
 * them, and in his async context; but in no load, transaction or trace of his. What is cached and it reads, it reads past
 * the cache, so what is compared with is the database. Nothing of it is stored, and none of its reads is counted.
 */
export function audit(parts: Parts, ask: Ask, { kept, source, stale, pairs, epoch }: Landing): void {
  const { audits } = parts;
  // What is served although it is known to be old is no claim about the database.
  if (kept === undefined || stale || (source !== 'near' && source !== 'store') || !audits.take()) return;
  // No data, and not for the database to say.
  if (ask.query.resident !== undefined || parts.closed) return;
  if (ask.query.again === false || audits.running >= most) return void audits.counts.skipped++;
  audits.running++;
  void compareWithLoad(parts, ask, asItIs(parts, { kept, pairs, epoch })).finally(() => audits.running--);
}

/** What it does before it waits, the load's beginning included, is done before the reader goes on. */
async function compareWithLoad(parts: Parts, ask: Ask, stored: Stored): Promise<void> {
  let loaded: Loaded;
  try {
    loaded = await loadApart(parts, ask, stored);
  } catch {
    parts.audits.counts.failed++;
    return;
  }
  void judge(parts, ask, 'audit', stored, loaded);
}

async function loadApart(parts: Parts, ask: Ask, { pairs, epoch }: Stored): Promise<Loaded> {
  const { identity, settings, counter, query } = ask;
  const again = query.again || query.load;
  // It is for several, since a tag that only this load has, such as another tenant's, is no reason to doubt its value.
  const scope = new Scope(parts.tags, { key: '', name: counter.name }, new Map(pairs), epoch, true);
  const asked = { identity, settings, counter, query: { ...query, load: again } };
  try {
    const value = await runApart({ owner: parts, audit: parts.audits }, () =>
      runLoad(parts, asked, scope, { ttl: undefined }),
    );
    const isTagged = settings.tags !== undefined || query.refine?.(value).tags !== undefined || scope.tracked;
    return { value, pairs: scope.pairs, isUnsure: scope.unstorable !== undefined, isTagged };
  } finally {
    scope.close();
  }
}

/** Audited loads at once: the database is there for readers first. */
const most = 4;
