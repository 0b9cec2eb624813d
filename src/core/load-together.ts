import { answers } from './answers.js';
import type { Ask } from './ask.js';
import type { Landing } from './flight.js';
import { openScope, runLoad, type Said, settle, tellOfLoad } from './load.js';
import type { Sight } from './look.js';
import type { LoadContext } from './options.js';
import type { Parts } from './parts.js';
import { Scope } from './scope.js';
import type { Version } from './store.js';

/**
 * One load for several keys. It runs in one scope, and each key has another one beside it, which it would have had alone:
 * so each value depends on what its own caller said and on whatever the common load reports, but not on what the others
 * said. Of a value that cannot be stored the others do not hear.
 */

/** The load, as a caller wrote it. */
export type LoadMany<In> = (missing: readonly In[], context: LoadContext) => unknown;

/** One that is missing, and its flight in our hands. */
export interface Absent<In> {
  readonly input: In;
  readonly ask: Ask;
  readonly sight: Sight;
  readonly landing: Promise<Landing>;
  resolve(landing: Landing): void;
  reject(error: unknown): void;
}

/** What `loadTogether` is to load: its flight lands when that has settled it. */
export function absentOne<In>(input: In, ask: Ask, sight: Sight): Absent<In> {
  let resolve!: (landing: Landing) => void;
  let reject!: (error: unknown) => void;
  const landing = new Promise<Landing>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { input, ask, sight, landing, resolve, reject };
}

export async function loadTogether<In>(parts: Parts, absent: readonly Absent<In>[], load: LoadMany<In>): Promise<void> {
  const first = (absent[0] as Absent<In>).ask;
  const scopes = absent.map(({ ask, sight }) => openScope(parts, ask, sight));
  const common = openCommon(parts, absent);
  const said: Said = { ttl: undefined };
  const started = parts.clock.now();
  try {
    const inputs = absent.map(({ input }) => input);
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
      absent.map(({ ask }) => ask.identity.key),
    );
    const values = answers(inputs, answer).map(([, value]) => value);
    const cost = parts.clock.now() - started;
    common.close();
    const unstored = settleEach(parts, absent, scopes, common, values, said.ttl, cost);
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

/** Each gets its own value. Returns why one of them is not stored, the first if there are several. */
function settleEach<In>(
  parts: Parts,
  absent: readonly Absent<In>[],
  scopes: readonly Scope[],
  common: Scope,
  values: readonly unknown[],
  ttl: number | undefined,
  cost: number,
): string | undefined {
  let unstored: string | undefined;
  absent.forEach(({ ask, sight, resolve, reject }, i) => {
    const scope = scopes[i] as Scope;
    scope.include(common);
    try {
      const landing = settle(parts, ask, sight, scope, values[i], ttl, cost, undefined);
      if (!landing.stored) unstored ??= landing.reason;
      resolve(landing);
    } catch (error) {
      unstored ??= (error as Error).message;
      reject(error);
    }
  });
  return unstored;
}

/** What any of them depends on, each tag once: looked for only where somebody counts by tags. */
function pairsOf(scopes: readonly Scope[]): Iterable<readonly [string, unknown]> {
  return { [Symbol.iterator]: () => new Map(scopes.flatMap(({ pairs }) => [...pairs]))[Symbol.iterator]() };
}

/** What the load for all of them depends on; any version from before it is as good as another. */
function openCommon<In>(parts: Parts, absent: readonly Absent<In>[]): Scope {
  const { ask, sight } = absent.find((one) => one.sight.before !== undefined) ?? (absent[0] as Absent<In>);
  const before = new Map<string, Version>();
  for (const { sight: one } of absent)
    if (one.epoch === sight.epoch) for (const [tag, version] of one.before ?? []) before.set(tag, version);
  const of = { key: ask.identity.key, name: ask.counter.name };
  return new Scope(parts.tags, of, before, sight.epoch, true);
}
