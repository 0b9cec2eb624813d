import type { Key } from '../values/index.js';
import { currentUnit } from './context.js';
import { marksOf } from './events.js';
import { type Landing, landingOf, protectedAs } from './flight.js';
import { look } from './look.js';
import { report } from './report.js';
import type { View } from './view.js';

/** `get` and `has`: what is stored and may be served, without loading. A value that is aged counts as none. */
export async function find(view: View, key: Key): Promise<Landing | undefined> {
  view.refuseWhenClosed('get');
  const { parts } = view;
  const ask = view.askFor(key);
  if (view.mode() !== 'on' || currentUnit(parts) !== undefined) return undefined;
  const { entry, tolerated, source } = await look(parts, ask);
  if (entry === undefined || tolerated || parts.clock.now() >= entry.freshUntil) {
    const { key, tenant } = ask.identity;
    const { events, stats } = parts;
    stats.tally(ask.counter, tenant, []).miss();
    events.emit('miss', { key, name: ask.counter.name, reason: 'nothing stored', ...marksOf(stats, tenant, []) });
    return undefined;
  }
  const landing = landingOf(entry, source, parts.clock.coarse(), false, undefined);
  report(parts, ask, landing);
  return protectedAs(landing, ask.settings.copy, parts.types);
}
