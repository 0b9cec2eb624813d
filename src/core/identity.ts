import { encodeKey, hashKey } from '../values/index.js';
import { isTreePart } from './tree-tags.js';

/**
 * The tags that an entry has without anybody naming them, so that `clear()` and `delete(key)` are invalidations like
 * any other: its share of `*`, the star of its namespace and of its tenant, and its own key tag. They start with `~`,
 * which in a tag of the user's is doubled.
 */
export interface Identity {
  /** The whole key: namespace, tenant, variation and what the caller said. Unique in this cache. */
  readonly key: string;
  /** The stars of the views that it is seen through. */
  readonly stars: readonly string[];
  /** Whose it is, where that is known. */
  readonly tenant: string | number | undefined;
}

/** With a store, `*` is split, so that in a cluster no slot carries a part of every read. */
const copies = 16;
/** How many key tags there are. Two keys in one bucket end together, which costs a load. */
const buckets = 65_536;

/** The name of an entry in the store. */
export function entryHash(identity: Identity, version: string): string {
  // No text of a key starts with a quote and a `v`.
  return hashKey(version === '' ? identity.key : `"v${version.length}:${version}${identity.key}`);
}

/** The tags of an entry that come with its key. */
export function standingTags(identity: Identity, keyHash: string, shared: boolean): string[] {
  const lot = lotOf(keyHash);
  return [shared ? `~*${lot % copies}` : '~*', `~k${lot % buckets}`, ...identity.stars];
}

/** What `delete(key)` and `set` raise. */
export function keyTag(keyHash: string): string {
  return `~k${lotOf(keyHash) % buckets}`;
}

/**
 * What `delete(key)` raises besides, and before: a snapshot is taken without a key, so it holds all of these, and a
 * `set` finds out whether its key may have been deleted since.
 */
export function deleteTag(keyHash: string): string {
  return `~d${lotOf(keyHash) % copies}`;
}

/** Whether a tag must be confirmed before the others of the same invalidation are sent. */
export function isEarlyTag(tag: string): boolean {
  return tag.startsWith('~d') || isTreePart(tag);
}

/** The tags that every snapshot holds. */
export function snapshotTags(shared: boolean): string[] {
  return [...clearTags(shared), ...Array.from({ length: copies }, (_, i) => `~d${i}`)];
}

/** 18 bits of the hash. */
function lotOf(keyHash: string): number {
  let lot = 0;
  for (let at = 0; at < 3; at++) lot = lot * 64 + digits.indexOf(keyHash.charAt(at));
  return lot;
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** What `clear()` raises. */
export function clearTags(shared: boolean): string[] {
  return shared ? Array.from({ length: copies }, (_, i) => `~*${i}`) : ['~*'];
}

/** A view: namespaces from the outer to the inner one, and a tenant. */
export interface Place {
  readonly namespaces: readonly string[];
  readonly tenant: string | number | undefined;
}

/** What `clear()` of a view raises. */
export function starOf({ namespaces, tenant }: Place): string {
  return `~v${encodeKey([namespaces, tenant])}`;
}

/** The stars of a view and of all views around it: an outer one clears the inner ones too. */
export function starsOf({ namespaces, tenant }: Place): string[] {
  const stars: string[] = [];
  for (let depth = 0; depth <= namespaces.length; depth++) {
    const outer = namespaces.slice(0, depth);
    if (depth > 0) stars.push(starOf({ namespaces: outer, tenant: undefined }));
    if (tenant !== undefined) stars.push(starOf({ namespaces: outer, tenant }));
  }
  return stars;
}

/** A tag of the user's, kept apart from our own. */
export function ownTag(tag: string): string {
  return tag.startsWith('~') ? `~~${tag.slice(1)}` : tag;
}

/** The same back: what the user wrote; undefined for one of ours. */
export function saidTag(tag: string): string | undefined {
  if (!tag.startsWith('~')) return tag;
  return tag.startsWith('~~') ? tag.slice(1) : undefined;
}
