import { currentScope, handUp, runWithin } from './context.js';
import { refuse } from './findings.js';
import type { Parts } from './parts.js';
import type { Gathered } from './port.js';
import { Scope } from './scope.js';
import type { Version } from './store.js';

/**
 * What a result depends on that several loads get: the rows of a batch, a promise that somebody keeps.
 *
 * It is loaded once, in the async context of whoever asked first, and that one's load would be the only one to hear of
 * its queries. So it is loaded in a scope of its own, and each load that gets it is handed what that scope has seen,
 * under the versions of that time. If a tag was raised since, the pairs say so, and no entry that has them holds.
 */
export class Gathering implements Gathered {
  readonly scope: Scope;
  /** When the first of the cached values in it ends. */
  #endsAt = Number.POSITIVE_INFINITY;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  /** Nothing more comes. */
  end(now: number): void {
    this.scope.close();
    this.#endsAt = now + this.scope.ttl;
  }

  /** To the load around the running code: all that it depends on, or some of it. */
  handUp(parts: Parts, to: Scope, pairs: Pairs = this.scope.pairs): void {
    const { torn, epoch, refused } = this.scope;
    if (epoch !== to.epoch) to.tear('the store may have lost data since it was read');
    if (torn !== undefined && refused) refuse(parts, torn);
    const ttl = Math.max(0, this.#endsAt - parts.clock.now());
    handUp(parts, { pairs, ttl, stale: false, torn });
  }
}

type Pairs = Iterable<readonly [string, Version]>;

/** Of those who wait for what is gathered. */
export interface Waiting {
  /** Versions that they know from before, of one epoch. */
  readonly before?: ReadonlyMap<string, Version> | undefined;
  /** The keys that they load. */
  readonly keys?: readonly string[] | undefined;
}

/** Runs `fn` in a scope of its own, which it is told. */
export async function gather<T>(
  parts: Parts,
  name: string,
  fn: (into: Gathering) => T | Promise<T>,
  { before, keys }: Waiting = {},
): Promise<T> {
  const gathering = open(parts, name, parts.session.epoch, before);
  try {
    return await runWithin({ owner: parts, scope: gathering.scope, keys }, () => fn(gathering));
  } finally {
    gathering.end(parts.clock.now());
  }
}

/** What the load around the running code depends on so far, for what it passes on; undefined outside of one. */
export function gatheredSoFar(parts: Parts): Gathering | undefined {
  const scope = currentScope(parts);
  if (scope === undefined) return undefined;
  const copy = open(parts, scope.of.name, scope.epoch);
  copy.scope.tracked = scope.tracked;
  for (const [tag, version] of scope.pairs) copy.scope.add(tag, version);
  copy.scope.ttl = scope.ttl;
  const torn = scope.torn ?? (scope.isReading ? 'rows were passed on that were still being read' : undefined);
  if (torn !== undefined) copy.scope.tear(torn);
  copy.scope.refused = scope.refused;
  copy.end(parts.clock.now());
  return copy;
}

/** The load around the running code has got something that depends on all of these. */
export function handUpAll(parts: Parts, name: string, from: Iterable<Gathering>): void {
  const scope = currentScope(parts);
  if (scope === undefined) return;
  let isTracked = false;
  for (const gathering of from) {
    isTracked ||= gathering.scope.tracked;
    gathering.handUp(parts, scope);
  }
  // Its queries ran where the running code is not known, or before anybody looked.
  if (!isTracked && parts.clients.any)
    refuse(parts, `0 queries seen in '${name}', which other code may have asked before`);
}

/** The load around the running code has got a part of something, which depends on `pairs` alone. */
export function handUpPart(parts: Parts, from: Gathering, pairs: Pairs): void {
  const scope = currentScope(parts);
  if (scope === undefined) return;
  if (from.scope.tracked) from.handUp(parts, scope, pairs);
  else if (from.scope.torn !== undefined) scope.tear(from.scope.torn);
}

function open(
  parts: Parts,
  name: string,
  epoch: string | undefined,
  before: ReadonlyMap<string, Version> = new Map(),
): Gathering {
  const scope = new Scope(parts.tags, { key: '', name }, before, epoch ?? '');
  if (epoch === undefined) scope.tear('the store is not available');
  return new Gathering(scope);
}
