import { AsyncLocalStorage } from 'node:async_hooks';
import type { Traced } from './outcome.js';
import type { Scope } from './scope.js';
import type { Version } from './store.js';
import type { Unit } from './unit.js';

/** The reads of one request, in the order in which they were answered. */
export type Trace = Traced[];

/** What surrounds the code that is running: a load, a transaction, a traced request; the inner one first. */
export interface Context {
  /** The cache that it belongs to. */
  readonly owner: object;
  readonly scope?: Scope | undefined;
  /** The keys that are being loaded. */
  readonly keys?: readonly string[] | undefined;
  readonly unit?: Unit | undefined;
  /** It compares the cache with the database, so its reads go past the one. */
  readonly audit?: object | undefined;
  readonly trace?: Trace | undefined;
  readonly outer: Context | undefined;
  /** What it surrounded is over; code that was started in it and goes on is outside of it. */
  ended: boolean;
}

type Inside = Pick<Context, 'owner' | 'scope' | 'keys' | 'unit' | 'audit' | 'trace'>;

const storage = new AsyncLocalStorage<Context>();
/** Asking an AsyncLocalStorage costs more than a whole hit, so nobody asks while nothing runs in any context. */
let running = 0;

/** The loads that are under way, of every cache. */
const loads = new Set<Context>();

/** The innermost context, if any. */
export function currentContext(): Context | undefined {
  return running === 0 ? undefined : alive(storage.getStore());
}

/** Runs `fn` inside a context that ends when its promise settles. */
export async function runWithin<T>(inside: Inside, fn: () => T | Promise<T>): Promise<T> {
  const context = enter(inside);
  if (inside.scope !== undefined) loads.add(context);
  running++;
  try {
    return await storage.run(context, started, fn);
  } finally {
    context.ended = true;
    loads.delete(context);
    // While any storage is in use, Node watches every promise of the process, which doubles the cost of each. So ours is
    // out of use when nothing runs in a context.
    if (--running === 0) storage.disable();
  }
}

/** The same as if nothing surrounded the running code. */
export function runApart<T>(inside: Inside, fn: () => T | Promise<T>): Promise<T> {
  return storage.run(undefined as never, () => runWithin(inside, fn));
}

/** What begins its work when somebody waits for it, as a query builder does, must be waited for in here. */
function started<T>(fn: () => T | Promise<T>): T | Promise<T> {
  const result = fn();
  if (result instanceof Promise || typeof (result as PromiseLike<T> | undefined)?.then !== 'function') return result;
  return new Promise<T>((resolve, reject) => void (result as PromiseLike<T>).then(resolve, reject));
}

/** Runs `fn`, and all that it starts, in a context that nobody says the end of. */
export function runForGood<T>(inside: Inside, fn: () => T): T {
  running++;
  return storage.run(enter(inside), fn);
}

/** Written out: every load makes one, and a spread would give each a hidden class of its own. */
function enter({ owner, scope, keys, unit, audit, trace }: Inside): Context {
  return { owner, scope, keys, unit, audit, trace, outer: alive(storage.getStore()), ended: false };
}

function alive(context: Context | undefined): Context | undefined {
  while (context?.ended) context = context.outer;
  return context;
}

/** The keys of this cache whose loads the code is running for. */
export function keysAround(owner: object): string[] {
  const keys: string[] = [];
  for (let context = currentContext(); context !== undefined; context = alive(context.outer))
    if (context.owner === owner && context.keys !== undefined) keys.push(...context.keys);
  return keys;
}

/** What surrounds each load that is under way, of every cache. */
export function loadsUnderWay(): ReadonlySet<Context> {
  return loads;
}

/** Whether the code is running for a load of any cache. */
export function isInLoad(): boolean {
  let context = currentContext();
  while (context !== undefined && context.scope === undefined) context = alive(context.outer);
  return context !== undefined;
}

/** The load that the code is running for, whatever stands between; undefined also when it is another cache's. */
export function currentScope(owner: object): Scope | undefined {
  for (let context = currentContext(); context !== undefined; context = alive(context.outer)) {
    if (context.scope === undefined) continue;
    if (context.owner === owner) return context.scope;
    // Versions of one store mean nothing in another.
    return void context.scope.tear('it holds a value of another cache');
  }
  return undefined;
}

/** The innermost transaction of this cache that has not ended: work that outlives its transaction is outside of it. */
export function currentUnit(owner: object): Unit | undefined {
  for (let context = currentContext(); context !== undefined; context = alive(context.outer))
    if (context.owner === owner && context.unit?.ended === false) return context.unit;
  return undefined;
}

/** The audit of this cache that the code is running for. */
export function currentAudit(owner: object): object | undefined {
  for (let context = currentContext(); context !== undefined; context = alive(context.outer))
    if (context.owner === owner && context.audit !== undefined) return context.audit;
  return undefined;
}

/** Adds a read to the trace of the current request, if it is traced and has not grown too long. */
export function note(owner: object, read: () => Traced): void {
  const trace = currentTrace(owner);
  if (trace !== undefined && trace.length < longestTrace) trace.push(read());
}

/** The first reads of a request say what it does; a trace must not become a leak. */
const longestTrace = 1000;

/** The trace of the current request, if it is traced. */
export function currentTrace(owner: object): Trace | undefined {
  for (let context = currentContext(); context !== undefined; context = alive(context.outer))
    if (context.owner === owner && context.trace !== undefined) return context.trace;
  return undefined;
}

/** Hands the dependencies of a value to the load that asked for it, if one did. */
export function handUp(
  owner: object,
  inner: { pairs: Iterable<readonly [string, Version]>; ttl: number; stale: boolean; torn: string | undefined },
): void {
  const scope = currentScope(owner);
  if (scope === undefined) return;
  scope.tracked = true;
  scope.sources++;
  scope.hasData();
  for (const [tag, version] of inner.pairs) scope.add(tag, version);
  scope.ttl = Math.min(scope.ttl, inner.ttl);
  if (inner.stale) scope.tear('it holds a value that was served stale');
  if (inner.torn !== undefined) scope.tear(inner.torn);
}

/** What a load that failed has read, nobody hears; a load that catches its error has made something of that. */
export function orTorn<T>(owner: object, loading: Promise<T>): Promise<T> {
  // Most reads are in no load, and are not to wait a turn longer for it.
  return running === 0 ? loading : tornBy(owner, loading);
}

async function tornBy<T>(owner: object, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    currentScope(owner)?.tear('a cached value in it could not be loaded');
    throw error;
  }
}
