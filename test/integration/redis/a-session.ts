import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type RedisStoreOptions, type RedisTarget, redisStore } from '../../../adapters/redis/index.js';
import { systemClock } from '../../../src/adapter/index.js';
import type { StoreEvent, StoreListener, StoreSession } from '../../../src/core/store.js';

export const clock = systemClock();

/** What a session told its cache. */
export interface Heard extends StoreListener {
  readonly tags: string[];
  readonly states: string[];
  readonly errors: unknown[];
  losses: number;
  ups: number;
  provenAt: number;
}

function listener(): Heard {
  const heard: Heard = {
    tags: [],
    states: [],
    errors: [],
    losses: 0,
    ups: 0,
    provenAt: Number.NEGATIVE_INFINITY,
    changed: (tag) => void heard.tags.push(tag),
    lost: () => void heard.losses++,
    proven: (at) => {
      heard.provenAt = at;
    },
    up: () => void heard.ups++,
    report: (event: StoreEvent) =>
      void (event.type === 'breaker' ? heard.states.push(event.state) : heard.errors.push(event.error)),
  };
  return heard;
}

export interface SessionSettings extends RedisStoreOptions {
  /** @defaultValue a name that nobody has used */
  name?: string;
  /** @defaultValue 0 */
  maxStale?: number;
  /** @defaultValue false */
  strict?: boolean;
}

/** Opens a session that is closed when the test is over. */
export function aSession(
  target: RedisTarget,
  { name = `test-${randomUUID()}`, maxStale = 0, strict = false, ...options }: SessionSettings = {},
): { session: StoreSession; heard: Heard; name: string } {
  const heard = listener();
  const session = redisStore(target, options).open({ name, clock, maxStale, strict, listener: heard });
  onTestFinished(() => session.close());
  return { session, heard, name };
}

/** The same, once it is trusted. */
export async function aTrustedSession(target: RedisTarget, settings?: SessionSettings) {
  const opened = aSession(target, settings);
  await until('the session is trusted', () => opened.session.epoch !== undefined);
  return opened;
}

/** The same under `strict`, with more time than a busy machine needs. */
export function aStrictSession(target: RedisTarget, settings: SessionSettings = {}) {
  return aTrustedSession(target, { timeout: '1s', ...settings, strict: true });
}

/** The same, once tags are watched. */
export async function aWatchingSession(target: RedisTarget, settings: SessionSettings) {
  const opened = await aTrustedSession(target, settings);
  await until('tags are watched', () => opened.heard.provenAt > Number.NEGATIVE_INFINITY);
  return opened;
}

/** A session of a Cluster, once all of its nodes are trusted: the epoch is known as soon as the first of them is. */
export async function onEveryNode<T extends { readonly session: StoreSession }>(opening: Promise<T>): Promise<T> {
  const opened = await opening;
  const somewhere = Array.from({ length: 60 }, (_, n) => `somewhere ${n}`);
  await until('every node answers', () => Promise.all(somewhere.map((hash) => opened.session.read(hash, []))));
  return opened;
}

/** Polls until `holds`; a rejection counts as not yet. Resolves with the milliseconds that it took. */
export async function until(what: string, holds: () => unknown, patience = 12_000): Promise<number> {
  const begun = performance.now();
  for (;;) {
    try {
      if (await holds()) return performance.now() - begun;
    } catch {}
    if (performance.now() - begun > patience) throw new Error(`not within ${patience} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** How a call ended, and after how many milliseconds. */
export async function timed(call: Promise<unknown>): Promise<{ error: unknown; took: number }> {
  const begun = performance.now();
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, took: performance.now() - begun };
}

/** The version of one tag. */
export async function versionOf(session: StoreSession, tag: string) {
  return (await session.read(undefined, [tag])).versions[0];
}

/** Collects what must never happen: rejections that nobody handles. */
export function unhandled(): unknown[] {
  const seen: unknown[] = [];
  const note = (reason: unknown) => seen.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  return seen;
}

/** Fences tags, by default for longer than any test takes. */
export async function fence(
  session: StoreSession,
  tags: readonly string[],
  owner: string,
  ms = 60_000,
  timeout = 2000,
): Promise<void> {
  if (session.fence === undefined) throw new Error('it has no fences');
  await session.fence(tags, owner, ms, timeout);
}

/** The owners of one tag whose time is over. */
export async function expired(session: StoreSession, tag: string): Promise<readonly string[] | undefined> {
  return (await session.expired?.([tag]))?.[0];
}
