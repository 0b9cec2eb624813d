import { setTimeout as wait } from 'node:timers/promises';
import { type Desk, type Held, startWire, type Wire } from './wire.js';

/** Who takes part: each has wires of its own to each server, so that every answer is somebody's. */
export interface Party {
  readonly name: string;
  readonly redis: number;
  readonly database: number;
}

/** Decides which of the answers that wait comes next. */
export type Choose = (held: readonly Held[], step: number) => number;

/** Servers whose answers come in the order that somebody chooses. */
export interface Stage {
  party(name: string): Promise<Party>;
  /** Resolves when it is chosen: who begins when is a choice, too. */
  turn(name: string): Promise<void>;
  /**
   * Carries out `play`, in which nothing goes on but by an answer that was chosen.
   *
   * @returns the choices that were made, as `choice of choices`
   */
  run(play: () => Promise<unknown>, choose: Choose): Promise<{ made: number; of: number; name: string }[]>;
  stop(): Promise<void>;
}

/** So long nothing must move until everybody counts as waiting, in milliseconds. */
const still = 2;
/** So long a server may take to answer: beyond that it waits itself, for a lock that somebody holds. */
const patience = 200;

export function aStage(servers: { readonly redis: number; readonly database: number }): Stage {
  const desk: Desk = { holds: false, moved: 0 };
  const wires: Wire[] = [];
  let turns: Held[] = [];
  const all = () => [...turns, ...wires.flatMap((wire) => wire.held())];

  return {
    async party(name) {
      const redis = await startWire(`${name} redis`, servers.redis, desk);
      const database = await startWire(`${name} database`, servers.database, desk);
      wires.push(redis, database);
      return { name, redis: redis.port, database: database.port };
    },
    turn(name) {
      return new Promise((resolve) => {
        const turn: Held = {
          name,
          pass() {
            desk.moved = performance.now();
            turns = turns.filter((it) => it !== turn);
            resolve();
          },
        };
        turns.push(turn);
      });
    },
    async run(play, choose) {
      const choices: { made: number; of: number; name: string }[] = [];
      desk.holds = true;
      desk.moved = performance.now();
      let over = false;
      const playing = play().finally(() => {
        over = true;
      });
      playing.catch(() => {});
      while (!over) {
        await wait(1);
        const asking = wires.some((wire) => wire.isAsking());
        if (performance.now() - desk.moved < (asking ? patience : still)) continue;
        const held = all();
        if (held.length === 0) continue;
        const made = choose(held, choices.length);
        choices.push({ made, of: held.length, name: (held[made] as Held).name });
        (held[made] as Held).pass();
      }
      desk.holds = false;
      for (let held = all(); held.length > 0; held = all()) for (const one of held) one.pass();
      await playing;
      return choices;
    },
    stop: async () => void (await Promise.all(wires.map((wire) => wire.stop()))),
  };
}

/** Every order there is, depth first: the last choice that could have been another one is, until there is none. */
export function everyOrder(): { choose: Choose; next(made: readonly { made: number; of: number }[]): boolean } {
  let prefix: number[] = [];
  return {
    choose: (held, step) => Math.min(prefix[step] ?? 0, held.length - 1),
    next(made) {
      const last = made.findLastIndex((choice) => choice.made + 1 < choice.of);
      if (last < 0) return false;
      prefix = [...made.slice(0, last).map((choice) => choice.made), (made[last] as { made: number }).made + 1];
      return true;
    },
  };
}
