import { alone } from './alone.js';
import type { Model } from './explore.js';
import { aloneWorlds } from './rules.js';
import { shared } from './shared.js';
import { type WatchAccident, type WatchSetup, watch } from './watch.js';
import { larger, strictWorlds, worlds } from './worlds.js';

/** Our protocol in one world. */
export interface Ours {
  readonly world: string;
  readonly model: () => Model<unknown>;
  /** Only in the large scope. */
  readonly large: boolean;
  /** What is not promised there, and why; it must be found broken, or the documents promise too little. */
  readonly limit?: { readonly breaks: readonly string[]; readonly why: string };
}

const limits: Record<string, NonNullable<Ours['limit']>> = {
  'the writer dies': {
    breaks: ['QUIET'],
    why: 'nobody is left to say that something was written: the old value lives until its ttl',
  },
  'of two programs that set, one writes': {
    breaks: ['NO-LOST-SET', 'QUIET'],
    why: 'a write that is told by `set` alone raises no tag that the snapshot of another `set` could hold',
  },
};

const accidents: readonly WatchAccident[] = [
  'reader dropped',
  'listener dropped',
  'evicted',
  'overflow',
  'cell dropped',
];

const watched: Record<string, WatchSetup> = {
  'watched: a writer elsewhere': { writers: [false], reads: 1 },
  'watched: a writer here': { writers: [true], reads: 1 },
  ...Object.fromEntries(
    accidents.map((accident) => [`watched: ${accident}`, { writers: [false], reads: 1, accidents: { [accident]: 1 } }]),
  ),
};

const watchedLarger: Record<string, WatchSetup> = {
  'watched: two writers elsewhere': { writers: [false, false], reads: 1 },
  'watched: a writer here, one elsewhere': { writers: [true, false], reads: 1 },
  'watched: two reads, two writers': { writers: [true, false], reads: 2 },
  'watched: flushed': { writers: [false], reads: 1, accidents: { flushed: 1 } },
  'watched: both connections dropped twice': {
    writers: [false],
    reads: 1,
    accidents: { 'reader dropped': 2, 'listener dropped': 2 },
  },
  ...Object.fromEntries(
    accidents.map((accident) => [
      `watched: two reads, ${accident}`,
      { writers: [false], reads: 2, accidents: { [accident]: 1 } },
    ]),
  ),
  'watched: dropped, evicted, a writer here': {
    writers: [true],
    reads: 1,
    accidents: { 'reader dropped': 1, 'listener dropped': 1, evicted: 1, 'cell dropped': 1 },
  },
};

function list<Setup>(setups: Record<string, Setup>, model: (setup: Setup) => unknown, large = false): Ours[] {
  return Object.entries(setups).map(([world, setup]) => {
    const limit = limits[world];
    return { world, model: () => model(setup) as Model<unknown>, large, ...(limit === undefined ? {} : { limit }) };
  });
}

export const ours: readonly Ours[] = [
  ...list(worlds, shared),
  ...list(aloneWorlds, alone),
  ...list(watched, watch),
  ...list(strictWorlds, shared),
  ...list(larger, shared, true),
  ...list(watchedLarger, watch, true),
];
