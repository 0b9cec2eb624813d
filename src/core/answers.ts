import { describe, expected } from './errors.js';

/** Pairs of input and value, whichever way the load answered. @throws TypeError */
export function answers<In>(inputs: readonly In[], answer: unknown): [In, unknown][] {
  if (answer instanceof Map) {
    // A key of another type, such as the text that a driver makes of a bigint, would look like a row that is missing.
    const known = new Set<unknown>(inputs);
    for (const key of answer.keys())
      if (!known.has(key))
        throw new TypeError(
          `Expected \`load\` to answer with a Map from inputs to values, got the key ${describe(key)}, which is none of the inputs`,
        );
    return inputs.map((input) => [input, answer.get(input)]);
  }
  if (!Array.isArray(answer)) throw expected('load', 'a function that answers with a list or a Map', answer);
  if (answer.length !== inputs.length)
    throw new TypeError(
      `Expected \`load\` to answer with ${inputs.length} values, one for each input and in their order, got ${answer.length}; a Map from input to value may leave some out`,
    );
  return inputs.map((input, i) => [input, answer[i]]);
}
