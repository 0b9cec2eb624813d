import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../core/clock.js';
import { StoreUnavailableError } from '../../core/errors.js';
import type { StoreEvent, StoreListener, StoreRead, StoreSession, Version } from '../../core/store.js';
import type { ContractOptions, ContractSession } from './options.js';

/** `strict`: the world has strict sessions. */
export type Case = readonly [name: string, body: (world: World) => Promise<void>, strict?: 'strict' | undefined];

/** What a case works with: two sessions under a name that nobody has used. */
export interface World {
  readonly a: StoreSession;
  /** Another process's session. */
  readonly b: StoreSession;
  /** What `a` was told. */
  readonly heard: Heard;
  readonly clock: Clock | undefined;
  readonly maxStale: number;
  readonly patience: number;
  /** One more session under the same name. */
  more(): Promise<StoreSession>;
  /** The same, without waiting for the store to answer it. */
  unready(): Promise<StoreSession>;
  /** One under the same name that is strict where the others are not, and the other way round. */
  unlike(): Promise<{ readonly session: StoreSession; readonly heard: Heard }>;
  /** A session under another name. */
  elsewhere(): Promise<StoreSession>;
  /** Polls until `holds` does, and fails when patience is over; what it throws counts as not yet. */
  until<T>(what: string, holds: () => T | Promise<T>): Promise<T>;
  /** Reads as soon as the store answers: an outage or a loss that it has noticed may take it a moment. */
  readAgain(session: StoreSession, key: string | undefined, tags: readonly string[]): Promise<StoreRead>;
}

/** Milliseconds that a raise may take here. Generous: a busy machine is no breach of contract. */
export const soon = 2000;
export const minute = 60_000;

/** What a listener was told since the last `forget`. */
export interface Heard {
  readonly listener: StoreListener;
  readonly changed: ReadonlySet<string>;
  readonly losses: number;
  readonly ups: number;
  readonly errors: readonly unknown[];
  /** Calls of any kind. */
  readonly calls: number;
  /** Up to when everything has been reported. As in a cache, a loss ends it and forgetting does not. */
  readonly proven: number;
  forget(): void;
}

function listening(): Heard {
  const heard = {
    listener: {
      changed(tag: string) {
        heard.calls += 1;
        heard.changed.add(tag);
      },
      lost() {
        heard.calls += 1;
        heard.losses += 1;
        heard.proven = Number.NEGATIVE_INFINITY;
      },
      proven(at: number) {
        heard.calls += 1;
        heard.proven = Math.max(heard.proven, at);
      },
      up() {
        heard.calls += 1;
        heard.ups += 1;
      },
      report(event: StoreEvent) {
        heard.calls += 1;
        if (event.type === 'error') heard.errors.push(event.error);
      },
    },
    changed: new Set<string>(),
    losses: 0,
    ups: 0,
    errors: [] as unknown[],
    calls: 0,
    proven: Number.NEGATIVE_INFINITY,
    forget() {
      heard.changed.clear();
      heard.losses = 0;
      heard.ups = 0;
      heard.calls = 0;
    },
  };
  return heard;
}

/** Opens a world for `body`, and ends all of its sessions whatever happens. */
export async function inWorld(options: ContractOptions, [, body, strictly]: Case): Promise<void> {
  const patience = options.patience ?? 5000;
  const name = `contract-${randomUUID()}`;
  const heard = listening();
  // Left out where it is false: stores without fences need not know of it.
  const strict = strictly && true;
  const opened: ContractSession[] = [];
  const kept = async (opening: Promise<ContractSession>) => {
    const one = await opening;
    opened.push(one);
    return one;
  };
  const until: World['until'] = async (what, holds) => {
    const end = performance.now() + patience;
    let last: unknown;
    // Once more after the end: a machine may be so busy that the pause alone took longer than that.
    for (let over = false; ; over = performance.now() >= end) {
      try {
        const value = await holds();
        if (value !== false && value !== undefined) return value;
        last = undefined;
      } catch (error) {
        // A broken promise is not going to mend; a store that does not answer yet may.
        if (error instanceof assert.AssertionError) throw error;
        last = error;
      }
      if (over) break;
      await sleep(5);
    }
    throw new assert.AssertionError({
      message: `not so after ${patience} ms: ${what}${last === undefined ? '' : ` (${last})`}`,
    });
  };
  const readAgain: World['readAgain'] = (session, key, tags) =>
    until('the store answers a read', () => session.read(key, tags));
  const ready = async ({ session }: ContractSession) => {
    // Many tags and keys: a store of several nodes is there when all of them are.
    const reads = () => numbered(16).map((key) => session.read(key, numbered(64)));
    await until('the store answers', () => Promise.all([session.reach(), ...reads()]));
    return session;
  };
  try {
    const one = await kept(options.open(name, heard.listener, strict));
    const two = await kept(options.another(name, undefined, strict));
    await body({
      a: await ready(one),
      b: await ready(two),
      heard,
      clock: one.clock,
      maxStale: options.maxStale ?? 0,
      patience,
      more: async () => ready(await kept(options.another(name, undefined, strict))),
      elsewhere: async () => ready(await kept(options.another(`${name}-elsewhere`, undefined, strict))),
      unready: async () => (await kept(options.another(name, undefined, strict))).session,
      unlike: async () => {
        const other = listening();
        return { session: (await kept(options.another(name, other.listener, !strict))).session, heard: other };
      },
      until,
      readAgain,
    });
  } finally {
    await Promise.all(opened.map((session) => session.dispose()));
  }
}

/** Waits until changes of `tags` are going to be reported to `a`. */
export async function watched({ a, until }: World, tags: readonly string[]): Promise<void> {
  await until('a read says that it is watched', async () => (await a.read(undefined, tags)).watched);
}

/** For stores that keep entries: one that keeps versions only has nothing to show. */
export function keeping(body: (world: World) => Promise<void>): (world: World) => Promise<void> {
  return async (world) => {
    if (world.a.maxEntryBytes > 0) await body(world);
  };
}

/** One call of each kind that may reject. */
export function calls(session: StoreSession, timeout = soon): Record<string, () => Promise<unknown>> {
  return {
    read: () => session.read('key', ['tag']),
    write: () => session.write('key', bytesOf('value'), minute),
    raise: () => session.raise(['tag'], timeout),
    lease: () => session.lease('key', 100),
    reach: () => session.reach(),
    ...(session.fence && { fence: async () => session.fence?.(['tag'], 'owner', 100, timeout) }),
    ...(session.expired && { expired: async () => session.expired?.(['tag']) }),
  };
}

/** Tags that stores have stumbled over, by what is odd about them. No two of a group may be taken for one. */
export function oddTags(): Record<string, readonly string[]> {
  const long = 'x'.repeat(4999);
  return {
    'one with braces': ['{', '}', '{}', '{tag}', 'a{tag}b', 'tag', '{{tag}}', '%7B', '%7Btag%7D', '%257B'],
    'one with spaces': [' ', '  ', ' a', 'a ', 'a', 'a b', 'a\tb', 'a\u00a0b'],
    'one with line ends': ['a\r\nb', 'a\nb', 'a\rb', '\r\n', '%0D%0A', '\u2028'],
    'one with NUL': ['\0', 'a\0', 'a', 'a\0b', '%00'],
    'the empty one': ['', '%', '""'],
    'one of 5,000 characters': [`${long}a`, `${long}b`, long, `${long}aa`],
    'one with letters of all kinds': ['😀', '😁', '👩‍👩‍👧', 'é', 'e\u0301', 'ﬁ', 'fi', '\ufeff', '日本'],
    'one with signs that mean something elsewhere': ['*', '?', '[a]', 'a:b', 'a|b', 'a,b', '\\', '%', '%2A', "'", '"'],
    'one that objects have': ['__proto__', 'constructor', 'toString', 'length', '0', '-0', 'NaN', 'undefined', 'null'],
  };
}

export function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `tag-${index}`);
}

export async function versionOf(session: StoreSession, tag: string): Promise<Version> {
  return one(session.read(undefined, [tag]).then((read) => read.versions));
}

export async function one<T>(several: Promise<readonly T[]>): Promise<T> {
  const [only, ...others] = await several;
  assert.ok(only !== undefined && others.length === 0, 'one tag, one version');
  return only;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes to compare: a Buffer and a Uint8Array of the same bytes are the same here. */
export function plain(bytes: Uint8Array | undefined): readonly number[] | undefined {
  return bytes && [...bytes];
}

export function expectUnavailable(error: unknown): undefined {
  assert.ok(error instanceof StoreUnavailableError, `${error} is not a StoreUnavailableError`);
}
