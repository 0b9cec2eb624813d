/** Numbers from 0 to 1 that look random and are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number below `count` by Zipf's law: number n about n times as rare as the first, as tenants, users and posts are. */
export const zipf = (random: () => number, count: number) => Math.floor((count + 1) ** random()) - 1;
