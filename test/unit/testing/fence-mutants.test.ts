import { expect, test } from 'vitest';
import type { StoreSession, Version } from '../../../src/core/store.js';
import { type Mutation, mutant, run } from './mutant.js';

// The fences that come to mind first, each on top of a store that has none, and the case that shows what is wrong with it.

/** What a naive store keeps for a tag. */
interface Kept {
  count: number;
  /** With the moment at which their time is over. */
  readonly owners: Map<string, number>;
}

interface Naive {
  fence(kept: Kept, owner: string, ms: number): void;
  /** Somebody raises the tag, in the name of `owner` if it is given. */
  raise(kept: Kept, owner: string | undefined): void;
  isFenced(kept: Kept): boolean;
  expired(kept: Kept): readonly string[];
}

/** A set of owners that nothing but its owners ends: what a mutant does not change. */
const right: Naive = {
  fence: ({ owners }, owner, ms) => void owners.set(owner, Date.now() + ms),
  raise: ({ owners }, owner) => void owners.delete(owner ?? ''),
  isFenced: ({ owners }) => owners.size > 0,
  expired: ({ owners }) => [...owners].flatMap(([owner, until]) => (until <= Date.now() ? [owner] : [])),
};

const mutants: readonly [what: string, naive: Partial<Naive>, ...caught: readonly string[]][] = [
  [
    'is a flag',
    {
      fence: (kept) => void (kept.count = 1),
      raise(kept, owner) {
        if (owner !== undefined) kept.count = 0;
      },
      isFenced: ({ count }) => count > 0,
    },
    '6: a tag that two owners fence stays so until both have let go, whoever begins',
    "6: the late word of an owner who has let go does not lift another's fence",
  ],
  [
    'is a counter',
    {
      fence: (kept) => void kept.count++,
      raise(kept, owner) {
        if (owner !== undefined) kept.count = Math.max(0, kept.count - 1);
      },
      isFenced: ({ count }) => count > 0,
    },
    "6: the late word of an owner who has let go does not lift another's fence",
    '6: who has fenced a tag twice lets go of it once',
    "6: a raise in nobody's name, or a stranger's, gives a fenced tag another fenced version",
  ],
  [
    'ends with its time',
    { isFenced: ({ owners }) => [...owners.values()].some((until) => Date.now() < until) },
    '6: a fence does not end with its time; anybody is told whose time is over, and may let go in his name',
  ],
  [
    'is lifted by any invalidation',
    { raise: ({ owners }) => owners.clear() },
    "6: a raise in nobody's name, or a stranger's, gives a fenced tag another fenced version",
    '6: once a fence is confirmed no read that begins gives a free version, however many are on their way',
  ],
  [
    'is never lifted',
    { raise() {} },
    '6: a fenced tag has a fenced version for everybody until its owner lets go of it, and then another one',
  ],
  [
    'is seen by nobody',
    { isFenced: () => false },
    '6: a fenced tag has a fenced version for everybody until its owner lets go of it, and then another one',
    '6: hundreds of tags, most of them never seen, can be fenced at once, and no other tag is',
  ],
  [
    'keeps the time that its owner had first',
    { fence: ({ owners }, owner, ms) => void owners.set(owner, owners.get(owner) ?? Date.now() + ms) },
    '6: who fences a tag again has more time',
  ],
  [
    'tells of owners before their time is over',
    { expired: ({ owners }) => [...owners.keys()] },
    '6: who fences a tag again has more time',
  ],
];

function storeWith(naive: Partial<Naive>): Mutation {
  const { fence, raise, isFenced, expired } = { ...right, ...naive };
  const kept = new Map<string, Kept>();
  const of = (tag: string) => {
    const known = kept.get(tag) ?? { count: 0, owners: new Map() };
    kept.set(tag, known);
    return known;
  };
  const shown = (tag: string, version: Version) => (isFenced(of(tag)) ? `f${version}` : version);
  return (inner): Partial<StoreSession> => ({
    async read(key, tags) {
      const read = await inner.read(key, tags);
      return { ...read, versions: read.versions.map((version, at) => shown(tags[at] as string, version)) };
    },
    async raise(tags, timeout, owner) {
      for (const tag of tags) raise(of(tag), owner);
      const versions = await inner.raise(tags, timeout);
      return versions.map((version, at) => shown(tags[at] as string, version));
    },
    async fence(tags, owner, ms) {
      for (const tag of tags) fence(of(tag), owner, ms);
    },
    expired: async (tags) => tags.map((tag) => expired(of(tag))),
  });
}

const each = mutants.flatMap(([what, naive, ...caught]) => caught.map((name) => [what, name, naive] as const));

test.each(each)('a fence that %s is caught: %s', async (_, caught, naive) => {
  await expect(run(mutant(storeWith(naive)), caught)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
});

test.each([...new Set(each.map(([, caught]) => caught))])('a set of owners passes: %s', async (caught) => {
  await run(mutant(storeWith({})), caught);
});

test('a fence that outlives the store that held it is caught', async () => {
  const caught = '4: after a loss that took a fence the epoch is another, and tags can be fenced again';
  await expect(run(mutant(storeWith({})), caught)).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
});

test.each([
  ['a session that is not strict, where others are, is refused and says so once', false],
  ['a session that is strict, where others are not, is refused and says so once', true],
])('a store that takes everybody is caught: %s', async (name, strict) => {
  const lenient = mutant(() => ({}));
  const open = (as: string, listener?: Parameters<typeof lenient.open>[1]) => lenient.open(as, listener, strict);
  await expect(run({ ...lenient, open, another: open }, `strict: ${name}`)).rejects.toMatchObject({
    code: 'ERR_ASSERTION',
  });
});
