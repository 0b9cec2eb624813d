const words = 'alpha beta gamma delta epsilon zeta eta theta iota kappa'.split(' ');

/** A row as a database answers it. */
export function plainRow(at: number) {
  return {
    id: at + 1000,
    name: `User number ${at}`,
    email: `user${at}@example.com`,
    status: at % 3 ? 'active' : 'blocked',
    score: at * 1.37,
    orgId: at % 7,
    note: null,
    bio: `${words[at % 10]} ${words[(at * 3) % 10]} lorem ipsum dolor sit amet`,
  };
}

export function datedRow(at: number) {
  return { ...plainRow(at), createdAt: new Date(1_700_000_000_000 + at * 86_400_123) };
}

export function rows<T>(count: number, row: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => row(at));
}

/** Keys as services write them. A power of two, so that `at & mask` finds one. */
export const keys = rows(1024, (at) => `user:${at + 100_000}`);
export const keyAt = (at: number) => keys[at & 1023] as string;
/** So few that lists of each fit into memory. */
export const fewKeyAt = (at: number) => keys[at & 3] as string;

/** The number in a key. */
export const idOf = (key: string) => Number(key.slice(key.lastIndexOf(':') + 1));

export const tags = ['users', 'org:7', 'team:31'] as const;

const wide = 'phone street city country company title avatar website team room desk badge manager office'.split(' ');

/** A row of a wider table, its texts in one piece as a driver delivers them: about 1.2 kB of heap. */
export function wideRow(at: number): object {
  const text = (what: string) => `${what} ${at} ${words[at % 10]} ${words[(at * 7) % 10]} `.padEnd(40, '.');
  const more = wide.map((name) => [name, text(name)]);
  return JSON.parse(
    JSON.stringify({ ...plainRow(at), ...Object.fromEntries(more), balance: at * 0.77, rating: at / 3 }),
  );
}
