import { answers } from '../../core/answers.js';
import { describe, expected } from '../../core/errors.js';
import { canonical } from '../../core/table-tags.js';
import { encodeKey, type KeyPart } from '../../values/index.js';

/** Which part of an answer is whose. */
export interface Matcher {
  /** Those that one load may have at once, `most` in each. */
  split<M extends { readonly input: unknown }>(members: readonly M[], most: number): M[][];
  /** The value of each input, in their order. @throws TypeError */
  values(inputs: readonly unknown[], answer: unknown): unknown[];
}

export function matcherOf(by: string | undefined, many: boolean): Matcher {
  return by === undefined ? inOrder : byColumn(by, many);
}

const inOrder: Matcher = {
  split: (members, most) => {
    const loads = [];
    for (let at = 0; at < members.length; at += most) loads.push(members.slice(at, at + most));
    return loads;
  },
  values: (inputs, answer) => answers(inputs, answer).map(([, value]) => value),
};

/**
 * Rows say whose they are in the way of their driver, which need not be the caller's: a bigint comes as text, a UUID in
 * small letters, and a collation may take `é` for `E`. Whatever a database takes for equal has one form here, and no load
 * has two inputs of one form: so the only input that a row's form fits is the one that the database found it by.
 */
function byColumn(by: string, many: boolean): Matcher {
  return {
    split(members, most) {
      const loads: { readonly forms: Set<string>; readonly members: (typeof members)[number][] }[] = [];
      for (const member of members) {
        const form = formOf(member.input);
        const known = loads.find(({ forms, members: some }) => some.length < most && !forms.has(form));
        const load = known ?? { forms: new Set(), members: [] };
        if (known === undefined) loads.push(load);
        load.forms.add(form);
        load.members.push(member);
      }
      return loads.map((load) => load.members);
    },
    values(inputs, answer) {
      if (!Array.isArray(answer)) throw expected('load', 'a function that answers with a list of rows', answer);
      const rows = new Map<string, unknown[]>(inputs.map((input) => [formOf(input), []]));
      for (const row of answer) {
        if (typeof row !== 'object' || row === null || !(by in row))
          throw new TypeError(`Expected each row of \`load\` to have \`${by}\`, got ${namesOf(row)}`);
        const own = rows.get(formOf(row[by]));
        if (own === undefined)
          throw new TypeError(
            `Expected each row of \`load\` to have one of the inputs as its \`${by}\`, got ${describe(row[by])}, and inputs such as ${describe(inputs[0])}`,
          );
        own.push(row);
      }
      return inputs.map((input) => {
        const own = rows.get(formOf(input)) as unknown[];
        if (many) return own;
        if (own.length > 1)
          throw new TypeError(
            `Expected \`load\` to answer with one row for each input, got ${own.length} for ${describe(input)}; with \`many: true\` each has a list`,
          );
        return own[0] ?? null;
      });
    },
  };
}

/** What is no data has a form of its own, which no row has. */
function formOf(value: unknown): string {
  try {
    return encodeKey([canonical(value as KeyPart)]);
  } catch {
    return '';
  }
}

function namesOf(row: unknown): string {
  return typeof row === 'object' && row !== null
    ? `a row with ${Object.keys(row).join(', ') || 'nothing'}`
    : describe(row);
}
