/** What is known about targets that are missed, by the beginning of a row's title; the longest that fits counts. */
export const plans: Readonly<Record<string, string>> = {
  'L1 hit, small row': 'The encoding of the key and the counters of a read; see the profile of `hit-small`.',
  'L1 hit, 2,000 rows with a Date':
    'A private copy of each row: a Date cannot be frozen. Column-wise copies of equal rows would help.',
  'L1 hit, 3 tags': 'As for a small row; checking three cells is a fifth of it.',
  "L1 hit, maxStale: '1s'":
    'Profile: 37 % reading two clocks (`hit` in `src/core/cache.ts` takes `clock.now()` when there is a store). Plan: `clock.coarse()`, and its resolution added to the floor, so that it errs on the side of asking.',
  'wrapped function': 'Profile: encoding the arguments. Plan: a generated encoder for each shape of arguments.',
  'stampede of 1,000, one process':
    'Each of the thousand callers makes an `Ask`, resolves options and awaits a flight of its own. Plan: join the flight in `cache.ts` before options are resolved when the read has none.',
  'stampede of 1,000 over 4 isolates':
    'Loads are one; the tail is callers, which after the wake-up look again one by one. Plan: look again once per flight, and as for one process.',
  'heap of a hit': 'What `getOrSet` is called with counts too. Plan: none before the hit itself.',
  'heap of a small entry':
    'Measured beside the garbage of the other contenders. An entry holds two standing tags with cells of their own, and its promise. Plan: cells of keys only when they are watched.',
  'import of the core': 'lru-cache and msgpackr are most of it; the rest is our own one file.',
  'L2 hit':
    'Profile: 26 % garbage, 11 to 57 % the system call, the rest spread over five awaited functions, two hashed standing tags and the walk over the decoded value. Plan: one promise from `Reads` to the caller, key tags without escaping, no size estimate where memory is off.',
  'L2 hit, 64 concurrent: at Redis':
    'Besides 64 entries each MGET asks for 64 tags of keys and 16 of `clear`: 2.2 times the keys of the minimum. Plan: keep the tag of a key in the entry itself, so that `delete` is the only one who asks for it.',
  'L2 hit, 3 tags, 64 concurrent: at Redis': 'As without tags: the tag of each key doubles the keys of an MGET.',
  'L2 hit, 50 rows':
    'bentocache parses JSON without checking anything, and answers with texts in place of Dates. Profile: decoding 40 %, then the walk that freezes. Plan: freeze while decoding.',
  'miss and fill':
    'Profile: 26 % garbage; per load a scope, a time-out with a timer and a race, an AbortController that nobody asked for, a promise for each write. In an empty Redis each new key also gives its tag a version (SET NX and GET). Plan: one timer for all loads; the tag of a key inside the entry.',
  'batch of 100, half hits':
    'Two round trips and 50 commands, as promised; the rest is a hundred looks and fifty settles of a single read. Plan: one look for all in `many.ts`, with the tags of all in one list.',
  'zipf 95/5':
    'The cost of a load is measured by the clock, so under load a cheap one looks dear, and each miss then takes a lease and publishes its release. Plan: the smallest recent cost decides (`spent` in `src/core/stats.ts`), and leases of a tick travel together (`adapters/redis/leases.ts`).',
};

export function planOf(title: string): string {
  const known = Object.keys(plans).filter((start) => title.startsWith(start));
  const longest = known.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? 'Not looked into yet.' : (plans[longest] as string);
}
