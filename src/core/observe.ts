import { currentScope } from './context.js';
import { StoreUnavailableError } from './errors.js';
import { Known } from './known.js';
import type { Parts } from './parts.js';
import type { Observation, Observed } from './port.js';
import { maxPairs, type Scope } from './scope.js';
import type { Version } from './store.js';

/**
 * A statement of the load around the running code, told by whoever is about to send it.
 *
 * Its tags get the versions of a moment before it runs: those that the load has already, those that the look before
 * the load has brought, those that this process knows, and for what is left it asks the store. Each is older than the
 * rows, and that is all that counts: one that is too old costs the entry and nothing else.
 */
export function observe(parts: Parts, statement: Observed): Observation | Promise<Observation> | undefined {
  const scope = currentScope(parts);
  if (scope === undefined) return undefined;
  scope.begins(statement);
  if (statement.isApart) scope.apart = statement.tags;
  if (scope.pairs.size > maxPairs) scope.tear(`it depends on more than ${maxPairs} tags`);
  // Nothing that is torn is stored, so nobody will ask what it depended on.
  if (scope.torn !== undefined) return watch(scope, [], new Map());
  const versions = new Map<string, Version>();
  const unknown: string[] = [];
  const floor = parts.clock.now() - parts.settings.read.maxStale;
  for (const tag of statement.tags) find(parts, scope, tag, floor, versions, unknown);
  for (const tag of statement.droppable) find(parts, scope, tag, floor, versions, unknown);
  if (unknown.length === 0) return count(scope, statement, versions);
  return ask(parts, scope, unknown, floor, versions).then(() => count(scope, statement, versions));
}

function find(
  parts: Parts,
  scope: Scope,
  tag: string,
  floor: number,
  versions: Map<string, Version>,
  unknown: string[],
): void {
  const version = scope.known(tag) ?? knownHere(parts, scope, tag, floor);
  if (version !== undefined) versions.set(tag, version);
  else if (!unknown.includes(tag)) unknown.push(tag);
}

/** What the table of tags knows: without a store everything, with one only what is watched. */
function knownHere({ tags, shared, settings, session }: Parts, scope: Scope, tag: string, floor: number) {
  if (shared && (settings.read.maxStale === 0 || session.epoch !== scope.epoch)) return undefined;
  const cell = tags.cell(tag);
  return tags.isVerified(cell, floor) ? cell.version : undefined;
}

/** In one request with all others of this tick. A store that does not answer costs the entry, and never the statement. */
async function ask(
  parts: Parts,
  scope: Scope,
  tags: readonly string[],
  floor: number,
  versions: Map<string, Version>,
): Promise<void> {
  if (parts.session.epoch === undefined) return scope.tear(unavailable);
  const known = new Known(parts, floor);
  try {
    await known.ask(undefined, tags);
    if (known.epoch !== scope.epoch) scope.tear('the store may have lost data while the load ran');
    for (const tag of tags) versions.set(tag, known.versions.get(tag) as Version);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) parts.events.emit('error', { error });
    scope.tear(unavailable);
  }
}

/** The version of a tag now; undefined when nobody answers. */
export async function versionOf(parts: Parts, tag: string): Promise<Version | undefined> {
  const known = new Known(parts, parts.clock.now());
  try {
    await known.ask(undefined, [tag]);
    return known.versions.get(tag);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) parts.events.emit('error', { error });
    return undefined;
  }
}

/** From here on the statement may run. */
function count(scope: Scope, { tags, droppable }: Observed, versions: ReadonlyMap<string, Version>): Observation {
  for (const tag of tags) add(scope, tag, versions);
  return watch(scope, droppable, versions);
}

function watch(scope: Scope, droppable: readonly string[], versions: ReadonlyMap<string, Version>): Observation {
  let dropped: readonly string[] = [];
  const end = scope.untilEnd(() => {
    for (const tag of droppable) if (!dropped.includes(tag)) add(scope, tag, versions);
  });
  return {
    done(names = []) {
      dropped = names;
      scope.hasData();
      end();
    },
    version: (tag) => versions.get(tag),
  };
}

function add(scope: Scope, tag: string, versions: ReadonlyMap<string, Version>): void {
  const version = versions.get(tag);
  // Not there when the store did not answer: then the load is torn.
  if (version !== undefined) scope.add(tag, version);
}

const unavailable = 'the store is not available';
