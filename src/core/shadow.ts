import { Ask } from './ask.js';
import { takeOff } from './fill.js';
import { type Landing, valueOf } from './flight.js';
import { load } from './load.js';
import { look } from './look.js';
import type { Parts } from './parts.js';
import { asItIs, judge } from './verdict.js';

/**
 * `mode: 'shadow'`: every read loads, nothing is served, and what is stored is compared with what was loaded, in the
 * background and by the rules of `verdict.ts`.
 */
export async function shadow(parts: Parts, ask: Ask): Promise<Landing> {
  const begun = parts.begin();
  // A look that a load begins from, whatever it finds.
  const sight = await look(parts, new Ask(ask.identity, ask.counter, { ...ask.query, fresh: true }));
  const { entry, tolerated } = sight;
  const compared = tolerated ? undefined : entry;
  const stored = compared && asItIs(parts, { kept: compared.kept, pairs: compared, epoch: compared.epoch });
  const landing = await takeOff(parts, ask, begun, load(parts, ask, sight, undefined));
  if (compared && stored && parts.clock.now() < compared.freshUntil) {
    const { pairs, stored: isStored } = landing;
    const isTagged = ask.settings.tags !== undefined;
    void judge(parts, ask, 'shadow', stored, { value: valueOf(landing), pairs, isUnsure: !isStored, isTagged });
  }
  return landing;
}
