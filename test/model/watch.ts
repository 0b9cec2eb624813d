import type { Model, Step, Violation } from './explore.js';

/**
 * What memory knows of one tag at `maxStale: Δ`: a cell, fed by a pair of connections to one server. Mirrors
 * `src/core/tags.ts` (marks, `learn`, `proven`), `adapters/redis/pair.ts` (the two connections and their PONGs),
 * `watch.ts` (`lost`) and `reads.ts` (which reads are watched).
 *
 * There is no time here. A moment is named by what was acknowledged by then, and a hit is checked after every step, so
 * reads and PINGs need no limit: every history of any length with these writes and accidents is walked. Versions are
 * numbered by the changes before them; a version contains every write up to its number.
 */
export interface WatchState {
  /** The number of the tag's version; 0: it has none. */
  tag: number;
  changes: number;
  acked: number;
  /** Of this process. */
  own: number;
  writers: { at: 'idle' | 'raised' | 'done'; change: number }[];
  /** The server will report the next change of the tag to the pair with this number. */
  armed: number;
  pair: Pair;
  /** The pair that replaces it has this number. */
  pairs: number;
  cell: Cell | null;
  marks: number;
  floor: number;
  /** -1: nothing is proven. */
  proven: number;
  reads: Read[];
  left: { [kind in WatchAccident]: number };
}

interface Pair {
  id: number;
  /** As the client knows; as the server does. */
  open: boolean;
  listenerUp: boolean;
  readerUp: boolean;
  listening: boolean;
  tracking: boolean;
  /** The client may read here, and what it reads is watched. */
  ready: boolean;
  /** From the server to the listener, in order: a change, a loss of everything, or a PONG. */
  heard: Message[];
  /** On the reader: questions, then answers, each in order. */
  asked: Question[];
  answered: Question[];
  /** What was acknowledged when the PINGs were sent; -1: none is under way. */
  ping: number;
  pongs: number;
  listenerPing: boolean;
}

type Message = 'changed' | 'flushed' | 'pong';
/** A PING, the request for tracking, or a read by its number; with the version that it was answered with. */
interface Question {
  readonly what: 'ping' | 'track' | 'read';
  readonly read: number;
  readonly version: number;
}

interface Cell {
  mark: number;
  /** 0: unknown. */
  version: number;
  /** What was acknowledged when the read that told it was sent; -1: none did. */
  readAt: number;
}

interface Read {
  at: 'idle' | 'asked';
  mark: number;
  sentAt: number;
}

export type WatchAccident = 'reader dropped' | 'listener dropped' | 'evicted' | 'overflow' | 'flushed' | 'cell dropped';

export interface WatchSetup {
  /** Whether each write is made by this process. */
  readonly writers: readonly boolean[];
  readonly reads: number;
  readonly accidents?: { readonly [kind in WatchAccident]?: number };
}

export type WatchFlaw =
  | 'learns from every answer'
  | 'counts the marks of each cell from 0'
  | 'keeps what it knew when the pair is lost'
  | 'replaces the reader alone'
  | 'proves by time alone'
  | 'proves by the listener alone'
  | 'proves by the reader alone'
  | 'reads before it asks for tracking'
  | 'asks for tracking before the listener listens'
  | 'does not touch the cells of its own writes';

export function watch(setup: WatchSetup, ...broken: readonly WatchFlaw[]): Model<WatchState> {
  const flaws: ReadonlySet<WatchFlaw> = new Set(broken);
  const violations: Violation[] = [];
  const perCell = flaws.has('counts the marks of each cell from 0');

  const cellOf = (state: WatchState) => (state.cell ??= { mark: perCell ? 0 : state.floor, version: 0, readAt: -1 });
  const touch = (state: WatchState) => {
    const cell = cellOf(state);
    cell.mark = perCell ? cell.mark + 1 : ++state.marks;
    cell.version = 0;
    cell.readAt = -1;
  };
  const lost = (state: WatchState) => {
    touch(state);
    state.floor = state.marks;
    state.proven = -1;
  };
  /** One report for one read: the server forgets the read when it reports, or when it cannot. */
  const change = (state: WatchState, message: Message = 'changed') => {
    const { pair, armed } = state;
    if (armed === pair.id && pair.listenerUp && pair.listening && pair.readerUp) pair.heard.push(message);
    state.armed = 0;
  };
  const judge = ({ cell, proven, own }: WatchState) => {
    if (cell === null || cell.version === 0) return;
    const tell = (property: string, what: string) => violations.push({ property, what });
    const floor = Math.max(proven, cell.readAt);
    if (floor >= 0 && cell.version < floor)
      tell('VERIFIED', `a hit would miss change ${floor}, acknowledged before what is proven`);
    if (floor >= 0 && cell.version < own) tell('OWN', `a hit would miss change ${own} of the own process`);
  };
  const freshPair = (id: number): Pair => ({
    id,
    open: true,
    listenerUp: true,
    readerUp: true,
    listening: false,
    tracking: false,
    ready: flaws.has('reads before it asks for tracking'),
    heard: [],
    asked: flaws.has('asks for tracking before the listener listens') ? [track] : [],
    answered: [],
    ping: -1,
    pongs: 0,
    listenerPing: false,
  });
  const endPair = (state: WatchState) => {
    const { pair } = state;
    // Answers of a connection that is gone do not come any more.
    for (const read of state.reads) if (read.at === 'asked') Object.assign(read, idle());
    Object.assign(pair, {
      open: false,
      ready: false,
      heard: [],
      asked: [],
      answered: [],
      ping: -1,
      pongs: 0,
      listenerPing: false,
    });
    if (!flaws.has('keeps what it knew when the pair is lost')) lost(state);
  };

  return {
    broken: violations,
    start: () => ({
      tag: 1,
      changes: 1,
      acked: 1,
      own: 0,
      writers: setup.writers.map(() => ({ at: 'idle', change: 0 })),
      armed: 0,
      pair: { ...freshPair(1), listening: true, tracking: true, ready: true, asked: [] },
      pairs: 1,
      cell: null,
      marks: 0,
      floor: 0,
      proven: -1,
      reads: Array.from({ length: setup.reads }, idle),
      left: {
        'reader dropped': 0,
        'listener dropped': 0,
        evicted: 0,
        overflow: 0,
        flushed: 0,
        'cell dropped': 0,
        ...setup.accidents,
      },
    }),
    stuck: () => undefined,
    steps(state, steps: Step<WatchState>) {
      const step = (label: string, act: (next: WatchState) => void) =>
        steps(
          () => label,
          (next) => {
            act(next);
            judge(next);
          },
        );
      writerSteps(state, step);
      readSteps(state, step);
      serverSteps(state, step);
      clientSteps(state, step);
      accidentSteps(state, step);
    },
  };

  function writerSteps(state: WatchState, step: Act): void {
    state.writers.forEach(({ at }, w) => {
      const own = setup.writers[w] === true;
      const name = `W${w}${own ? ' (this process)' : ''}`;
      const twin = w > 0 && setup.writers[w - 1] === own && state.writers[w - 1]?.at === 'idle';
      if (at === 'idle' && !twin)
        step(`server: ${name} gives the tag version ${state.changes + 1}`, (next) => {
          next.tag = ++next.changes;
          next.writers[w] = { at: 'raised', change: next.tag };
          change(next);
        });
      if (at === 'raised')
        step(`${name} is acknowledged`, (next) => {
          const mine = next.writers[w] as WatchState['writers'][number];
          next.acked = Math.max(next.acked, mine.change);
          if (own) {
            next.own = Math.max(next.own, mine.change);
            if (!flaws.has('does not touch the cells of its own writes')) touch(next);
          }
          Object.assign(mine, { at: 'done', change: 0 });
        });
    });
  }

  function readSteps(state: WatchState, step: Act): void {
    const { pair } = state;
    state.reads.forEach(({ at }, r) => {
      const twin = r > 0 && state.reads[r - 1]?.at === 'idle';
      if (at !== 'idle' || twin || !pair.open || !pair.ready) return;
      step(`R${r} asks for the version, on the reader`, (next) => {
        next.reads[r] = { at: 'asked', mark: cellOf(next).mark, sentAt: next.acked };
        next.pair.asked.push({ what: 'read', read: r, version: 0 });
      });
    });
    if (pair.open && pair.ready && pair.ping === -1)
      step(`both are asked for a PONG (change ${state.acked} is acknowledged)`, (next) => {
        const { pair: mine, acked } = next;
        if (flaws.has('proves by time alone')) return void (next.proven = Math.max(next.proven, acked));
        mine.ping = acked;
        mine.pongs = flaws.has('proves by the listener alone') || flaws.has('proves by the reader alone') ? 1 : 2;
        if (!flaws.has('proves by the listener alone')) mine.asked.push({ what: 'ping', read: 0, version: 0 });
        // The listener sends nothing else, so its PING is answered in the order of the server's messages.
        if (!flaws.has('proves by the reader alone')) mine.listenerPing = true;
      });
  }

  function serverSteps({ pair }: WatchState, step: Act): void {
    if (pair.open && pair.listenerUp && pair.listenerPing)
      step('server: PONG to the listener', (next) => {
        next.pair.listenerPing = false;
        next.pair.heard.push('pong');
      });
    // What is sent to a connection that does not listen yet is dropped.
    if (pair.open && pair.listenerUp && !pair.listening)
      step('server: the listener is subscribed', (next) => {
        next.pair.listening = true;
        if (!flaws.has('asks for tracking before the listener listens')) next.pair.asked.push(track);
      });
    const [question] = pair.asked;
    if (!pair.open || !pair.readerUp || question === undefined) return;
    step(`server: carries out ${question.what} on the reader`, (next) => {
      const asked = next.pair.asked.shift() as Question;
      if (asked.what === 'track') next.pair.tracking = true;
      if (asked.what === 'read' && next.pair.tracking) next.armed = next.pair.id;
      next.pair.answered.push({ ...asked, version: asked.what === 'read' ? next.tag : 0 });
    });
  }

  function clientSteps(state: WatchState, step: Act): void {
    const { pair } = state;
    const [message] = pair.heard;
    if (pair.open && message !== undefined)
      step(`the listener hears: ${message}`, (next) => {
        next.pair.heard.shift();
        if (message === 'changed') touch(next);
        else if (message === 'flushed') lost(next);
        else pong(next);
      });
    const [answer] = pair.answered;
    if (pair.open && answer !== undefined)
      step(
        `the reader hears: ${answer.what === 'read' ? `version ${answer.version} for R${answer.read}` : answer.what}`,
        (next) => {
          next.pair.answered.shift();
          if (answer.what === 'ping') pong(next);
          else if (answer.what === 'track') next.pair.ready = true;
          else hear(next, answer);
        },
      );
    if (pair.open && !(pair.readerUp && pair.listenerUp)) step('the client learns that the connection is lost', onLost);
    if (!pair.open)
      step('a new pair connects', (next) => {
        next.pair = freshPair(++next.pairs);
      });
  }

  function onLost(next: WatchState): void {
    if (!flaws.has('replaces the reader alone') || next.pair.readerUp) return endPair(next);
    for (const read of next.reads) if (read.at === 'asked') Object.assign(read, idle());
    Object.assign(next.pair, {
      readerUp: true,
      tracking: false,
      ready: false,
      answered: [],
      ping: -1,
      pongs: 0,
      listenerPing: false,
    });
    next.pair.asked = [track];
    next.pair.heard = next.pair.heard.filter((message) => message !== 'pong');
  }

  function pong(next: WatchState): void {
    if (--next.pair.pongs > 0) return;
    next.proven = Math.max(next.proven, next.pair.ping);
    next.pair.ping = -1;
  }

  function hear(next: WatchState, { read, version }: Question): void {
    const { mark, sentAt } = next.reads[read] as Read;
    next.reads[read] = idle();
    // SET NX in a second trip; the first read of a new tag is not watched (`Reads.#create`).
    if (version === 0) {
      if (next.tag === 0) next.tag = ++next.changes;
      change(next);
      return;
    }
    const cell = cellOf(next);
    if (cell.mark > mark && !flaws.has('learns from every answer')) return;
    cell.version = version;
    cell.readAt = sentAt;
  }

  function accidentSteps({ left, pair, cell, tag, armed }: WatchState, step: Act): void {
    if (left['reader dropped'] > 0 && pair.open && pair.readerUp)
      step('server: drops the reader, and forgets what it has read', (next) => {
        next.left['reader dropped']--;
        next.pair.readerUp = false;
        next.armed = 0;
        next.pair.asked = [];
      });
    if (left['listener dropped'] > 0 && pair.open && pair.listenerUp)
      step('server: drops the listener', (next) => {
        next.left['listener dropped']--;
        next.pair.listenerUp = false;
      });
    if (left.evicted > 0 && tag !== 0)
      step('server: forgets the tag', (next) => {
        next.left.evicted--;
        next.tag = 0;
        change(next);
      });
    if (tag === 0)
      step('another process gives the tag a version', (next) => {
        next.tag = ++next.changes;
        change(next);
      });
    if (left.overflow > 0 && armed !== 0)
      step('server: its table of tracked keys is full, and reports this one', (next) => {
        next.left.overflow--;
        change(next);
      });
    if (left.flushed > 0)
      step('server: FLUSHALL', (next) => {
        next.left.flushed--;
        next.tag = 0;
        next.armed = next.pair.id;
        change(next, 'flushed');
      });
    if (left['cell dropped'] > 0 && cell !== null)
      step('memory drops the cell for room', (next) => {
        next.left['cell dropped']--;
        next.floor = Math.max(next.floor, (next.cell as Cell).mark);
        next.cell = null;
      });
  }
}

const track: Question = Object.freeze({ what: 'track', read: 0, version: 0 });

type Act = (label: string, act: (next: WatchState) => void) => void;

function idle(): Read {
  return { at: 'idle', mark: 0, sentAt: 0 };
}
