import { AsyncResource } from 'node:async_hooks';
import { entryOf } from '../../core/caller.js';
import { expected } from '../../core/errors.js';
import type { Parts } from '../../core/parts.js';
import type { CycleRun } from './cycle.js';
import type { NameCall, WarmCall, WarmOptions } from './options.js';
import type { OwnReads } from './reads.js';
import type { Cycle, Record } from './record.js';

/** A call to keep warm: the key of its entry, and its refresh, for the tenant for whom it was named. */
interface Named extends WarmCall {
  readonly key: string;
  refresh(): Promise<unknown>;
}

type Locate = (args: readonly unknown[]) => { readonly parts: Parts; readonly key: string };

/**
 * The form with `keys`: refreshes what is still read. A call that was not in the list of the last cycle is loaded once in
 * any case: that is what warms a cold start. From then on it must be read to be loaded again.
 */
export class Keys {
  readonly #parts: Parts;
  readonly #list: NonNullable<WarmOptions['keys']>;
  readonly #reads: OwnReads;
  readonly #record: Record;
  /** When each was refreshed here, in the store's time. */
  #refreshed = new Map<string, number>();

  constructor(parts: Parts, list: NonNullable<WarmOptions['keys']>, reads: OwnReads, record: Record) {
    this.#parts = parts;
    this.#list = list;
    this.#reads = reads;
    this.#record = record;
  }

  /** The calls of this cycle, each once. @throws what the list throws, UnkeyableError, TypeError */
  async named(): Promise<ReadonlyMap<string, Named>> {
    const calls = new Map<string, Named>();
    for (const call of await this.#list(this.#name)) {
      const { key } = call as Named;
      if (key === undefined) throw expected('keys', 'a function that gives a list of `call(fn, …)`', call);
      calls.set(key, call as Named);
    }
    return calls;
  }

  /** Refreshes those that are new or were read since; `last` is the last cycle that anybody began. */
  async refresh(run: CycleRun, calls: ReadonlyMap<string, Named>, last: Cycle | undefined): Promise<void> {
    const known = new Set(last?.keys);
    const wanted: Named[] = [];
    const look = async ([key, call]: [string, Named]) => {
      // Asked in any case: a read before this refresh must not count after it.
      const isRead = this.#reads.take(key);
      const since = this.#refreshed.get(key) ?? (known.has(key) ? (last as Cycle).began : undefined);
      if (since === undefined || isRead || (await this.#record.toldRead(key)) > since) wanted.push(call);
      else run.skipped++;
    };
    await Promise.all([...calls].map(look));
    const refreshed = this.#refreshed;
    // What has left the list is new when it comes back.
    this.#refreshed = new Map([...refreshed].filter(([key]) => calls.has(key)));
    for (const [key] of calls)
      if (known.has(key) && !refreshed.has(key)) this.#refreshed.set(key, (last as Cycle).began);
    await run.each(wanted, async ({ key, refresh }) => {
      const now = this.#parts.session.now();
      await refresh();
      this.#refreshed.set(key, now);
      this.#reads.madeByUs(key);
    });
  }

  readonly #name: NameCall = (fn, ...args): Named => {
    const locate = (fn as { [entryOf]?: Locate } | undefined)?.[entryOf];
    if (locate === undefined) throw expected('fn', 'a function that withCache has wrapped, or its handles', fn);
    const { parts, key } = locate(args);
    if (parts !== this.#parts) throw expected('fn', 'a cached function of the same cache', fn);
    return { fn, args, key, refresh: AsyncResource.bind(() => fn.fresh(...args)) };
  };
}
