import { randomFillSync } from 'node:crypto';

/** Bytes of a version: 96 bits, so that no two were ever or will ever be the same. */
const size = 12;
const pool = Buffer.allocUnsafe(size * 256);
let used = pool.length;

/** What {@link randomText} is long, in characters. */
export const randomLength = (size * 4) / 3;

/** Random text. Drawn from a pool: a system call for each would cost more than all else of a raise. */
export function randomText(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += size;
  return pool.toString('base64url', used - size, used);
}

/** A version of a tag that nobody fences. `f…` is one of a tag that somebody is writing to; those hold for nobody. */
export function freshVersion(): string {
  return `v${randomText()}`;
}

/** 30 days. Reads do not renew it: that would count as a change of the tag in every process that watches it. */
export const tagTtl = 30 * 24 * 3600 * 1000;
