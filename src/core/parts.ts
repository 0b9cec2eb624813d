import { createTypeTable, type OpenTypeTable } from '../values/index.js';
import { alone } from './alone.js';
import { Audits } from './audits.js';
import { Churn } from './churn.js';
import { Clients } from './clients.js';
import { type Clock, systemClock } from './clock.js';
import { expected } from './errors.js';
import { Events } from './events.js';
import { Fences } from './fences.js';
import type { Flight } from './flight.js';
import { Invalidations } from './invalidate.js';
import { Near } from './near.js';
import type { CacheSettings } from './options.js';
import { Quarantine } from './quarantine.js';
import { Stats } from './stats.js';
import type { StoreSession } from './store.js';
import { strictSession } from './strict.js';
import { Tags } from './tags.js';
import { Tenancy } from './tenancy.js';
import { Underkeyed } from './underkeyed.js';
import { Unstored } from './unstored.js';
import { warnOnce } from './warn.js';

/** The pieces of one cache, wired. The stories (`cache`, `fill`, `invalidate`, `transaction`) get them in hand. */
export interface Parts {
  readonly settings: CacheSettings;
  readonly clock: Clock;
  readonly types: OpenTypeTable;
  readonly tags: Tags;
  readonly near: Near;
  readonly session: StoreSession;
  /** Whether entries are shared through a store. */
  readonly shared: boolean;
  readonly flights: Map<string, Flight>;
  /** Estimated bytes that a value may have in memory; a larger one is handed out and not kept. */
  readonly maxValueBytes: number;
  readonly churn: Churn;
  readonly unstored: Unstored;
  readonly underkeyed: Underkeyed;
  readonly clients: Clients;
  readonly stats: Stats;
  readonly audits: Audits;
  /** The tenant of the running code, where `runAsTenant` says it. */
  readonly tenancy: Tenancy;
  readonly events: Events;
  readonly invalidations: Invalidations;
  readonly fences: Fences;
  readonly quarantine: Quarantine;
  /** What ends the loads that are running. */
  readonly closing: Set<(timeout: number) => void>;
  /** Writes into the store that nobody waits for, so that `close` can. */
  readonly writes: Set<Promise<unknown>>;
  /** Who has which name. */
  readonly names: Map<string, object>;
  /** The next number in the order in which things begin. */
  begin(): number;
  closed: boolean;
  /** The end, once somebody has asked for it. */
  ended: Promise<void> | undefined;
}

/** A service whose store was never reached would run without a cache, and nobody would know. */
function tellOfOutage(name: string, { node, why }: { node: string; why?: string | undefined }): void {
  warnOnce(
    `outage:${name}:${node}`,
    `The store of cache '${name}' is not used: ${why ?? `${node} does not answer`}. Reads go to the database, invalidations are kept. cache.on('breaker', …) tells of every change, and silences this.`,
  );
}

/** Heap bytes for a byte of an entry in the store: no value has more. */
export const heapPerByte = 16;

/** Wires a cache. The only place that knows which piece gets which other. */
export function createParts(settings: CacheSettings): Parts {
  const clock = settings.clock ?? systemClock();
  const tags = new Tags(settings.store === undefined);
  const near = new Near(settings.memory, tags);
  const events = new Events(settings.name);
  let begun = 0;
  const open = settings.store?.open.bind(settings.store) ?? alone;
  const opened = open({
    name: settings.name,
    clock,
    maxStale: settings.read.maxStale,
    strict: settings.strict,
    listener: {
      changed: (tag) => tags.touch(tag),
      lost: () => tags.touchAll(),
      proven: (at) => {
        tags.proven = Math.max(tags.proven, at);
      },
      // The store may call while `open` still runs, before the pieces below are there.
      up: () => void Promise.resolve().then(() => parts.invalidations.deliver()),
      report: (event) => {
        if (event.type === 'breaker') {
          if (event.state === 'open' && !events.hears('breaker')) tellOfOutage(settings.name, event);
          events.emit('breaker', { node: event.node, state: event.state });
        } else events.emit('error', { error: event.error });
      },
    },
  });
  if (settings.strict && (opened.fence === undefined || opened.expired === undefined)) {
    void opened.close();
    throw expected('store', 'one that has fences beside `strict: true`, such as redisStore', settings.store);
  }
  const clients = new Clients();
  const fences = new Fences({ clock, session: opened, clients, events, timeout: settings.ackTimeout });
  const quarantine = new Quarantine({ name: settings.name, clock, clients, events });
  const session = settings.strict ? strictSession(opened, fences, quarantine) : opened;
  const parts: Parts = {
    settings,
    clock,
    types: createTypeTable(settings.types),
    tags,
    near,
    session,
    shared: settings.store !== undefined,
    flights: new Map(),
    // Nobody's one value may push out most of the others. In the store's bytes a value has a fraction of its heap.
    maxValueBytes: Math.max((settings.memory?.maxBytes ?? 0) / 4, session.maxEntryBytes * heapPerByte),
    churn: new Churn(),
    unstored: new Unstored(),
    underkeyed: new Underkeyed(),
    clients,
    stats: new Stats(settings.stats),
    audits: new Audits(settings.audit),
    tenancy: new Tenancy(),
    events,
    invalidations: new Invalidations({ settings, clock, tags, session, events }),
    ...{ fences, quarantine },
    closing: new Set(),
    writes: new Set(),
    names: new Map(),
    begin: () => ++begun,
    closed: false,
    ended: undefined,
  };
  return parts;
}

/** Delivers what is undelivered, waits for writes, then ends everything. */
export function closeParts(parts: Parts, timeout: number): Promise<void> {
  parts.ended ??= endParts(parts, timeout);
  return parts.ended;
}

async function endParts(parts: Parts, timeout: number): Promise<void> {
  parts.closed = true;
  for (const end of parts.closing) end(timeout);
  parts.invalidations.hurry();
  try {
    await Promise.all([parts.invalidations.settled(timeout, true), ...parts.writes]);
  } finally {
    parts.invalidations.close();
    parts.quarantine.close();
    await parts.fences.close();
    await parts.session.close();
    parts.near.clear();
    parts.flights.clear();
    parts.events.clear();
  }
}
