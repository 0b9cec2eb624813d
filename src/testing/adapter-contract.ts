import { builders } from './adapter/builders.js';
import { cascades } from './adapter/cascades.js';
import { hidden } from './adapter/catalog.js';
import type { AdapterCase, AdapterDriver } from './adapter/driver.js';
import { isolation } from './adapter/isolation.js';
import { loads } from './adapter/loads.js';
import { names } from './adapter/names.js';
import { outcomes } from './adapter/outcomes.js';
import { overtaken } from './adapter/overtaken.js';
import { reading } from './adapter/reading.js';
import { rows } from './adapter/rows.js';
import { byHand, savepoints } from './adapter/savepoints.js';
import { schemas } from './adapter/schemas.js';
import { places, views } from './adapter/shapes.js';
import { ignored, tenants } from './adapter/tenants.js';
import { transactions } from './adapter/transactions.js';
import type { Trap } from './adapter/trap.js';
import { upserts } from './adapter/upserts.js';
import { values } from './adapter/values.js';
import { limits, wishes } from './adapter/wishes.js';
import { words } from './adapter/words.js';
import { type AdapterSafety, inWorld, type Processes } from './adapter/world.js';
import { writes } from './adapter/writes.js';

export type {
  AdapterBuilders,
  AdapterCase,
  AdapterClient,
  AdapterDatabase,
  AdapterDialect,
  AdapterDriver,
  AdapterFeature,
  AdapterOptions,
  AdapterRaw,
  AdapterResult,
  AdapterRow,
  AdapterRules,
  AdapterStatements,
  AdapterTableRule,
  AdapterTransaction,
} from './adapter/driver.js';
export type { AdapterSafety } from './adapter/world.js';

/**
 * The contract of an adapter as cases to run: every way in which a cached row is known to have been wrong.
 *
 * A case reads a statement in both ways that store its answer, through the client and in a load; does what somebody's
 * cache has stumbled over; and reads again. What it gets must be what an unwrapped client gets at that moment, and what
 * had no reason to go must not have been asked for again: a cache that forgets everything passes nothing here.
 *
 * Each runs twice: within one process, and with a cache for the writer and another for the reader over a shared store.
 */
const traps: readonly Trap[] = [
  ...transactions,
  ...savepoints,
  ...byHand,
  ...outcomes,
  ...isolation,
  ...writes,
  ...upserts,
  ...cascades,
  ...builders,
  ...places,
  ...views,
  ...rows,
  ...tenants,
  ...ignored,
  ...reading,
  ...overtaken,
  ...wishes,
  ...loads,
  ...words,
  ...hidden,
  ...schemas,
  ...names,
  ...limits,
];

/**
 * The cases that every adapter must pass, on every database that it supports. Give each to your test runner, whichever
 * it is; each makes a database of its own.
 *
 * @param safety - of caches that share a store. @defaultValue neither `crashSafe` nor `strict`
 * @throws TypeError when the driver lacks something without saying why
 * @example
 * ```ts
 * import { test } from 'node:test';
 * import { type AdapterDriver, adapterContract } from 'unstale/testing';
 *
 * declare const driver: AdapterDriver; // yours
 * for (const { name, skip, run } of adapterContract(driver)) test(name, { skip: skip ?? false }, run);
 * ```
 */
export function adapterContract(driver: AdapterDriver, safety?: AdapterSafety): readonly AdapterCase[] {
  return [...traps, ...values(driver.dialect)].flatMap((trap) => {
    const kinds: readonly Processes[] = trap.shared ? ['two'] : ['one', 'two'];
    return kinds.map((processes): AdapterCase => {
      const skip = whyNot(driver, trap) ?? (processes === 'two' ? whyRefused(driver, trap, safety) : undefined);
      return {
        name: `${trap.name} (${processes} process${processes === 'one' ? '' : 'es'})`,
        ...(skip !== undefined && { skip }),
        run: async () => {
          if (skip === undefined) await inWorld(driver, processes, trap, trap.body, safety);
        },
      };
    });
  });
}

/** Why strict caches, which share a store, refuse what the case does. */
function whyRefused(
  { dialect, refuses = {} }: AdapterDriver,
  { refused, needs = [] }: Trap,
  { strict }: AdapterSafety = {},
): string | undefined {
  if (!strict) return undefined;
  if (typeof refuses === 'string') return refuses;
  const own = needs.map((feature) => refuses[feature]).find((why) => why !== undefined);
  return own ?? (typeof refused === 'object' ? refused[dialect] : refused);
}

function whyNot(
  { dialect, lacks, fails = {} }: AdapterDriver,
  { name, needs = [], not = {} }: Trap,
): string | undefined {
  const own = Object.keys(fails).find((start) => name.startsWith(start));
  if (own !== undefined) return fails[own];
  const missing = needs.find((feature) => feature in lacks);
  const why = not[dialect] ?? (missing && lacks[missing]);
  if (missing !== undefined && !lacks[missing])
    throw new TypeError(`The driver has no ${missing}, and does not say why`);
  return why;
}
