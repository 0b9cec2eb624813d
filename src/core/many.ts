import { encodeKey, type Key } from '../values/index.js';
import { orAged } from './aged.js';
import { answers } from './answers.js';
import type { Ask } from './ask.js';
import { audit } from './audit.js';
import { orTorn } from './context.js';
import { checkTags } from './dependency.js';
import { expected } from './errors.js';
import type { ReadMany } from './face.js';
import { fill, serve, takeOff } from './fill.js';
import { protectedAs, valueOf } from './flight.js';
import { type Absent, absentOne, type LoadMany, loadTogether } from './load-together.js';
import { look, type Sight } from './look.js';
import type { LoadContext } from './options.js';
import { loadPast } from './past.js';
import { cachedFrom, report } from './report.js';
import { resolveReadOptions, withTags } from './resolve.js';
import { nameOf } from './stats.js';
import type { View } from './view.js';

/**
 * Many reads as one: every key is looked up in the same tick, hence in one trip, and those that are missing share one
 * load. Each stays an entry of its own, with its own tags, beside whatever the common load depends on; and each is a
 * flight that others can join. A key that somebody else is loading is waited for rather than loaded again.
 */
export async function fillMany<In, T>(view: View, read: ReadMany<In, T, string>): Promise<T[]> {
  const { inputs, key, tags, load, fresh: asked = false, ...options } = read;
  if (!Array.isArray(inputs)) throw expected('inputs', 'a list', inputs);
  if (typeof key !== 'function') throw expected('key', 'a function from an input to its key', key);
  if (typeof load !== 'function') throw expected('load', 'a function', load);
  const { parts } = view;
  const base = resolveReadOptions(options, parts.settings.read);
  const { version } = parts.settings;
  const fresh = asked || view.mode() === 'shadow';
  const keys = inputs.map((input) => key(input));
  const texts: string[] = [];
  for (const own of keys) {
    try {
      texts.push(encodeKey(own, parts.types));
    } catch (error) {
      return loadUnkeyable(view, read, error, nameOf(own));
    }
  }

  const items = new Map<string, Item<In>>();
  const order = inputs.map((input, i) => {
    const own = keys[i] as Key;
    const full = view.keyOf(texts[i] as string);
    const known = items.get(full);
    if (known !== undefined) return known;
    const settings = tags === undefined ? base : withTags(base, checkTags(tags(input)));
    const single = async (context: LoadContext) => [...answers([input], await load([input], context))][0]?.[1];
    const item: Item<In> = {
      input,
      ask: view.ask(full, { name: nameOf(own), settings, version, fresh, load: single }),
      answer: () => undefined,
    };
    items.set(full, item);
    return item;
  });

  const missing = [...items.values()].filter((item) => {
    const entry = fresh || options.copy !== undefined ? undefined : view.hit(item.ask.identity.key, base);
    if (entry !== undefined) item.answer = () => cachedFrom(parts, entry).value;
    return entry === undefined;
  });
  const past = missing.length > 0 ? view.whyPast() : undefined;
  if (past !== undefined) await loadAllPast(view, missing, load as LoadMany<In>, past);
  else await orTorn(view.parts, fillAll(view, missing, load as LoadMany<In>));
  return order.map((item) => item.answer() as T);
}

/** One input, and what came of it. */
interface Item<In> {
  readonly input: In;
  readonly ask: Ask;
  /** Asked for each place in the list: copies are private, also those of a duplicate. */
  answer: () => unknown;
}

async function fillAll<In>(view: View, items: readonly Item<In>[], load: LoadMany<In>): Promise<void> {
  const { parts } = view;
  const begun = parts.begin();
  const sights = await Promise.all(items.map(({ ask }) => look(parts, ask)));
  const absent: Absent<In>[] = [];
  const landings = items.map((item, i) => {
    const sight = sights[i] as Sight;
    const found = item.ask.fresh ? undefined : serve(parts, item.ask, sight);
    if (found !== undefined) return found;
    // Somebody else loads it: waited for, and checked, like any flight that is joined.
    if (!item.ask.fresh && parts.flights.has(item.ask.identity.key)) return fill(parts, item.ask);
    const waiting = absentOne(item.input, item.ask, sight);
    absent.push(waiting);
    return takeOff(parts, item.ask, begun, orAged(parts, item.ask, sight, waiting.landing));
  });
  if (absent.length > 0) void loadTogether(parts, absent, load);
  const landed = await Promise.allSettled(landings);
  for (const [i, outcome] of landed.entries()) {
    if (outcome.status === 'rejected') throw outcome.reason;
    const item = items[i] as Item<In>;
    report(parts, item.ask, outcome.value);
    audit(parts, item.ask, outcome.value);
    const landing = protectedAs(outcome.value, item.ask.settings.copy, parts.types);
    item.answer = () => valueOf(landing);
  }
}

async function loadAllPast<In>(
  view: View,
  items: readonly Item<In>[],
  load: LoadMany<In>,
  reason: string,
): Promise<void> {
  const first = (items[0] as Item<In>).ask;
  const inputs = items.map(({ input }) => input);
  const tagged = first.settings.tags !== undefined;
  const all = view.ask('', {
    name: first.counter.name,
    settings: { ...first.settings, tags: tagged ? items.flatMap(({ ask }) => ask.settings.tags ?? []) : undefined },
    version: '',
    load: (context) => load(inputs, context),
  });
  const landing = await loadPast(view.parts, all, reason);
  answers(inputs, landing.raw).forEach(([, value], i) => {
    (items[i] as Item<In>).answer = () => value;
  });
}

/** A key that is no data: nobody can tell that input from others, so all of them go past the cache, in one load. */
async function loadUnkeyable<In, T>(
  view: View,
  { inputs, tags, load }: ReadMany<In, T, string>,
  error: unknown,
  name: string,
): Promise<T[]> {
  const unique = [...new Set(inputs)];
  const landing = await view.unkeyable(error, name, (context) => {
    if (tags !== undefined) context.tag(...unique.flatMap((input) => [...tags(input)]));
    return load(unique, context);
  });
  const values = new Map(answers(unique, landing.raw));
  return inputs.map((input) => values.get(input) as T);
}
