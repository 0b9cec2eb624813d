import type { Observation } from '../core/port.js';
import type { Version } from '../core/store.js';
import type { Catalogue } from './catalogue.js';
import type { Narrowing } from './narrowing.js';
import type { State } from './shared.js';
import type { Known } from './statements.js';
import type { Params, Plan, ReadTags, Row } from './types.js';

/** A statement of which a load knows the versions of what it reads. */
export interface Tracked {
  readonly observation: Observation;
  readonly tags: ReadTags;
  /** The agreement on the rules by which the tags were made. */
  readonly agreed: Version | undefined;
}

/**
 * A load must know what its statements read, in the versions of a moment before they run. Undefined when nobody can
 * tell, and outside of loads.
 */
export function track(
  state: State<unknown>,
  known: Known,
  params: Params,
): Tracked | undefined | Promise<Tracked | undefined> {
  const { port, failed } = state.shared;
  try {
    if (!port.inLoad()) return undefined;
    const plan = state.planOf(known);
    if (plan === undefined || reasonAgainst(state, known, plan) !== undefined) return undefined;
    const { narrowing } = state.shared;
    const agreed = narrowing.version;
    const tags = plan.readTags(params);
    const values = Array.isArray(params) ? params : Object.entries(params).flat();
    // Nothing depends on the catalogue's own tag; only its version is wanted, and not by what reads no table.
    const readsNone = tags.tags.length + tags.droppable.length === 0;
    const droppable = readsNone ? [] : [...tags.droppable, state.shared.catalogue.tag];
    const observation = port.observe({
      text: known.text,
      params: values,
      tags: agreed === undefined || readsNone ? tags.tags : [...tags.tags, narrowing.tag],
      droppable,
      isApart: known.isApart,
    });
    if (!(observation instanceof Promise)) return observation && { observation, tags, agreed };
    return observation.then(
      (it) => ({ observation: it, tags, agreed }),
      (error) => void failed(error),
    );
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** The statement is about to be sent. A load that does not know what it reads must not be stored. */
export function refuseUntracked(state: State<unknown>, known: Known, tracked: Tracked | undefined): void {
  const { port, catalogue, narrowing } = state.shared;
  if (!port.inLoad()) return;
  // It may be another one than when the versions were taken: the statement has waited for others.
  const reason = reasonAgainst(state, known, state.planOf(known));
  if (reason !== undefined) port.refuse(`${reason}: ${known.text}`);
  else if (tracked !== undefined && isOutdated(tracked, catalogue)) {
    catalogue.change();
    port.refuse(`tables were defined anew since the catalogue was read: ${known.text}`);
  } else if (tracked?.agreed !== undefined && isOther(tracked, narrowing)) {
    narrowing.lost();
    port.refuse(`another process narrows by other rules: ${known.text}`);
  } else if (tracked === undefined && known.needsCatalog) port.refuse(`it could not be tracked: ${known.text}`);
}

/** Somebody, in any process, has defined tables since. A load that is not stored anyway knows no versions. */
function isOutdated({ observation }: Tracked, { tag, seen }: Catalogue): boolean {
  const version = observation.version(tag);
  return version !== undefined && version !== seen;
}

function isOther({ observation, agreed }: Tracked, { tag }: Narrowing): boolean {
  const version = observation.version(tag);
  return version !== undefined && version !== agreed;
}

/** It has ended: with rows that were seen, what only they can tell is dropped. */
export function endTracked(
  { shared: { catalogue, failed } }: State<unknown>,
  tracked: Tracked,
  rows?: readonly Row[],
): void {
  let dropped: readonly string[] = [];
  try {
    if (rows !== undefined) dropped = tracked.tags.drop(rows);
  } catch (error) {
    failed(error);
  }
  tracked.observation.done([...dropped, catalogue.tag]);
}

/** Why a load that runs it cannot be stored. */
function reasonAgainst(state: State<unknown>, { statement }: Known, plan: Plan | undefined): string | undefined {
  // They read nothing, and what they change counts for those that come after.
  if (statement.kind === 'transaction' || statement.kind === 'set') return undefined;
  if (state.transaction !== undefined) return 'it read inside a transaction, where rows may be older than outside';
  const { taint, catalogue } = state.shared;
  return taint ?? (plan === undefined ? catalogue.problem : plan.refused);
}
