import { describe, expect, test } from 'vitest';
import type { Lease, StoreRead, Version } from '../../../src/core/store.js';
import { storeContract } from '../../../src/testing/index.js';
import { type Hearing, type Mutation, mutant, run } from './mutant.js';

// A suite that nothing fails proves nothing. Each mutant is the reference with one promise broken, and the case that
// is about this promise has to notice.

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const mutants: readonly [what: string, caught: string, mutate: Mutation, hear?: Hearing][] = [
  [
    'counts versions per tag, and starts again after a loss',
    '1: a tag that the store has lost gets a version that never existed',
    (inner, _, { beside }) => {
      const count = (tag: string, by: number) => {
        const next = Number(beside.get(tag) ?? 1) + by;
        beside.set(tag, next);
        return next;
      };
      return {
        async read(key, tags) {
          return { ...(await inner.read(key, tags)), versions: tags.map((tag) => count(tag, 0)) };
        },
        async raise(tags, timeout) {
          await inner.raise(tags, timeout);
          return tags.map((tag) => count(tag, 1));
        },
      };
    },
  ],
  [
    'gives each session its own version of a new tag',
    '1: two sessions that read an unseen tag at the same time get the same version',
    (inner, { name }, { beside }) => ({
      async read(key, tags) {
        const read = await inner.read(key, tags);
        for (const tag of tags) {
          if (beside.has(`${name} ${tag}`)) continue;
          // Looks whether the tag is there, and sets it some time after.
          const mine = await inner.raise([tag], 1000);
          await later(1);
          beside.set(`${name} ${tag}`, mine[0] as Version);
          return {
            ...read,
            versions: tags.map((one, index) =>
              one === tag ? (mine[0] as Version) : (read.versions[index] as Version),
            ),
          };
        }
        return read;
      },
    }),
  ],
  [
    'confirms a raise before it takes effect',
    '2: raise resolves with the versions that everybody reads from then on, in order',
    (inner, { name }, { beside }) => ({
      async read(key, tags) {
        const read = await inner.read(key, tags);
        return {
          ...read,
          versions: tags.map((tag, at) => beside.get(`${name} ${tag}`) ?? (read.versions[at] as Version)),
        };
      },
      async raise(tags, timeout) {
        const { versions } = await inner.read(undefined, tags);
        for (const [index, tag] of tags.entries()) beside.set(`${name} ${tag}`, versions[index] as Version);
        void later(5).then(() => {
          for (const tag of tags) beside.delete(`${name} ${tag}`);
        });
        return inner.raise(tags, timeout);
      },
    }),
  ],
  [
    'lets other sessions read from a replica that is a moment behind',
    '2: a raise is seen by the other session at once',
    (inner, _, { beside }) => {
      const mine = new Set<string>();
      return {
        async read(key, tags) {
          const read = await inner.read(key, tags);
          const seen = (tag: string, at: number) => (mine.has(tag) ? undefined : beside.get(tag)) ?? read.versions[at];
          return { ...read, versions: tags.map((tag, at) => seen(tag, at) as Version) };
        },
        async raise(tags, timeout) {
          const { versions } = await inner.read(undefined, tags);
          for (const [at, tag] of tags.entries()) {
            mine.add(tag);
            beside.set(tag, versions[at] as Version);
            void later(2).then(() => beside.delete(tag));
          }
          return inner.raise(tags, timeout);
        },
      };
    },
  ],
  ...[
    '2: once a raise is confirmed no read that begins gives an older version, however many are on their way',
    '3: a read never takes over the answer of one that left before it',
  ].map((caught): [string, string, Mutation] => [
    'joins a read that is already on its way',
    caught,
    (inner) => {
      const under = new Map<string, Promise<StoreRead>>();
      return {
        read(key, tags) {
          const question = JSON.stringify([key, tags]);
          const joined = under.get(question);
          if (joined !== undefined) return joined;
          // Answered now, heard of a moment later, as over a wire.
          const answer = Promise.all([inner.read(key, tags), later(2)]).then(([read]) => read);
          under.set(question, answer);
          void answer.finally(() => under.delete(question));
          return answer;
        },
      };
    },
  ]),
  [
    'never changes its epoch',
    '4: whatever is read from a store that went back in time belongs to another epoch',
    (inner) => ({
      epoch: 'for ever',
      async read(key, tags) {
        return { ...(await inner.read(key, tags)), epoch: 'for ever' };
      },
    }),
  ],
  [
    'lets anybody end a lease',
    "leases: a release that comes late does not end somebody else's lease",
    (inner, { name }, { beside }) => ({
      async lease(key, ms) {
        const place = `${name} ${key}`;
        if (beside.has(place)) return undefined;
        beside.set(place, 'held');
        void later(ms).then(() => beside.delete(place));
        return { release: () => void beside.delete(place), renew: async () => true };
      },
      released: (_, ms) => later(Math.min(ms, 20)) as Promise<void>,
      close: () => inner.close(),
    }),
  ],
  [
    'gives a lease to everybody who asks at once',
    'leases: one at a time has the lease of a key, whoever asks',
    () => ({ lease: async () => ({ release() {}, renew: async () => true }) }),
  ],
  [
    'renews whatever lease there is',
    'leases: one that is over cannot be renewed',
    (inner) => ({
      async lease(key, ms) {
        const lease = await inner.lease(key, ms);
        return lease && { ...lease, renew: async (again) => (await lease.renew(again)) || true };
      },
    }),
  ],
  [
    'does not renew',
    'leases: one that is renewed lasts from then on',
    (inner) => ({
      async lease(key, ms) {
        const lease = await inner.lease(key, ms);
        return lease && { ...lease, renew: async () => true };
      },
    }),
  ],
  [
    'gives back with its session what was renewed',
    'leases: one that its owner has renewed outlives his session',
    (inner) => {
      const leases: Lease[] = [];
      return {
        async lease(key, ms) {
          const lease = await inner.lease(key, ms);
          if (lease) leases.push(lease);
          return lease;
        },
        async close() {
          for (const lease of leases) lease.release();
          await inner.close();
        },
      };
    },
  ],
  [
    'keeps leases for ever',
    'leases: one that nobody gives back ends by itself',
    (inner) => ({ lease: (key) => inner.lease(key, 1_000_000) }),
  ],
  [
    'tells nobody that a lease was given back',
    'leases: a release wakes those who wait, at once',
    (_, { clock }) => ({ released: () => new Promise((resolve) => void clock.after(1500, resolve)) }),
  ],
  [
    'gives a tag that is named twice two versions',
    '2: a raise that names a tag twice gives it one version',
    (inner) => ({
      raise: async (tags, timeout) => {
        const versions: Version[] = [];
        for (const tag of tags) versions.push(...(await inner.raise([tag], timeout)));
        return versions;
      },
    }),
  ],
  [
    'trims tags',
    'tags: one with spaces is a text like any other',
    (inner) => ({
      read: (key, tags) =>
        inner.read(
          key,
          tags.map((tag) => tag.trim()),
        ),
      raise: (tags, timeout) =>
        inner.raise(
          tags.map((tag) => tag.trim()),
          timeout,
        ),
    }),
  ],
  [
    'escapes braces, and not its own escapes',
    'tags: one with braces is a text like any other',
    (inner) => {
      const escaped = (tag: string) => tag.replaceAll('{', '%7B').replaceAll('}', '%7D');
      return {
        read: (key, tags) => inner.read(key, tags.map(escaped)),
        raise: (tags, timeout) => inner.raise(tags.map(escaped), timeout),
      };
    },
  ],
  [
    'keeps entries as text',
    'entries: one of every byte value comes back as it was written',
    (inner) => ({
      write: (key, bytes, ms) => inner.write(key, new TextEncoder().encode(new TextDecoder().decode(bytes)), ms),
    }),
  ],
  [
    'takes an empty entry for none',
    'entries: one of no bytes comes back as it was written',
    (inner) => ({
      read: async (key, tags) => {
        const read = await inner.read(key, tags);
        return { ...read, entry: read.entry?.byteLength ? read.entry : undefined };
      },
    }),
  ],
  [
    'keeps entries for ever',
    'entries: one ends after its time, another stays',
    (inner) => ({ write: (key, bytes) => inner.write(key, bytes, 1_000_000) }),
  ],
  [
    'reports a change under a name of its own',
    "watching: the listener hears of another session's raise, by the tag's own text",
    () => ({}),
    (listener) => ({ ...listener, changed: (tag) => listener.changed(`t:{${tag}}`) }),
  ],
  [
    'proves before it reports',
    'watching: a change is reported before any proof that covers it',
    () => ({}),
    (listener) => ({ ...listener, changed: (tag) => void later(20).then(() => listener.changed(tag)) }),
  ],
  [
    'keeps a loss to itself',
    'watching: the listener hears that the store was emptied',
    () => ({}),
    (listener) => ({ ...listener, lost() {} }),
  ],
  [
    'goes on after close',
    '5: after close every call rejects, and nothing that cannot reject throws',
    () => ({ close: async () => {} }),
  ],
];

describe('the suite fails a store that', () => {
  test.each(mutants)('%s: %s', async (_, caught, mutate, hear) => {
    await expect(run(mutant(mutate, hear), caught)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
  });
});

test('every case passes for the store that the mutants are made from', { timeout: 60_000 }, async () => {
  for (const { name } of storeContract(mutant(() => ({}))))
    await run(
      mutant(() => ({})),
      name,
    );
});

test('names of cases are unique', () => {
  const names = storeContract({ ...mutant(() => ({})), down: async () => {}, up: async () => {} }).map(
    ({ name }) => name,
  );
  expect(new Set(names).size).toBe(names.length);
});

test('cases about faults are part of the suite only when it is told how to bring them about', () => {
  const { open, another } = mutant(() => ({}));
  const names = storeContract({ open, another }).map(({ name }) => name);
  expect(names.filter((name) => /loss|lost|emptied|went back|out of reach|watching/.test(name))).toEqual([]);
});
