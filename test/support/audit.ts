import { afterEach, expect } from 'vitest';
import type { CacheView } from '../../src/core/cache.js';
import type { Parts } from '../../src/core/parts.js';
import type { Cell } from '../../src/core/tags.js';
import type { Cache } from '../../src/index.js';
import type { FakeClock } from '../../src/testing/index.js';
import { turn } from './database.js';

interface Watched {
  readonly cache: Cache;
  readonly clock: FakeClock | undefined;
}
const watched = new Set<Watched>();

/** Has the cache closed and audited after the test. Give the clock that it shares with nobody else but its stores. */
export function watch(cache: Cache, clock?: FakeClock): Cache {
  watched.add({ cache, clock });
  return cache;
}

/** For the test file: after each test, every cache that it watched is audited at rest, closed, and audited again. */
export function auditAfterEach(): void {
  afterEach(() => auditWatched());
}

/** Audits and closes what was watched until now; `waitFor` where somebody else decides when things go on. */
export async function auditWatched(waitFor = (closing: Promise<unknown>) => closing): Promise<void> {
  const all = [...watched];
  watched.clear();
  await turn();
  for (const { cache } of all) audit(cache);
  const held = all.map(({ cache }) => [...heldCells(partsOf(cache)).keys()]);
  for (const { cache } of all) await waitFor(cache.close({ timeout: 0 }).catch(() => {}));
  await turn();
  for (const { cache } of all) auditClosed(cache);
  for (const cell of held.flat()) expect(cell.holders, `who holds '${cell.tag}' of a closed cache`).toBe(0);
  for (const { clock } of all) expect(clock?.pending ?? 0, 'timers that belong to nothing').toBe(0);
}

/** After a failure there is nothing to audit. */
export function forgetWatched(): void {
  watched.clear();
}

/** Takes the cache from the end of the test's audit: for caches that a test leaves in pieces on purpose. */
export function unwatch(cache: Cache): void {
  for (const one of watched) if (one.cache === cache) watched.delete(one);
}

export function partsOf(cache: Cache): Parts {
  return (cache as unknown as CacheView).parts;
}

/** What must be true of a cache in which nothing is going on. */
export function audit(cache: Cache): void {
  const parts = partsOf(cache);
  expect([...parts.flights.keys()], 'flights of nobody').toEqual([]);
  expect([...parts.writes], 'writes under way').toEqual([]);
  expect(parts.tags.size - heldCells(parts).size, 'idle cells').toBeLessThanOrEqual(20_000);
  auditHolders(parts);
  if (parts.shared) return;
  // In memory the table is the truth: an entry whose versions are the table's can be no younger than its tags.
  for (const key of parts.near.keys())
    for (const cell of parts.near.peek(key)?.cells ?? [])
      expect(cell.version === undefined || parts.tags.cell(cell.tag) === cell, `the cell of '${cell.tag}'`).toBe(true);
}

function auditClosed(cache: Cache): void {
  const parts = partsOf(cache);
  expect(parts.near.size, 'entries of a closed cache').toBe(0);
  expect([...parts.flights.keys()], 'flights of a closed cache').toEqual([]);
  expect(parts.events.hears('hit') || parts.events.hears('error'), 'listeners of a closed cache').toBe(false);
  expect(parts.invalidations.pending, 'undelivered invalidations').toEqual([]);
}

/** Every cell is held by as many as point at it: the entries in memory, and its own distrust. */
function auditHolders(parts: Parts): void {
  for (const [cell, holders] of heldCells(parts))
    expect(cell.holders, `who holds '${cell.tag}'`).toBe(holders + (cell.distrusted ? 1 : 0));
}

function heldCells(parts: Parts): Map<Cell, number> {
  const held = new Map<Cell, number>();
  for (const key of parts.near.keys())
    for (const cell of parts.near.peek(key)?.cells ?? []) held.set(cell, (held.get(cell) ?? 0) + 1);
  return held;
}
