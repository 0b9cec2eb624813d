import { hashKey } from '../values/index.js';
import type { Parts } from './parts.js';
import { isFenced, type Version } from './store.js';

/**
 * Whether all processes of a cache go by the same rules, with nothing but what every store does: versions and entries.
 *
 * The rules stand in an entry of their own, under a version of `tag`. Who finds none there raises the tag, and writes its
 * rules under the version that this has made: nobody else has got that one, so no two rules were ever said under one
 * version. They hold for as long as the tag has it. Whatever is lost on the way (the entry, the tag, a race against somebody
 * else) makes them count as unknown, and somebody says them anew.
 *
 * What was made by these rules depends on the tag. So when rules change, all of it ends; and who asks for the version after
 * a change of the database knows whether anybody can have read by other rules before.
 */
export function agree(parts: Parts, tag: string, rules: string): Promise<Version | undefined> {
  if (!parts.shared) return Promise.resolve(undefined);
  const own = underWay.get(parts) ?? new Map<string, Promise<Version | undefined>>();
  underWay.set(parts, own);
  // Clients of one database ask at the same time, and would outdo each other.
  const asked = own.get(tag);
  if (asked !== undefined) return asked;
  const asking = find(parts, tag, rules).finally(() => own.delete(tag));
  own.set(tag, asking);
  return asking;
}

/** What is being asked for, by the tag: all clients of a database have the same rules in one process. */
const underWay = new WeakMap<Parts, Map<string, Promise<Version | undefined>>>();

async function find(parts: Parts, tag: string, rules: string): Promise<Version | undefined> {
  const { session, settings, tags } = parts;
  const key = hashKey(`agreement ${tag}`);
  try {
    const { entry, versions } = await session.read(key, [tag]);
    // Nobody can tell what holds: rules that were agreed on must not end by that.
    if (isFenced(versions[0])) return versions[0];
    const said = read(entry);
    const now = session.now();
    if (said !== undefined && said.version === versions[0]) {
      if (said.rules !== rules && now - said.at < patience) return undefined;
      if (said.rules === rules) {
        if (now - said.at > patience / 5) await session.write(key, write({ ...said, at: now }), keep);
        return said.version;
      }
    }
    const [version] = await session.raise([tag], settings.ackTimeout);
    tags.touch(tag);
    await session.write(key, write({ version: version as Version, rules, at: now }), keep);
    return version;
  } catch {
    return undefined;
  }
}

interface Said {
  readonly version: Version;
  readonly rules: string;
  /** When somebody has last gone by them, in the store's milliseconds. */
  readonly at: number;
}

function write(said: Said): Uint8Array {
  return Buffer.from(JSON.stringify(said));
}

function read(entry: Uint8Array | undefined): Said | undefined {
  if (entry === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(entry).toString()) as Said;
  } catch {
    return undefined;
  }
}

/** Rules that nobody has gone by for so long are over. Milliseconds. */
const patience = 300_000;
const keep = 30 * 24 * 3600 * 1000;
