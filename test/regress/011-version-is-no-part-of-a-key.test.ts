import { expect, test } from 'vitest';
import { createCache } from '../../src/index.js';
import { fakeClock, memoryStore } from '../../src/testing/index.js';

// An entry's name in the store was the hash of `<length>:<version><key>`, which is also the text of another key.
test('a key that looks like a version and a key is another key', async () => {
  const options = { clock: fakeClock(), store: memoryStore() };
  await createCache({ ...options, version: 'a' }).getOrSet({ key: 'k', load: async () => 'k, version a' });
  expect(await createCache(options).getOrSet({ key: '1:ak', load: async () => '1:ak' })).toBe('1:ak');
});

test("a tenant's value is not served to a key of nobody's that spells it", async () => {
  const options = { clock: fakeClock(), store: memoryStore() };
  const secret = createCache(options)
    .tenant('a')
    .withCache(async (_id: number) => "a's", { name: 'secret', version: 2 });
  await secret(7);
  const spelt = `2:/2"|[[]'1:a!|secret[7;`;
  expect(await createCache(options).getOrSet({ key: spelt, load: async () => 'own' })).toBe('own');
});
