/** What is known about targets that are missed, by the beginning of a row's title; the longest that fits counts. */
const plans: Readonly<Record<string, string>> = {
  'L1 hit, small row':
    'Profile: 17 % the look-up in lru-cache, 16 % `hit`, 16 % what surrounds it, 6 % `encodeKey`. Plan: a text that needs no escaping is its own key, found without a call; one field in place of the counters of a read.',
  'L1 hit, 2,000 rows with a Date':
    'A private copy of each row on the way to a Date, since a Date cannot be frozen. Plan: one generated copier for rows of one shape in place of a loop over the plan.',
  'L1 hit, 3 tags': 'As for a small row; comparing three cells (`holdsHere`) is 2 % only.',
  'wrapped function, text and number':
    'Profile: 46 % the look-up in lru-cache, likely since the text that was just put together is hashed there for the first time; 9 % putting it together. Plan: none but shorter keys.',
  'wrapped function, text and object':
    'Profile: 26 % the look-up, 12 % `encodeObject`, 8 % `hasExtras`, 7 % `encodePart`. Plan: remember the order and the fitness of the properties for each shape of argument (`src/values/key.ts`).',
  "L1 hit, maxStale: '1s'":
    'Profile: 37 % reading two clocks: `hit` (`src/core/view.ts`) takes `clock.now()` where there is a store. Plan: `clock.coarse()`, with its resolution added to the floor so that it errs on the side of asking. Tried: 1.96 times as fast.',
  'L2 hit':
    'Profile: the system call, then 13 to 26 % garbage; our own code is about a third, spread thin. Plan: do not ask for the tag of each key (tried, without a substitute: 1.10 times as fast), remember the store keys of tags, of which `~*…` is escaped anew each time (tried: 1.02 to 1.06), and one promise from `Reads` to the caller in place of four awaited functions.',
  'L2 hit, 64 concurrent: at Redis':
    'Besides 64 entries each MGET asks for 64 tags of keys and up to 16 of `clear`: more than twice the keys of the minimum. Plan: as for L2 hits, no tag of each key.',
  'L2 hit, 3 tags, 64 concurrent: at Redis': 'As without tags: the tag of each key doubles the keys of an MGET.',
  'L2 hit, 50 rows':
    'The others parse JSON, natively, and answer with texts in place of Dates; only 2 of 8 come back equal. Profile, after the system call: 16 % walks that freeze, check and copy what was just decoded. Plan: where memory is off, hand out what was decoded instead of keeping and copying it.',
  'miss and fill':
    'Profile: 26 % garbage, 12 % writing, 25 % keeping and storing; time-outs, races and AsyncLocalStorage were left out for a trial and gained nothing. Plan: fewer objects between look and store (ask, identity, sight, scope, landing, envelope: one record for all).',
  'miss and fill, 3 tags, 64 concurrent: commands':
    'In an empty Redis a new key also gives its own tag a version: SET NX and GET, in a trip of its own. Plan: no tag of each key; or SET NX GET, one command, where the server is Redis 7.',
  'batch of 100, half hits':
    'Round trips and commands are as promised. Profile: 17 to 26 % garbage; the rest is a hundred looks and fifty settles as if each were alone. Plan: one look with one list of tags for all (`src/core/many.ts`).',
  'an entry with 3 tags in Redis':
    'Of the 335 bytes of an entry 122 are five tags with versions of 18 characters, and 335 are kept in 384 by the allocator. Plan: no tag of each key (309, kept in 320), then one digest of all versions in place of each (about 230, kept in 256).',
  'an entry with 3 tags in Redis: keys':
    'A burst of 1,000 loads looks dear to each of them, so each takes a lease; these are not sent together, fill `maxInFlight`, and the writes that come next are refused. Plan: leases and releases of a tick in one chunk, as writes are (`adapters/redis/leases.ts`); the smallest recent cost in place of the average (tried with two other changes: 134 of 10,000 writes refused in place of 2,998).',
  'stampede of 1,000, one process':
    'Profile: 22 % garbage, 12 % the callers themselves. Each caller has four promises of ours. Plan: hand the flight on to those who may share it without an async function of their own (`join` in `src/core/view.ts`).',
  'stampede of 1,000 over 4 isolates: loads':
    'One in most runs. Likely who waits takes 1.5 times the known cost of the load for long enough, and then loads too (`acquire` in `src/core/lease.ts`); not proven. Plan: never less than 100 ms above it.',
  'stampede of 1,000 over 4 isolates: p99':
    'Not profiled. By the code, a wake-up comes after the store has confirmed, and a look after it takes a trip. Plan: send the release together with the write.',
  'zipf 95/5':
    'A miss and an L2 hit cost three to four times what they cost without tags, see there, and that is what is done here. Plan: as for L2 hits and for misses. After a start it is worse for a while: every new tag takes a SET NX and a GET, and loads look dear, so that misses take leases. Tried: the smallest recent cost in place of the average (`spent` in `src/core/stats.ts`) saves half of the commands of the first second, and nothing later.',
  'heap of a hit':
    'What `getOrSet` is called with counts too: an object, a closure, a key. Plan: see the profile of `hit-small`.',
  'heap of a small entry':
    'An entry has cells for two standing tags, two lists and a promise. Plan: no tag of each key; the promise made at the first hit.',
  'import of the core':
    "`msgpackr` also loads msgpackr-extract, node-gyp-build-optional-packages and detect-libc. Plan: `import { Packr } from 'msgpackr/pack'` in `src/values/wire.ts`, which loads nothing else and decodes our rows as fast. Tried: 7 of 19 ms less, three packages less.",
};

export function planOf(title: string): string {
  const known = Object.keys(plans).filter((start) => title.startsWith(start));
  const longest = known.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? 'Not looked into yet.' : (plans[longest] as string);
}
