import { describe, expect, test } from 'vitest';
import type { Cache } from '../../src/index.js';
import { auditAfterEach } from '../support/audit.js';
import { contains, StaleRead, signal, turn } from '../support/database.js';
import { aWorld, everywhere, type Place, type World } from '../support/world.js';
import { aClient } from '../unit/core/a-client.js';

// A load whose queries tell the cache what they depend on, and a write at every moment of it. The negative controls are
// clients that tell it wrongly: the cache has to take their word, and the test must notice.

auditAfterEach();

type Client =
  | 'right'
  | 'tells after the statement'
  | 'drops what the rows do not allow'
  | 'drops when the statement failed';

/** Runs statements on the row of the world. `pause` stops at each moment of it. */
function queryOf({ here, db }: World, client: Client, pause: (moment: Moment) => Promise<void>, fails: boolean) {
  const { begin } = aClient(here);
  const run = async () => {
    await pause('before the rows');
    const row = db.read('row');
    await pause('after the rows');
    if (fails) throw Object.assign(new Error('cut'), { row });
    return row;
  };
  return async (droppable: boolean): Promise<number> => {
    const asked = droppable ? { tags: ['row 7'], droppable: ['rows'] } : { tags: ['rows'] };
    const late = client === 'tells after the statement' ? await run() : undefined;
    const observation = await begin(asked);
    try {
      const row = late ?? (await run());
      observation?.done(client === 'drops what the rows do not allow' ? ['rows'] : []);
      return row;
    } catch (error) {
      observation?.done(client === 'drops when the statement failed' ? ['rows'] : []);
      return (error as { row: number }).row;
    }
  };
}

const moments = [
  'before the statement',
  'before the rows',
  'after the rows',
  'after the statement',
  'after the load',
] as const;
type Moment = (typeof moments)[number];

interface Schedule {
  readonly client?: Client;
  readonly write: Moment;
  readonly from: 'here' | 'there';
  readonly droppable?: boolean;
  readonly fails?: boolean;
  /** Whether a load before this one has left its tags, so that versions come with the look. */
  readonly known?: boolean;
}

async function writeDuring(
  world: World,
  { client = 'right', write, from, droppable = false, fails = false, known = false }: Schedule,
) {
  const { here, there, db } = world;
  const reached = signal();
  const go = signal();
  let armed = !known;
  const pause = async (moment: Moment) => {
    if (!armed || moment !== write) return;
    armed = false;
    reached.fire();
    await go.fired;
  };
  const query = queryOf(world, client, pause, fails);
  const read = () =>
    here.getOrSet({
      key: 'a',
      load: async () => {
        await pause('before the statement');
        const row = await query(droppable);
        await pause('after the statement');
        return row;
      },
    });
  if (known) {
    await read();
    await there.invalidate('rows');
    await turn();
    armed = true;
  }
  const reading = read();
  if (write === 'after the load') await reading;
  else await reached.fired;
  const newest = db.commit('row');
  await (from === 'here' ? here : there).invalidate('rows');
  go.fire();
  await reading;
  await turn();
  armed = false;
  for (let i = 0; i < 3; i++) contains(newest, await read());
}

describe('a write', () => {
  for (const write of moments)
    for (const from of ['here', 'there'] as const)
      test.each(everywhere)(`${write} ends the value that the load makes of it, from ${from}, %s`, async (place) => {
        for (const droppable of [false, true])
          for (const fails of [false, true])
            for (const known of [false, true])
              await writeDuring(aWorld(place), { write, from, droppable, fails, known });
      });

  test.each(everywhere)('is missed by a client that tells the cache wrongly, %s', async (place) => {
    const wrong: [Client, Schedule][] = [
      ['tells after the statement', { write: 'after the rows', from: 'there' }],
      ['drops what the rows do not allow', { write: 'after the rows', from: 'there', droppable: true }],
      ['drops when the statement failed', { write: 'after the rows', from: 'there', droppable: true, fails: true }],
    ];
    for (const [client, schedule] of wrong) {
      await expect(writeDuring(aWorld(place), { ...schedule, client }), client).rejects.toThrow(StaleRead);
      await writeDuring(aWorld(place), schedule);
    }
  });
});

/** Two statements in one load, and a write between them or while both run. */
async function writeBetween(place: Place, parallel: boolean, from: 'here' | 'there') {
  const world = aWorld(place);
  const { here, there, db } = world;
  const { query } = aClient(here);
  const running = signal();
  const go = signal();
  let first = true;
  const one = async (waits: boolean) =>
    query({ tags: ['rows'] }, async () => {
      const row = db.read('row');
      if (!first || !waits) return row;
      first = false;
      running.fire();
      await go.fired;
      return row;
    });
  const load = async () => {
    if (parallel) return Math.min(...(await Promise.all([one(true), one(false)])));
    return Math.min(await one(true), await one(false));
  };
  const reading = here.getOrSet({ key: 'a', load });
  await running.fired;
  const newest = db.commit('row');
  await (from === 'here' ? here : there).invalidate('rows');
  go.fire();
  await reading;
  await turn();
  for (let i = 0; i < 3; i++) contains(newest, await here.getOrSet({ key: 'a', load }));
}

describe('a write between two statements of a load', () => {
  for (const parallel of [false, true])
    for (const from of ['here', 'there'] as const)
      test.each(everywhere)(
        `leaves no mix of both in the cache, from ${from}, ${parallel ? 'in parallel' : 'in turn'}, %s`,
        (place) => writeBetween(place, parallel, from),
      );
});

describe('rows that are read through the cache inside a load', () => {
  test.each(everywhere)('and written while they are loaded end the value around them, %s', async (place) => {
    const { here, there, db } = aWorld(place);
    const { port, query } = aClient(here as Cache);
    const running = signal();
    const go = signal();
    let first = true;
    const rows = async () => {
      const { value } = await port.read({
        key: ['sql', 'select'],
        name: 'select',
        settings: port.settings({}),
        likely: ['rows'],
        load: () =>
          query({ tags: ['rows'] }, async () => {
            const row = db.read('row');
            if (!first) return row;
            first = false;
            running.fire();
            await go.fired;
            return row;
          }),
      });
      return value;
    };
    const read = () => here.getOrSet({ key: 'a', load: rows });
    const reading = read();
    await running.fired;
    const newest = db.commit('row');
    await there.invalidate('rows');
    // A reader who comes after the write, while the older load still runs.
    const later = read();
    go.fire();
    await reading;
    contains(newest, await later);
    for (let i = 0; i < 3; i++) contains(newest, await read());
    contains(newest, await rows());
  });
});

describe('a write that is acknowledged', () => {
  test.each(everywhere)(
    'is contained in every later read, also inside a transaction that is rolled back, %s',
    async (place) => {
      const { here, there, db } = aWorld(place);
      const { query } = aClient(there as Cache);
      const { port } = aClient(here as Cache);
      const read = () => there.getOrSet({ key: 'a', load: () => query({ tags: ['rows'] }, () => db.read('row')) });
      await read();
      let newest = 0;
      const rolledBack = here.transaction(async () => {
        newest = db.commit('row');
        await port.acknowledge(['rows'], undefined);
        contains(newest, await read());
        throw new Error('rollback');
      });
      await expect(rolledBack).rejects.toThrow('rollback');
      contains(newest, await read());
    },
  );
});
