import type { Ask, Query } from './ask.js';
import { checkTags } from './dependency.js';
import { expected } from './errors.js';
import type { Read } from './face.js';
import type { Landing } from './flight.js';
import type { ReadSettings } from './options.js';
import { resolveReadOptions, withTags } from './resolve.js';
import { nameOf } from './stats.js';
import type { View } from './view.js';

/**
 * What a single read says, of `getOrSet` and `read`. A wrapped function has said all of it beforehand; here it comes with
 * each call, so a plain hit looks at nothing but the names of what was said, and the rest is checked when there is
 * something to load.
 */

/** Reads that say something about staleness or freshness are for `fill` to think about. */
export function isOrdinary(read: Read<unknown, string>): boolean {
  return (
    !read.fresh &&
    read.maxStale === undefined &&
    read.copy === undefined &&
    read.timeout === undefined &&
    read.tolerate === undefined
  );
}

/** @throws TypeError */
export function askOf(view: View, key: string, read: Read<unknown, string>): Ask {
  if (typeof read.load !== 'function') throw expected('load', 'a function', read.load);
  const { key: own, load, fresh = false } = read;
  const { settings: of } = view.parts;
  const settings = settingsOf(read, of.read);
  return view.ask(key, { name: nameOf(own), settings, version: of.version, fresh, load: load as Query['load'] });
}

function settingsOf(read: Read<unknown, string>, base: ReadSettings): ReadSettings {
  // The common read names tags at most; there is nothing to check and complete in it.
  let says = 'nothing';
  for (const name in read)
    if (name !== 'key' && name !== 'load') says = name === 'tags' && says === 'nothing' ? 'tags' : 'more';
  if (says === 'nothing') return base;
  if (says === 'tags') return read.tags === undefined ? base : withTags(base, checkTags(read.tags));
  const { key: _, load: __, ...options } = read;
  return resolveReadOptions(options, base);
}

/** A read whose key is no data, or that is no read at all. It rejects with `error` unless it can go past the cache. */
export function readUnkeyable(view: View, read: Read<unknown, string>, error: unknown): Promise<Landing> {
  const isRead = typeof read === 'object' && read !== null;
  const why = isRead ? error : expected('read', 'an object with `key` and `load`', read);
  return view.unkeyable(why, nameOf(read?.key), taggedLoad(read));
}

/** For a read that goes past the cache: its tags belong to the load around it, which may be stored. */
function taggedLoad(read: Read<unknown, string> | undefined): Query['load'] | undefined {
  if (typeof read?.load !== 'function') return undefined;
  return (context) => {
    if (read.tags !== undefined) context.tag(...read.tags);
    return read.load(context);
  };
}
