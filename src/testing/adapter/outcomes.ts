import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidationPendingError } from '../../core/errors.js';
import type { AdapterClient } from './driver.js';
import { hour } from './primed.js';
import { rejection } from './rejecting.js';
import { name, names, rename } from './shop.js';
import { about, trap } from './trap.js';
import { sharedStore, type World } from './world.js';

const isCommit = (sql: string) => /^\s*commit\b/i.test(sql);

const around = (client: AdapterClient) => client.around?.bind(client) as NonNullable<AdapterClient['around']>;
const later = (postgres: string, sqlite: string) => ({ postgres: [postgres], sqlite: [sqlite] });

/** A child whose parent is looked for by COMMIT. */
const deferred = later(
  'create table late (id integer primary key, account_id integer references accounts (id) deferrable initially deferred)',
  'create table late (id integer primary key, account_id integer references accounts (id) deferrable initially deferred)',
);

/** COMMIT is a statement too: it can fail, and its answer can get lost. */
export const outcomes = about('COMMIT', [
  trap(
    'publishing waits until it has run',
    async (w) => {
      const ada = await w.prime(name, [1]);
      around(w.writer)(isCommit, async (send) => {
        // Who published before COMMIT would have this read store the old row under the new version.
        if (!w.isStrict) await w.beside(() => ada.kept());
        // It is fenced by now, and read past the cache.
        else assert.equal((await w.beside(() => w.reader.read(name, [1], hour)))[0]?.name, 'Ada');
        await send();
      });
      await w.writer.transaction((tx) => tx.write(rename, ['Ida', 1]));
      await ada.changed();
    },
    { needs: ['around'], alone: true },
  ),
  trap(
    'it resolves when everybody would see its change, not earlier',
    async (w) => {
      const ada = await w.prime(name, [1]);
      const raises = sharedStore(w).hold('raise');
      let resolved = false;
      const whole = w.writer
        .transaction((tx) => tx.write(rename, ['Ida', 1]))
        .then(() => {
          resolved = true;
        });
      await raises.arrived();
      await sleep(20);
      assert.equal(resolved, false, 'the transaction resolved before its change was acknowledged');
      raises.release();
      await whole;
      await ada.changed();
    },
    { shared: true, ackTimeout: '1m' },
  ),
  trap(
    'one that fails leaves nothing of the transaction behind',
    async (w) => {
      const ada = await w.prime(name, [1]);
      await rejection(
        w.writer.transaction(async (tx) => {
          await tx.write(rename, ['Ida', 1]);
          await tx.write('insert into late (id, account_id) values (1, 99)');
          assert.deepEqual(await tx.read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
        }),
      );
      await ada.unchanged();
    },
    { given: deferred, not: { mysql: 'no constraint is deferred' } },
  ),
  trap(
    'a lost answer counts as a commit',
    async (w) => {
      const ada = await w.prime(name, [1]);
      const all = await w.prime(names);
      around(w.writer)(isCommit, async (send) => {
        await send();
        throw new Error('the connection was lost after COMMIT');
      });
      await rejection(w.writer.transaction((tx) => tx.write(rename, ['Ida', 1])));
      await ada.changed();
      await all.changed();
    },
    { needs: ['around', 'wire'], alone: true },
  ),
  trap(
    'a connection lost before it leaves the cache right',
    async (w) => {
      const ada = await w.prime(name, [1]);
      around(w.writer)(isCommit, async () => {
        throw new Error('the connection was lost before COMMIT');
      });
      await rejection(
        w.writer.transaction(async (tx) => {
          await tx.write(rename, ['Ida', 1]);
          assert.deepEqual(await tx.read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
        }),
      );
      await ada.unchanged();
    },
    { needs: ['around', 'wire'], alone: true },
  ),
  trap(
    'one that is carried out some time after its connection was lost counts then',
    async (w) => {
      const ada = await w.prime(name, [1]);
      around(w.writer)(isCommit, async (send) => {
        send().catch(() => {});
        await sleep(100);
        throw new Error('the connection was lost during COMMIT');
      });
      await rejection(
        w.writer.transaction(async (tx) => {
          await tx.write(rename, ['Ida', 1]);
          await tx.write('insert into slow (id) values (1)');
        }),
      );
      // Between the error and the commit, somebody stores the old row again.
      await ada.unchanged();
      const over = performance.now() + 8000;
      while (performance.now() < over) {
        await sleep(250);
        const [now] = await w.reader.read(name, [1], hour);
        if (now?.name === 'Ida') return ada.changed();
      }
      assert.fail('the old row was served 8 s after a COMMIT whose outcome was unknown');
    },
    {
      needs: ['around', 'wire'],
      alone: true,
      given: {
        postgres: [
          'create table slow (id integer primary key)',
          `create function be_slow() returns trigger language plpgsql as $$ begin perform pg_sleep(3); return null; end $$`,
          `create constraint trigger slowly after insert on slow deferrable initially deferred
          for each row execute function be_slow()`,
        ],
      },
      not: { mysql: 'nothing happens at COMMIT that takes time', sqlite: 'nothing happens at COMMIT that takes time' },
      rules: { tables: { slow: { writes: [] } } },
    },
  ),
  trap(
    'a transaction whose connection the server ends leaves the cache right',
    async (w) => {
      const ada = await w.prime(name, [1]);
      const id = { postgres: 'select pg_backend_pid() as id', mysql: 'select connection_id() as id', sqlite: '' };
      const kill = (it: unknown) => (w.dialect === 'mysql' ? `kill ${it}` : `select pg_terminate_backend(${it})`);
      await rejection(
        w.writer.transaction(async (tx) => {
          await tx.write(rename, ['Ida', 1]);
          const [own] = await tx.read(id[w.dialect]);
          await w.bare(kill(own?.id));
          await sleep(50);
        }),
      );
      await ada.unchanged();
      await w.writer.write(rename, ['Ida', 1]);
      await ada.changed();
    },
    { not: { sqlite: 'there is no server' } },
  ),
  trap(
    'a time-out of the server that ends the transaction leaves the cache right',
    async (w) => {
      const ada = await w.prime(name, [1]);
      await rejection(
        w.writer.transaction(async (tx) => {
          await tx.write(`set local idle_in_transaction_session_timeout = '50ms'`);
          await tx.write(rename, ['Ida', 1]);
          assert.deepEqual(await tx.read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
          await sleep(250);
        }),
      );
      await ada.unchanged();
    },
    { not: { mysql: 'it is a setting of the session', sqlite: 'there is no server' } },
  ),
  trap(
    'one that ran does not look failed when its change cannot be told',
    unacknowledged(async (w, write) => {
      await w.writer.transaction((tx) => write(tx));
    }),
    { shared: true, noisy: true },
  ),
  trap(
    'a write of its own does not look failed when it cannot be told',
    unacknowledged(async (w, write) => {
      await write(w.writer);
    }),
    { shared: true, noisy: true },
  ),
  trap('a statement that fails leaves the cache right, and its error as it was', async (w) => {
    const all = await w.prime(names);
    const twice = 'insert into accounts (id, org, name, email) values (1, ?, ?, ?)';
    const error = await rejection(w.writer.write(twice, ['acme', 'x', 'new@x']));
    const bare = await rejection(w.bare(twice, ['acme', 'x', 'new@x']));
    assert.equal((error as { code?: unknown }).code, (bare as { code?: unknown }).code);
    await all.unchanged();
  }),
]);

/** The store goes down before a write, and comes back after it. */
function unacknowledged(
  act: (w: World, write: (from: Pick<AdapterClient, 'write'>) => Promise<unknown>) => Promise<void>,
): (w: World) => Promise<void> {
  return async (w) => {
    const store = sharedStore(w);
    const ada = await w.prime(name, [1]);
    let told = 0;
    w.cacheOfWriter.on('unacknowledged', () => {
      told += 1;
    });
    // What cannot be fenced is refused: there the store goes down behind the fence.
    const raises = w.isStrict ? store.hold('raise') : undefined;
    if (raises === undefined) store.down();
    const acting = act(w, (from) => from.write(rename, ['Ida', 1]));
    await raises?.arrived();
    if (raises !== undefined) store.down();
    raises?.release();
    await acting;
    assert.equal(told, 1, 'the cache tells that the change is not acknowledged');
    store.up();
    await w.cacheOfWriter.settled({ timeout: '5s' }).catch((error: unknown) => {
      if (error instanceof InvalidationPendingError) assert.fail('the change was not told after the store came back');
      throw error;
    });
    await ada.changed();
  };
}
