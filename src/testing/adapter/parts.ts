import type { Spoken } from './shop.js';
import { type Trap, trap } from './trap.js';

export type Statement = readonly [sql: string, ...params: unknown[]];

/** A write that must end some reads, and must leave others alone. */
export function parts(
  name: string,
  write: Statement,
  o: { ends?: readonly Statement[]; keeps?: readonly Statement[] } & Parameters<typeof trap>[2],
): Trap {
  const { ends = [], keeps = [], ...options } = o;
  const [text, ...values] = write;
  return trap(
    name,
    async (w) => {
      const ended = [];
      const kept = [];
      for (const [sql, ...params] of ends) ended.push(await w.prime(sql, params));
      for (const [sql, ...params] of keeps) kept.push(await w.prime(sql, params));
      await w.writer.write(text, values);
      for (const one of kept) await one.kept();
      for (const one of ended) await one.changed();
    },
    options,
  );
}

/** A write and a read that it must end. */
export function ends(
  name: string,
  reads: readonly Statement[],
  write: string | Spoken<string>,
  params: readonly unknown[] = [],
  options: Parameters<typeof trap>[2] = {},
): Trap {
  return trap(
    name,
    async (w) => {
      const primed = [];
      for (const [sql, ...values] of reads) primed.push(await w.prime(sql, values));
      await w.writer.write(typeof write === 'string' ? write : write[w.dialect], params);
      for (const one of primed) await one.changed();
    },
    options,
  );
}
