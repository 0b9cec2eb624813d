import { isDeepStrictEqual } from 'node:util';
import { handOut } from '../values/index.js';
import { Ask } from './ask.js';
import { stillHolds, takeOff } from './fill.js';
import { type Landing, valueOf } from './flight.js';
import { load } from './load.js';
import { look } from './look.js';
import type { Parts } from './parts.js';

/**
 * `mode: 'shadow'`: every read loads, nothing is served, and what is stored is compared with what was loaded. A
 * difference counts only if no dependency changed while the load ran: then a tag is missing, or the key says too little.
 */
export async function shadow(parts: Parts, ask: Ask): Promise<Landing> {
  const begun = parts.begin();
  // A look that a load begins from, whatever it finds.
  const sight = await look(parts, new Ask(ask.identity, ask.counter, { ...ask.query, fresh: true }));
  const { entry, tolerated } = sight;
  const stored = entry && handOut(entry.kept);
  const landing = await takeOff(parts, ask, begun, load(parts, ask, sight, undefined));
  const comparable = entry !== undefined && !tolerated && parts.clock.now() < entry.freshUntil;
  if (comparable && !isDeepStrictEqual(stored, valueOf(landing)) && (await stillHolds(parts, ask, landing)))
    parts.events.emit('mismatch', { key: ask.identity.key, name: ask.counter.name, tags: entry.tags });
  return landing;
}
