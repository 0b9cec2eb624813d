import { describe, expect, test } from 'vitest';
import { memoryStore } from '../../../src/testing/index.js';
import { processes, turns } from './a-cache.js';
import { type Flaw, portIn, strictWorld } from './strict-world.js';

/** Stories of strict mode. Each returns what a read got, and the least that it had to be. */
const stories: Record<string, (flaw?: Flaw) => Promise<{ got: number; committed: number }>> = {
  async 'a read between COMMIT and its acknowledgement gets what was committed'(flaw) {
    const { prime, write, read, rows } = strictWorld({ ...(flaw && { flaw }) });
    await prime();
    const writer = write();
    await writer.fence();
    writer.commit();
    return { got: await read(), committed: rows.value };
  },

  async 'a writer that pauses for any time between fence and COMMIT is waited for'(flaw) {
    const { clock, prime, write, read, rows } = strictWorld({ ...(flaw && { flaw }) });
    await prime();
    const writer = write();
    await writer.fence();
    await clock.advance(60_000);
    // Its time is over, and whoever meets the fence asks.
    await read();
    await turns();
    await clock.advance(1000);
    await prime();
    writer.commit();
    return { got: await read(), committed: rows.value };
  },

  async 'the first of two writers does not open what the second has shut'(flaw) {
    const { prime, write, read, rows } = strictWorld({ ...(flaw && { flaw }) });
    await prime();
    const [first, second] = [write(), write()];
    await first.fence();
    await second.fence();
    first.rollback();
    await first.acknowledge();
    await prime();
    second.commit();
    return { got: await read(), committed: rows.value };
  },

  async 'who lets go twice opens only his own'(flaw) {
    const { prime, write, read, rows } = strictWorld({ ...(flaw && { flaw }) });
    await prime();
    const [first, second] = [write(), write()];
    await first.fence();
    await second.fence();
    first.rollback();
    await first.acknowledge();
    // An answer that was lost: the same once more.
    await first.acknowledge();
    await prime();
    second.commit();
    return { got: await read(), committed: rows.value };
  },

  async 'a COMMIT of unknown outcome that takes effect late is in every read after it'(flaw) {
    const { clock, prime, write, read, rows } = strictWorld({ ...(flaw && { flaw }) });
    await prime();
    const writer = write();
    await writer.fence();
    await writer.lose();
    await clock.advance(6000);
    await prime();
    writer.commit();
    return { got: await read(), committed: rows.value };
  },

  async 'a fence that the store has lost still holds'(flaw) {
    const store = memoryStore();
    const { clock, prime, write, read, rows } = strictWorld({ store, ...(flaw && { flaw }) });
    await prime();
    const back = store.remember();
    const writer = write();
    await writer.fence();
    back();
    await prime();
    await clock.advance(1000);
    await prime();
    writer.commit();
    // Its process dies here.
    return { got: await read(), committed: rows.value };
  },
};

describe('strict', () => {
  for (const [name, story] of Object.entries(stories))
    test(name, async () => {
      const { got, committed } = await story();
      expect(got).toBe(committed);
    });
});

describe('the same stories find out those that', () => {
  const found: readonly [Flaw, keyof typeof stories][] = [
    ['no fence', 'a read between COMMIT and its acknowledgement gets what was committed'],
    ['plain lease', 'a writer that pauses for any time between fence and COMMIT is waited for'],
    ['flag', 'the first of two writers does not open what the second has shut'],
    ['counter', 'who lets go twice opens only his own'],
    ['lifts what is unknown', 'a COMMIT of unknown outcome that takes effect late is in every read after it'],
    ['no quarantine', 'a fence that the store has lost still holds'],
  ];
  test.each(found)('%s: %s', async (flaw, story) => {
    const { got, committed } = await stories[story]!(flaw);
    expect(got).toBeLessThan(committed);
  });
});

describe('a fence ends', () => {
  test('with the acknowledgement, and then reads are stored again', async () => {
    const { prime, write, read, rows, here, there } = strictWorld();
    await prime();
    await prime(there);
    const writer = write();
    await writer.fence();
    writer.commit();
    await writer.acknowledge();
    expect(await prime(here)).toBe(rows.value);
    rows.value = 99;
    expect(await read(here)).toBe(2);
    expect(await read(there)).toBe(2);
  });

  test('a while after its writer has died, when the database says that its transaction is over', async () => {
    const { clock, prime, write, read, rows } = strictWorld();
    await prime();
    const writer = write();
    await writer.fence();
    writer.commit();
    // Nobody asks before its time is over.
    expect(await prime()).toBe(2);
    rows.value = 3;
    expect(await prime()).toBe(3);
    await clock.advance(5001);
    await prime();
    await clock.advance(300);
    await prime();
    rows.value = 4;
    expect(await read()).toBe(3);
  });

  test('without anybody reading, when its own process did not hear the outcome', async () => {
    const { clock, prime, write, writing } = strictWorld();
    await prime(writing);
    const writer = write();
    await writer.fence();
    await writer.lose();
    writer.commit();
    await clock.advance(7000);
    expect((await writing.explain(['row'])).text).not.toContain('is being written');
  });

  test('when the store could not be asked at first', async () => {
    const { clock, here, prime, write } = strictWorld();
    await prime();
    const writer = write();
    await writer.fence();
    writer.rollback();
    // As if its acknowledgement had not been confirmed.
    portIn(here).fenceEnded(writer.owner, true);
    expect((await here.explain(['row'])).text).toContain("'rows' is being written");
    await clock.advance(6000);
    await prime();
    await clock.advance(300);
    expect((await here.explain(['row'])).text).not.toContain('is being written');
  });

  test.each(['of another process', 'of its own'])(
    '%s, although of another one the database says nothing',
    async (whose) => {
      const { clock, here, there } = processes({ strict: true, ttl: '1h' });
      const asked: string[] = [];
      const isOver = async (owner: string) => {
        asked.push(owner);
        return owner === 'hung' ? new Promise<boolean>(() => {}) : true;
      };
      portIn(here).attach({ database: 'shop', unitOf: () => undefined, isOver });
      const read = (tag: string) => here.getOrSet({ key: [tag], tags: [tag], load: () => tag });
      const isShut = async (tag: string) => (await here.explain([tag])).text.includes('is being written');
      const isOwn = whose === 'of its own';
      for (const tag of ['hung', 'later']) {
        await read(tag);
        await portIn(isOwn ? here : there).fence([tag], tag, 1000);
        for (let n = 0; n < 20; n++) {
          await clock.advance(250);
          // Own ones need nobody who reads.
          if (!isOwn) await read(tag);
        }
      }
      expect(asked).toEqual(['hung', 'later']);
      expect([await isShut('hung'), await isShut('later')]).toEqual([true, false]);
    },
  );
});
