/**
 * Time, as the cache uses it. Only durations matter here, so the scale starts anywhere; what counts is that it never
 * runs backwards and that it also counts the time in which the machine slept.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never runs backwards. */
  now(): number;
  /** The same, up to 10 ms old: for ages, where that does not matter, on the path of a hit, where a clock read does. */
  coarse(): number;
  /** Milliseconds since 1970, for what goes by the calendar. Left out: `now()`. */
  wall?(): number;
  /** Calls `fn` once after `ms`; never keeps the process alive. Returns the way to call it off. */
  after(ms: number, fn: () => void): () => void;
}

/** How old {@link Clock.coarse} may be. */
const resolution = 10;

const longest = 2 ** 31 - 1;

/** The clock of this machine. */
export function systemClock(): Clock {
  // The monotonic clock stops while a virtual machine or a laptop sleeps, the wall clock jumps when it is set. The
  // longer of the two elapsed times is used: too long a time only ends trust early.
  const wallStart = Date.now();
  const start = performance.now();
  let slept = 0;
  let held: number | undefined;
  const now = () => {
    const elapsed = performance.now() - start;
    slept = Math.max(slept, Date.now() - wallStart - elapsed);
    return elapsed + slept;
  };
  return {
    now,
    wall: () => Date.now(),
    coarse() {
      if (held === undefined) {
        held = now();
        setTimeout(() => {
          held = undefined;
        }, resolution).unref();
      }
      return held;
    },
    after(ms, fn) {
      let timer: NodeJS.Timeout;
      // setTimeout takes 31 bits and fires at once beyond, so a longer wait is made of several.
      const wait = (left: number) => {
        timer = setTimeout(() => (left > longest ? wait(left - longest) : fn()), Math.min(left, longest)).unref();
      };
      wait(ms);
      return () => clearTimeout(timer);
    },
  };
}
