import type { Fences } from './fences.js';
import type { Quarantine } from './quarantine.js';
import { isFenced, type StoreRead, type StoreSession, type Version } from './store.js';

/**
 * The session of a strict cache: what it reads is passed on so that whoever compares versions gets it right without
 * thinking of fences. A fenced version is replaced by one that nobody has seen and nobody will see again, so that it
 * equals nothing, not even what the same fence gave a moment ago: between two looks at one fence a COMMIT may lie. In a
 * quarantine that goes for every version.
 */
export function strictSession(session: StoreSession, fences: Fences, quarantine: Quarantine): StoreSession {
  let reads = 0;
  const read = async (key: string | undefined, tags: readonly string[]): Promise<StoreRead> => {
    const answer = await session.read(key, tags);
    const isOver = quarantine.isOver(answer.epoch);
    if (isOver && !answer.versions.some(isFenced)) return answer;
    const instead = `${isOver ? fenced : quarantined}${++reads}`;
    if (!isOver) return { ...answer, versions: tags.map(() => instead) };
    fences.met(tags.filter((_, at) => isFenced(answer.versions[at])));
    return { ...answer, versions: answer.versions.map((version) => (isFenced(version) ? instead : version)) };
  };
  return {
    read,
    maxEntryBytes: session.maxEntryBytes,
    get epoch() {
      return session.epoch;
    },
    now: () => session.now(),
    write: (key, bytes, ms) => session.write(key, bytes, ms),
    remove: (key) => session.remove(key),
    raise: (tags, timeout, owner) => session.raise(tags, timeout, owner),
    lease: (key, ms) => session.lease(key, ms),
    released: (key, ms) => session.released(key, ms),
    reach: () => session.reach(),
    close: () => session.close(),
  };
}

const fenced = 'f:';
const quarantined = 'f?';

/** Why a version holds for nobody. */
export function whyFenced(tag: string, version: Version): string {
  return String(version).startsWith(quarantined)
    ? 'quarantine: the store may have lost fences, and a transaction from before may still be open'
    : `'${tag}' is being written`;
}
