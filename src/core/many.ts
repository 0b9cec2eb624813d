import { encodeKey, type Key } from '../values/index.js';
import type { Ask } from './ask.js';
import { audit } from './audit.js';
import { orTorn } from './context.js';
import { checkTags } from './dependency.js';
import { describe, expected } from './errors.js';
import type { ReadMany } from './face.js';
import { fill, orAged, serve, takeOff } from './fill.js';
import { type Landing, protectedAs, valueOf } from './flight.js';
import { openScope, runLoad, type Said, settle, tellOfLoad } from './load.js';
import { look, type Sight } from './look.js';
import type { LoadContext } from './options.js';
import type { Parts } from './parts.js';
import { loadPast } from './past.js';
import { resolveReadOptions, withTags } from './resolve.js';
import { Scope } from './scope.js';
import { nameOf } from './stats.js';
import type { Version } from './store.js';
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

  const places = new Map<string, Place<In>>();
  const order = inputs.map((input, i) => {
    const own = keys[i] as Key;
    const full = view.keyOf(texts[i] as string);
    const known = places.get(full);
    if (known !== undefined) return known;
    const settings = tags === undefined ? base : withTags(base, checkTags(tags(input)));
    const single = async (context: LoadContext) => [...answers([input], await load([input], context))][0]?.[1];
    const place: Place<In> = {
      input,
      ask: view.ask(full, { name: nameOf(own), settings, version, fresh, load: single }),
      answer: () => undefined,
    };
    places.set(full, place);
    return place;
  });

  const missing = [...places.values()].filter((place) => {
    const entry = fresh || options.copy !== undefined ? undefined : view.hit(place.ask.identity.key, base);
    if (entry !== undefined) place.answer = () => view.cachedFrom(entry).value;
    return entry === undefined;
  });
  const past = missing.length > 0 ? view.whyPast() : undefined;
  if (past !== undefined) await loadAllPast(view, missing, load as Load<In>, past);
  else await orTorn(view.parts, fillAll(view, missing, load as Load<In>));
  return order.map((place) => place.answer() as T);
}

/** One input, and what came of it. */
interface Place<In> {
  readonly input: In;
  readonly ask: Ask;
  /** Asked for each place in the list: copies are private, also those of a duplicate. */
  answer: () => unknown;
}

type Load<In> = (missing: readonly In[], context: LoadContext) => unknown;

async function fillAll<In>(view: View, places: readonly Place<In>[], load: Load<In>): Promise<void> {
  const { parts } = view;
  const begun = parts.begin();
  const sights = await Promise.all(places.map(({ ask }) => look(parts, ask)));
  const absent: Absent<In>[] = [];
  const landings = places.map((place, i) => {
    const sight = sights[i] as Sight;
    const found = place.ask.fresh ? undefined : serve(parts, place.ask, sight);
    if (found !== undefined) return found;
    // Somebody else loads it: waited for, and checked, like any flight that is joined.
    if (!place.ask.fresh && parts.flights.has(place.ask.identity.key)) return fill(parts, place.ask);
    const waiting: Absent<In> = { place, sight, ...withResolvers() };
    absent.push(waiting);
    return takeOff(parts, place.ask, begun, orAged(parts, place.ask, sight, waiting.landing));
  });
  if (absent.length > 0) void loadTogether(parts, absent, load);
  const landed = await Promise.allSettled(landings);
  for (const [i, outcome] of landed.entries()) {
    if (outcome.status === 'rejected') throw outcome.reason;
    const place = places[i] as Place<In>;
    view.report(place.ask, outcome.value);
    audit(parts, place.ask, outcome.value);
    const landing = protectedAs(outcome.value, place.ask.settings.copy, parts.types);
    place.answer = () => valueOf(landing);
  }
}

/** A missing one, and its flight in our hands. */
interface Absent<In> {
  readonly place: Place<In>;
  readonly sight: Sight;
  readonly landing: Promise<Landing>;
  resolve(landing: Landing): void;
  reject(error: unknown): void;
}

/** One load for all of them; what it reports as its dependencies, each of them depends on. */
async function loadTogether<In>(parts: Parts, absent: readonly Absent<In>[], load: Load<In>): Promise<void> {
  const first = (absent[0] as Absent<In>).place.ask;
  const scopes = absent.map(({ place, sight }) => openScope(parts, place.ask, sight));
  const common = openCommon(parts, absent);
  const said: Said = { ttl: undefined };
  const started = parts.clock.now();
  try {
    const inputs = absent.map(({ place }) => place.input);
    const answer = await runLoad(
      parts,
      {
        identity: first.identity,
        settings: first.settings,
        counter: first.counter,
        query: { ...first.query, load: (context) => load(inputs, context) },
      },
      common,
      said,
      absent.map(({ place }) => place.ask.identity.key),
    );
    const values = answers(inputs, answer);
    const cost = parts.clock.now() - started;
    common.close();
    let unstored: string | undefined;
    absent.forEach(({ place, sight, resolve, reject }, i) => {
      const scope = scopes[i] as Scope;
      scope.include(common);
      try {
        const landing = settle(
          parts,
          place.ask,
          sight,
          scope,
          (values[i] as [In, unknown])[1],
          said.ttl,
          cost,
          undefined,
        );
        if (!landing.stored) unstored ??= landing.reason;
        resolve(landing);
      } catch (error) {
        unstored ??= (error as Error).message;
        reject(error);
      }
    });
    tellOfLoad(parts, first, pairsOf(scopes), {
      ...{ duration: cost, stored: unstored === undefined },
      ...(unstored === undefined ? {} : { reason: unstored }),
    });
  } catch (error) {
    const duration = parts.clock.now() - started;
    tellOfLoad(parts, first, pairsOf([common, ...scopes]), { duration, stored: false, reason: 'it failed', error });
    for (const { reject } of absent) reject(error);
  }
}

/** What any of them depends on, each tag once: looked for only where somebody counts by tags. */
function pairsOf(scopes: readonly Scope[]): Iterable<readonly [string, unknown]> {
  return { [Symbol.iterator]: () => new Map(scopes.flatMap(({ pairs }) => [...pairs]))[Symbol.iterator]() };
}

/** What the load for all of them depends on; any version from before it is as good as another. */
function openCommon<In>(parts: Parts, absent: readonly Absent<In>[]): Scope {
  const { place, sight } = absent.find((one) => one.sight.before !== undefined) ?? (absent[0] as Absent<In>);
  const before = new Map<string, Version>();
  for (const { sight: one } of absent)
    if (one.epoch === sight.epoch) for (const [tag, version] of one.before ?? []) before.set(tag, version);
  const of = { key: place.ask.identity.key, name: place.ask.counter.name };
  return new Scope(parts.tags, of, before, sight.epoch, true);
}

async function loadAllPast<In>(
  view: View,
  places: readonly Place<In>[],
  load: Load<In>,
  reason: string,
): Promise<void> {
  const first = (places[0] as Place<In>).ask;
  const inputs = places.map(({ input }) => input);
  const tagged = first.settings.tags !== undefined;
  const all = view.ask('', {
    name: first.counter.name,
    settings: { ...first.settings, tags: tagged ? places.flatMap(({ ask }) => ask.settings.tags ?? []) : undefined },
    version: '',
    load: (context) => load(inputs, context),
  });
  const landing = await loadPast(view.parts, all, reason);
  answers(inputs, landing.raw).forEach(([, value], i) => {
    (places[i] as Place<In>).answer = () => value;
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

/** Pairs of input and value, whichever way the load answered. @throws TypeError */
export function answers<In>(inputs: readonly In[], answer: unknown): [In, unknown][] {
  if (answer instanceof Map) {
    // A key of another type, such as the text that a driver makes of a bigint, would look like a row that is missing.
    const known = new Set<unknown>(inputs);
    for (const key of answer.keys())
      if (!known.has(key))
        throw new TypeError(
          `Expected \`load\` to answer with a Map from inputs to values, got the key ${describe(key)}, which is none of the inputs`,
        );
    return inputs.map((input) => [input, answer.get(input)]);
  }
  if (!Array.isArray(answer)) throw expected('load', 'a function that answers with a list or a Map', answer);
  if (answer.length !== inputs.length)
    throw new TypeError(
      `Expected \`load\` to answer with ${inputs.length} values, one for each input and in their order, got ${answer.length}; a Map from input to value may leave some out`,
    );
  return inputs.map((input, i) => [input, answer[i]]);
}

function withResolvers(): Pick<Absent<never>, 'landing' | 'resolve' | 'reject'> {
  let resolve!: (landing: Landing) => void;
  let reject!: (error: unknown) => void;
  const landing = new Promise<Landing>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { landing, resolve, reject };
}
