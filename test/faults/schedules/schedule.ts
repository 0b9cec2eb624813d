import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { makeFolder, removeFolder } from '../../services/folders.js';
import { postgres, redis } from './protocols.js';
import { type Desk, type Held, startWire, type Wire } from './wire.js';

/** Who takes part: each has wires of its own to each server, so that every answer is somebody's. */
export interface Party {
  readonly name: string;
  /** The path of a socket. */
  readonly redis: string;
  /** The folder of a socket, as clients of PostgreSQL want it. */
  readonly database: string;
}

/** Decides which of the answers that wait comes next. They are in the order of their names. */
export type Choose = (held: readonly Held[], step: number) => number;

/** Servers whose answers come in the order that somebody chooses. */
export interface Stage {
  party(name: string): Promise<Party>;
  /** Resolves when it is chosen: who begins when is a choice, too. */
  turn(name: string): Promise<void>;
  /** Resolves when no server owes an answer and nobody does anything. */
  rest(): Promise<void>;
  /**
   * Carries out `play`, in which nothing goes on but by an answer that was chosen, until no answer is left.
   *
   * @returns the names of what was chosen, with a number where several had the same
   */
  run(play: () => Promise<unknown>, choose: Choose): Promise<string[]>;
  stop(): Promise<void>;
}

/** So many times the event loop must turn with nothing on any wire until everybody counts as waiting. */
const turns = 12;

/**
 * @param oneByOne - whether the answers to what was sent at once come one by one; else they come at once, too
 * @param passed - hears over which wire an answer goes on
 * @param stuck - hears that nobody waits for an answer and yet the play is not over: somebody waits for time to pass
 */
export function aStage(
  servers: { readonly redis: number; readonly database: number },
  oneByOne: boolean,
  { passed, stuck }: { passed(wire: string): void; stuck(): void },
): Stage {
  const folder = makeFolder('wires');
  let moves = 0;
  let wake = () => {};
  const desk: Desk = {
    holds: false,
    oneByOne,
    passed,
    owed: 0,
    asked: 0,
    moved() {
      moves++;
      wake();
    },
  };
  const wires: Wire[] = [];
  let begins: Held[] = [];
  const all = () =>
    [...begins, ...wires.flatMap((wire) => wire.held())].sort((a, b) =>
      a.name === b.name ? a.asked - b.asked : a.name < b.name ? -1 : 1,
    );
  const quiet = async () => {
    for (let still = 0; still < turns; still++) {
      const before = moves;
      if (desk.owed > 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      await turnOfTheLoop();
      if (moves !== before) still = -1;
    }
  };
  const rest = async () => {
    await quiet();
    for (const wire of wires) wire.sound();
    if (desk.owed > 0) await quiet();
  };

  return {
    async party(name) {
      const own = join(folder, String(wires.length));
      mkdirSync(own);
      const path = join(own, 'redis');
      wires.push(
        await startWire(`${name} redis`, path, { port: servers.redis, protocol: redis }, desk),
        await startWire(
          `${name} database`,
          join(own, '.s.PGSQL.5432'),
          { port: servers.database, protocol: postgres },
          desk,
        ),
      );
      return { name, redis: path, database: own };
    },
    turn(name) {
      return new Promise((resolve) => {
        const turn: Held = {
          name,
          asked: desk.asked++,
          pass() {
            begins = begins.filter((it) => it !== turn);
            resolve();
          },
        };
        begins.push(turn);
      });
    },
    rest,
    async run(play, choose) {
      const chosen: string[] = [];
      desk.holds = true;
      let over = false;
      const playing = play().finally(() => {
        over = true;
      });
      playing.catch(() => {});
      try {
        for (;;) {
          await rest();
          const held = all();
          if (held.length === 0 && over) break;
          if (held.length === 0) {
            stuck();
            continue;
          }
          const made = choose(held, chosen.length);
          const { name, pass } = held[made] as Held;
          const before = held.slice(0, made).filter((one) => one.name === name).length;
          chosen.push(before === 0 ? name : `${name} ${before + 1}`);
          pass();
        }
      } finally {
        desk.holds = false;
        for (let held = all(); held.length > 0; held = all()) for (const one of held) one.pass();
      }
      await playing;
      return chosen;
    },
    async stop() {
      await Promise.all(wires.map((wire) => wire.stop()));
      removeFolder(folder);
    },
  };
}
