import { describe, expect, test } from 'vitest';
import { agree } from '../../../src/core/agreement.js';
import { isFenced } from '../../../src/core/store.js';
import { createCache } from '../../../src/index.js';
import { fakeClock, faultyStore, memoryStore } from '../../../src/testing/index.js';
import { deferred, partsOf, processes } from './a-cache.js';
import { portIn } from './strict-world.js';

/** Two processes over one store, and what they make of their rules. */
function world() {
  const clock = fakeClock();
  const behind = memoryStore();
  const aProcess = () => {
    const store = faultyStore(behind);
    const parts = partsOf(createCache({ name: 'app', clock, store }));
    return { store, parts, say: (rules: string) => agree(parts, 'rules:shop', rules) };
  };
  const [one, other] = [aProcess(), aProcess()];
  const now = async () => (await other.parts.session.read(undefined, ['rules:shop'])).versions[0];
  return { clock, one, other, now };
}

const minutes = 60_000;

describe('an agreement', () => {
  test('of those who have the same rules is one version, which stays', async () => {
    const { one, other, now } = world();
    const version = await one.say('a');
    expect(version).toBeDefined();
    expect(await other.say('a')).toBe(version);
    expect(await one.say('a')).toBe(version);
    expect(await now()).toBe(version);
  });

  test('is none for who has other rules, as long as somebody goes by the first', async () => {
    const { clock, one, other, now } = world();
    const version = await one.say('a');
    for (let n = 0; n < 5; n++) {
      expect(await other.say('b')).toBeUndefined();
      await clock.advance(2 * minutes);
      expect(await one.say('a')).toBe(version);
    }
    expect(await now()).toBe(version);
  });

  test('changes hands when nobody has gone by it for a while, and the first find that out', async () => {
    const { clock, one, other, now } = world();
    const version = await one.say('a');
    await clock.advance(6 * minutes);
    const next = await other.say('b');
    expect(next).toBeDefined();
    expect(next).not.toBe(version);
    expect(await now()).toBe(next);
    expect(await one.say('a')).toBeUndefined();
  });

  test('that two make at once is that of one of them', async () => {
    const { one, other, now } = world();
    const versions = await Promise.all([one.say('a'), other.say('b')]);
    const current = await now();
    expect(versions.filter((version) => version === current)).toHaveLength(1);
    const winner = versions.indexOf(current) === 0 ? 'a' : 'b';
    expect(await one.say(winner)).toBe(current);
    expect(await other.say(winner === 'a' ? 'b' : 'a')).toBeUndefined();
  });

  test('that was slow to be written down does not come back under the version of another', async () => {
    const { one, other, now } = world();
    const held = one.store.hold('write');
    const slow = one.say('a');
    await held.arrived();
    const version = await other.say('b');
    held.release();
    expect(await slow).not.toBe(version);
    expect(await now()).toBe(version);
    // What stands there now is of a version that is over.
    expect(await one.say('a')).not.toBe(version);
  });

  test('that the store has lost is made anew, in another version', async () => {
    const { one, other } = world();
    const version = await one.say('a');
    one.store.lose();
    const next = await other.say('b');
    expect(next).toBeDefined();
    expect(next).not.toBe(version);
    expect(await one.say('a')).toBeUndefined();
  });

  test('outlives the start of a strict process, which cannot tell yet what holds', async () => {
    const { clock, caches } = processes({ count: 2, strict: true });
    const [first, second] = caches.map((cache) => partsOf(cache));
    const version = await agree(first!, 'rules:shop', 'a');
    expect(version).toBeDefined();
    const open = deferred<void>();
    portIn(caches[1]!).attach({ database: 'shop', unitOf: () => undefined, quiet: () => open.promise });
    expect(isFenced(await agree(second!, 'rules:shop', 'b'))).toBe(true);
    expect(isFenced(await agree(second!, 'rules:shop', 'a'))).toBe(true);
    open.resolve();
    await clock.advance(1);
    expect(await agree(second!, 'rules:shop', 'a')).toBe(version);
    expect(await agree(first!, 'rules:shop', 'a')).toBe(version);
  });

  test('is none while the store is away', async () => {
    const { one } = world();
    one.store.down();
    expect(await one.say('a')).toBeUndefined();
  });
});
