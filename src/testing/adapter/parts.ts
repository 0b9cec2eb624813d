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
