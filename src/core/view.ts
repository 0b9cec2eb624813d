import type { Ask, Query } from './ask.js';
import type { Entry } from './entry.js';
import type { Explanation } from './explain.js';
import type { Landing } from './flight.js';
import type { Receipt } from './invalidate.js';
import type { LoadContext, Mode, ReadSettings } from './options.js';
import type { Cached } from './outcome.js';
import type { Parts } from './parts.js';

/** What wrapped functions and batches see of the cache that they belong to. */
export interface View {
  readonly parts: Parts;
  /** The full key of a key's text. @throws TenantMissingError */
  keyOf(text: string): string;
  /** The entry that may be handed out at once, if there is one. */
  hit(key: string, settings: ReadSettings): Entry | undefined;
  ask(key: string, query: Query): Ask;
  /** A flight that the read can join in passing. */
  join(key: string, settings: ReadSettings): Promise<Landing | undefined> | undefined;
  /** A read that is no plain hit. */
  miss(ask: Ask): Promise<Landing>;
  mode(): Mode;
  /** Why reads go past the cache at the moment. */
  whyPast(): string | undefined;
  /** A read that goes past the cache. */
  past(ask: Ask, why: string): Promise<Landing>;
  /** A call whose arguments cannot become a key. @throws what made it so, where it must not go past the cache */
  unkeyable(error: unknown, name: string, load: ((context: LoadContext) => unknown) | undefined): Promise<Landing>;
  /** Counts and tells how a read ended. */
  report(ask: Ask, landing: Landing): void;
  /** Makes sure that two functions do not share a name. @throws TypeError */
  claim(name: string, owner: object): void;
  cachedFrom<T>(entry: Entry): Cached<T>;
  cachedOf<T>(landing: Landing): Cached<T>;
  delete(key: string): Promise<Receipt>;
  explain(key: string, version: string): Promise<Explanation>;
}
