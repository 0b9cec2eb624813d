import { expect, test } from 'vitest';
import { createTypeTable, decodeEntry, encodeEntry } from '../../../src/values/index.js';

class Here {}
class There {}
const head = {
  ...{ epoch: 'e', tags: [], versions: [], storedAt: 0 },
  ...{ freshUntil: 1, keepUntil: 1, cost: 1, origin: 'here' },
};
const named = (type: typeof Here, name: string, decoded: unknown) => ({
  ...{ class: type, name },
  encode: () => [],
  decode: () => decoded,
});
type Types = ReturnType<typeof createTypeTable>;
const written = (value: object, types: Types) => encodeEntry(head, value, types);
const read = (bytes: Buffer, types: Types) => decodeEntry(bytes, { maxBytes: 1000 }, types)?.value();

test('what was added counts from then on, for whoever holds the table', () => {
  const types = createTypeTable([]);
  expect(() => written(new Here(), types)).toThrow('Here');
  types.add([named(Here, 'here', 'again')]);
  expect(read(written(new Here(), types), types)).toBe('again');
});

test('of two names for one class both are read, and the later one is written', () => {
  const types = createTypeTable([]);
  types.add([named(Here, 'one', 'of one')]);
  const bytes = written(new Here(), types);
  types.add([named(Here, 'two', 'of two')]);
  expect([read(bytes, types), read(written(new Here(), types), types)]).toEqual(['of one', 'of two']);
  types.add([named(Here, 'one', 'of one, anew')]);
  expect(read(bytes, types)).toBe('of one, anew');
});

test('neither a class nor a name of the user is taken', () => {
  const types = createTypeTable([named(Here, 'mine', 'mine')]);
  types.add([named(Here, 'other', 'other'), named(There, 'mine', 'other')]);
  expect(read(written(new Here(), types), types)).toBe('mine');
  expect(() => written(new There(), types)).toThrow('There');
});

test('a rule that is not complete is refused', () => {
  const types = createTypeTable([]);
  expect(() => types.add([{ class: Here, encode: () => 1 }])).toThrow('both `encode` and `decode`');
});
