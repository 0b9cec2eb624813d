import fc from 'fast-check';
import { createCache, InvalidationPendingError, LoadTimeoutError, StoreUnavailableError } from '../../src/index.js';
import { type FaultyStore, fakeClock, faultyStore, memoryStore } from '../../src/testing/index.js';
import { watch } from './audit.js';
import { contains, Database } from './database.js';
import { type Flaw, NaiveCache, NaiveServer } from './naive.js';
import { scheduled } from './scheduled.js';
import { unwatched } from './unwatched.js';
import type { Subject } from './world.js';

/**
 * Random programs for a few processes, run in random orders of all that can be reordered: requests and answers of the
 * store, queries and their answers, commits. What every order must keep is the promise itself, ACK: a read returns at
 * least every write that was acknowledged before the read began.
 */
export type Op =
  | { readonly op: 'read' | 'get' | 'fresh' | 'set'; readonly key: Key }
  | { readonly op: 'write' | 'write in a transaction'; readonly row: Row }
  | { readonly op: 'write and delete' | 'write and set'; readonly key: PlainKey }
  | { readonly op: 'write and clear' | 'write and clear the namespace'; readonly row: Row }
  | { readonly op: 'remember' | 'go back' | 'lose' | 'down' | 'up' };

type Row = 'a' | 'b';
/** `a`, `b`: a row each, by its tag. `learned`: row a, its tag found in the data. `both`: an outer load of a and b. */
type PlainKey = 'a' | 'b' | 'view';
type Key = PlainKey | 'learned' | 'both' | 'twice';
type Values = Readonly<Partial<Record<Row, number>>>;

export interface Actor {
  /** Which process. */
  readonly at: number;
  readonly ops: readonly Op[];
}

const rows: Record<Key, readonly Row[]> = {
  a: ['a'],
  b: ['b'],
  view: ['a'],
  learned: ['a'],
  both: ['a', 'b'],
  twice: ['a'],
};
/** The keys whose end ends a key too. */
const inside: Record<Key, readonly PlainKey[]> = {
  a: ['a'],
  b: ['b'],
  view: ['view'],
  learned: [],
  both: ['a', 'b'],
  twice: ['a'],
};

const allKeys: readonly Key[] = ['a', 'a', 'b', 'view', 'learned', 'both', 'twice'];
const reads = (keys: readonly Key[]) =>
  fc.record({ op: fc.constantFrom('read', 'read', 'read', 'get', 'fresh', 'set'), key: fc.constantFrom(...keys) });
const writes = fc.record({
  op: fc.constantFrom('write', 'write in a transaction', 'write and clear', 'write and clear the namespace'),
  row: fc.constantFrom<Row>('a', 'a', 'b'),
});
const keyed = fc.record({
  op: fc.constantFrom('write and delete', 'write and set'),
  key: fc.constantFrom<PlainKey>('a', 'a', 'b', 'view'),
});

/** Programs for `processes` that read `keys`, with `accidents` that befall the store. */
export function programs(
  processes: number,
  accidents: readonly ('remember' | 'go back' | 'lose' | 'down' | 'up')[] = [],
  keys = allKeys,
): fc.Arbitrary<readonly Actor[]> {
  const op: fc.Arbitrary<Op> = fc.oneof(
    { weight: 5, arbitrary: reads(keys) },
    { weight: 3, arbitrary: writes },
    { weight: 2, arbitrary: keyed },
    ...(accidents.length === 0 ? [] : [{ weight: 2, arbitrary: fc.record({ op: fc.constantFrom(...accidents) }) }]),
  ) as fc.Arbitrary<Op>;
  const actor = fc.record({ at: fc.nat({ max: processes - 1 }), ops: fc.array(op, { minLength: 1, maxLength: 4 }) });
  return fc.array(actor, { minLength: 2, maxLength: 4 });
}

/** What a program runs in. */
export interface Stage {
  readonly caches: readonly Subject[];
  readonly accident?: (what: 'remember' | 'go back' | 'lose' | 'down' | 'up', at: number) => void;
  /** Lets time pass, where something waits for it. */
  readonly tick?: () => Promise<void>;
  /** Ends all outages; resolves when everything is delivered. */
  readonly rest?: () => Promise<unknown>;
}

type Step = (label: string) => Promise<unknown>;

/** Runs a program; rejects with `StaleRead` when a read broke the promise. */
export async function run(program: readonly Actor[], stage: Stage, step: Step): Promise<void> {
  let over = false;
  const passing = async () => {
    while (!over && stage.tick !== undefined) {
      await step('time passes');
      await stage.tick();
    }
  };
  void passing();
  return perform(program, stage, step).finally(() => {
    over = true;
  });
}

async function perform(program: readonly Actor[], stage: Stage, step: Step): Promise<void> {
  const db = new Database();
  const acknowledged = new Map<string, number>();
  const acknowledge = (what: string, row: Row, value: number) => {
    const name = `${what}/${row}`;
    acknowledged.set(name, Math.max(acknowledged.get(name) ?? 0, value));
  };
  const refused: [Row, number][] = [];
  /** What a read of `key` by process `at` must contain, if it begins now. */
  const floorOf = (key: Key, at: number): Values =>
    Object.fromEntries(
      rows[key].map((row) => {
        const names = ['tag', 'clear', `pending at ${at}`, ...inside[key].map((inner) => `key ${inner}`)];
        if (key === 'view') names.push('namespace');
        return [row, Math.max(0, ...names.map((name) => acknowledged.get(`${name}/${row}`) ?? 0))];
      }),
    );
  const query = async (row: Row): Promise<number> => {
    await step(`query ${row}`);
    const value = db.read(row);
    await step(`query ${row} answers ${value}`);
    return value;
  };
  const load = (cache: Subject, key: Key) => ({
    key: nameOf(key),
    ...(key === 'a' || key === 'b' || key === 'view' ? { tags: [`row ${rows[key][0]}`] } : {}),
    load: async ({ tag }: { tag(...tags: string[]): void }): Promise<Values> => {
      if (key === 'both') return { ...(await read(cache, 'a')), ...(await read(cache, 'b')) };
      if (key === 'twice') {
        const first = await read(cache, 'a');
        await read(cache, 'a');
        return first;
      }
      const value = await query(rows[key][0] as Row);
      if (key === 'learned') tag('row a');
      return { [rows[key][0] as Row]: value };
    },
  });
  const viewOf = (cache: Subject, key: Key) => (key === 'view' ? cache.namespace('n') : cache);
  const read = (cache: Subject, key: Key, fresh = false) => {
    const view = viewOf(cache, key);
    return view.getOrSet({ ...load(cache, key), ...(fresh ? { fresh } : {}) });
  };
  const check = (got: Values | undefined, floor: Values, where: string) => {
    if (got !== undefined) for (const row of Object.keys(floor) as Row[]) contains(floor[row], got[row], where);
  };

  /** Of two who set one key at the same time, the last one wins, whatever it has read: neither acknowledges a write. */
  const setting = new Map<Key, Set<{ alone: boolean }>>();
  const beginSetting = (key: Key) => {
    const others = setting.get(key) ?? new Set();
    setting.set(key, others);
    const own = { alone: others.size === 0 };
    for (const other of others) other.alone = false;
    others.add(own);
    return () => others.delete(own) && own.alone;
  };

  async function act(at: number, op: Op): Promise<void> {
    const cache = stage.caches[at] as Subject;
    switch (op.op) {
      case 'read':
      case 'fresh': {
        const floor = floorOf(op.key, at);
        const got = await read(cache, op.key, op.op === 'fresh').catch(late);
        return check(got, floor, `process ${at}: a read of ${op.key}`);
      }
      case 'get': {
        const floor = floorOf(op.key, at);
        const got = await viewOf(cache, op.key).get(nameOf(op.key));
        return check(got as Values | undefined, floor, `process ${at}: a get of ${op.key}`);
      }
      case 'set': {
        if (op.key === 'learned' || op.key === 'both' || op.key === 'twice') return;
        const row = rows[op.key][0] as Row;
        const view = viewOf(cache, op.key);
        const end = beginSetting(op.key);
        const since = await view.snapshot(`row ${row}`).catch(unavailable);
        const value = await query(row);
        if (since !== undefined) await view.set(nameOf(op.key), { [row]: value }, { since }).catch(pending);
        return void end();
      }
      case 'write and set': {
        const row = rows[op.key][0] as Row;
        const view = viewOf(cache, op.key);
        const end = beginSetting(op.key);
        const since = await view.snapshot(`row ${row}`).catch(unavailable);
        await step(`commit ${row}`);
        const value = db.commit(row);
        if (since === undefined) return void end();
        const set = view.set(nameOf(op.key), { [row]: value }, { since });
        const alone = set.then(end, end);
        await written(at, `key ${op.key}`, row, value, set, alone);
        return;
      }
      case 'write and delete': {
        const row = rows[op.key][0] as Row;
        await step(`commit ${row}`);
        const value = db.commit(row);
        return written(at, `key ${op.key}`, row, value, viewOf(cache, op.key).delete(nameOf(op.key)));
      }
      case 'write': {
        await step(`commit ${op.row}`);
        const value = db.commit(op.row);
        return written(at, 'tag', op.row, value, cache.invalidate(`row ${op.row}`));
      }
      case 'write and clear': {
        await step(`commit ${op.row}`);
        const value = db.commit(op.row);
        return written(at, 'clear', op.row, value, cache.clear());
      }
      case 'write and clear the namespace': {
        await step(`commit ${op.row}`);
        const value = db.commit(op.row);
        return written(at, 'namespace', op.row, value, cache.namespace('n').clear());
      }
      case 'write in a transaction': {
        let value = 0;
        const writing = cache.transaction(async () => {
          await cache.invalidate(`row ${op.row}`);
          await read(cache, op.row).catch(late);
          await step(`commit ${op.row}`);
          value = db.commit(op.row);
        });
        return written(at, 'tag', op.row, () => value, writing);
      }
      default:
        await step(op.op);
        stage.accident?.(op.op, at);
    }
  }

  /** A write is acknowledged when its call resolves; one that was refused binds its own process alone. */
  async function written(
    at: number,
    what: string,
    row: Row,
    value: number | (() => number),
    call: Promise<unknown>,
    counts: Promise<boolean> = Promise.resolve(true),
  ): Promise<void> {
    const committed = () => (typeof value === 'number' ? value : value());
    try {
      await call;
      if (await counts) acknowledge(what, row, committed());
    } catch (error) {
      pending(error);
      if (what !== 'tag' && what !== 'clear') return;
      acknowledge(`pending at ${at}`, row, committed());
      refused.push([row, committed()]);
    }
  }

  await Promise.all(
    program.map(async ({ at, ops }) => {
      for (const op of ops) await act(at, op);
    }),
  );
  await stage.rest?.();
  for (const [row, value] of refused) acknowledge('tag', row, value);
  // At rest: everything that was under way has arrived, and nobody may find it.
  for (const [at, cache] of stage.caches.entries())
    for (const key of Object.keys(rows) as Key[]) {
      const floor = floorOf(key, at);
      check(await read(cache, key).catch(late), floor, `process ${at}, at rest: a read of ${key}`);
    }
}

/** Where time passes, a load may wait for the lease of somebody who was cut off. */
function late(error: unknown): undefined {
  if (!(error instanceof LoadTimeoutError)) throw error;
}

function unavailable(error: unknown): undefined {
  if (!(error instanceof StoreUnavailableError)) throw error;
}

/** In its namespace, `view` has the name of another key. */
function nameOf(key: Key): string {
  return key === 'view' ? 'a' : key;
}

/** The store was out of reach: that is what was to be told. */
function pending(error: unknown): void {
  if (!(error instanceof InvalidationPendingError || error instanceof StoreUnavailableError)) throw error;
}

/** Our caches, on a store whose every request and answer waits for `step`. */
export function aStage(processes: number, how: 'memory' | 'watched' | 'unwatched', step: Step, outages = false): Stage {
  const clock = fakeClock();
  // Large bounds are allocated at once, which would be most of what a run takes.
  const memory = { maxEntries: 100 };
  if (how === 'memory') return { caches: [watch(createCache({ clock, memory, jitter: 0 }), clock)] };
  const server = memoryStore({ maxVersions: 1000, maxEntries: 100 });
  const wires: FaultyStore[] = [];
  let goBack = () => {};
  const caches = Array.from({ length: processes }, () => {
    const wire = faultyStore(server);
    wires.push(wire);
    const store = scheduled(how === 'watched' ? wire : unwatched(wire), step);
    // A transaction, too, is to say when nobody has confirmed what it ends.
    return watch(createCache({ clock, memory, jitter: 0, timeout: 5000, store, onUnacknowledged: 'throw' }), clock);
  });
  return {
    caches,
    accident(what, at) {
      if (what === 'remember') goBack = server.remember();
      else if (what === 'go back') goBack();
      else if (what === 'lose') server.lose();
      else wires[at]?.[what]();
    },
    // A lease whose holder was cut off ends by time alone.
    ...(outages && { tick: () => clock.advance(100) }),
    rest() {
      for (const wire of wires) wire.up();
      return Promise.all(caches.map((cache) => cache.settled()));
    },
  };
}

/** The small cache, with flaws or without. */
export function aNaiveStage(processes: number, flaws: readonly Flaw[], step: Step): Stage {
  const server = new NaiveServer(new Set(flaws));
  server.trip = () => step('trip');
  let goBack = () => {};
  return {
    caches: Array.from({ length: processes }, () => new NaiveCache(server)),
    accident(what) {
      if (what === 'remember') goBack = server.remember();
      else if (what === 'go back') goBack();
      else if (what === 'lose') server.lose();
    },
  };
}
