import { isDeepStrictEqual } from 'node:util';
import type { Task } from './contenders/memory.js';
import type { Contender } from './harness.js';

/** Fills, and makes sure that who is fast is also right. `lossy`: Dates may have become texts. */
export async function checked(
  contenders: readonly Contender[],
  { load, keyAt }: Pick<Task, 'load' | 'keyAt'>,
  lossy = false,
  reads = 1024,
): Promise<readonly Contender[]> {
  for (const { name, read } of contenders) {
    for (let at = 0; at < reads; at++) await read(at);
    for (const at of [0, 7, 1000]) {
      const got = await read(at);
      const want = await load(keyAt(at));
      if (isDeepStrictEqual(got, want) || (lossy && isDeepStrictEqual(asJson(got), asJson(want)))) continue;
      throw new Error(`${name} answered wrongly for '${keyAt(at)}': ${JSON.stringify(got)?.slice(0, 200)}`);
    }
  }
  return contenders;
}

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value ?? null));
