import assert from 'node:assert/strict';
import type { AdapterClient } from './driver.js';
import { hour } from './primed.js';
import { name, rename } from './shop.js';
import { about, trap } from './trap.js';

const around = (client: AdapterClient) => client.around?.bind(client) as NonNullable<AdapterClient['around']>;

/** A read that a write meets on its way to the database, or on its way back. */
export const overtaken = about('reading', [
  trap(
    'a slow read that a write overtakes is not stored',
    async (w) => {
      const [asked, answered] = [signal(), signal()];
      around(w.reader)(
        (sql) => sql.includes('from accounts'),
        async (send) => {
          await send();
          asked.fire();
          await answered.fired;
        },
      );
      const slow = w.beside(() => w.reader.read(name, [1], hour));
      await asked.fired;
      await w.writer.write(rename, ['Ida', 1]);
      // Begun after the acknowledgement: it must not be given the older row that is still on its way.
      const after = w.beside(() => w.reader.read(name, [1], hour));
      answered.fire();
      assert.deepEqual(await slow, [{ id: 1, name: 'Ada' }]);
      assert.deepEqual(await after, [{ id: 1, name: 'Ida' }]);
      assert.deepEqual(await w.reader.read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
    },
    { needs: ['around'] },
  ),
  trap(
    'a slow load that a write overtakes is not stored',
    async (w) => {
      const [asked, answered] = [signal(), signal()];
      around(w.reader)(
        (sql) => sql.includes('from accounts'),
        async (send) => {
          await send();
          asked.fire();
          await answered.fired;
        },
      );
      const read = () => w.cacheOfReader.getOrSet({ key: 'ada', ttl: hour, load: () => w.reader.read(name, [1]) });
      const slow = w.beside(read);
      await asked.fired;
      await w.writer.write(rename, ['Ida', 1]);
      const after = w.beside(read);
      answered.fire();
      assert.deepEqual(await slow, [{ id: 1, name: 'Ada' }]);
      assert.deepEqual(await after, [{ id: 1, name: 'Ida' }]);
      assert.deepEqual(await read(), [{ id: 1, name: 'Ida' }]);
    },
    { needs: ['around'] },
  ),
  trap(
    'a write that commits before a read gets its answer ends what that read stores',
    async (w) => {
      // The other half of the race: the statement has not even been sent when the write begins.
      const [asked, go] = [signal(), signal()];
      around(w.reader)(
        (sql) => sql.includes('from accounts'),
        async (send) => {
          asked.fire();
          await go.fired;
          await send();
        },
      );
      const slow = w.beside(() => w.reader.read(name, [1], hour));
      await asked.fired;
      await w.writer.write(rename, ['Ida', 1]);
      go.fire();
      assert.deepEqual(await slow, [{ id: 1, name: 'Ida' }]);
      const sent = w.count(name);
      assert.deepEqual(await w.reader.read(name, [1], hour), [{ id: 1, name: 'Ida' }]);
      assert.equal(w.count(name) - sent, 1, 'what was asked for before the write should not have been kept');
    },
    { needs: ['around'] },
  ),
]);

/** Something that happens once. */
function signal(): { readonly fired: Promise<void>; fire(): void } {
  let fire = () => {};
  const fired = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { fired, fire };
}
