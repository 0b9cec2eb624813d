import { describe, expect, inject, test } from 'vitest';
import { type Measured, measure, type Variant } from '../precision/measure.js';
import type { Database } from '../precision/shop.js';

/** The short form of `npx tsx test/precision/run.ts`: a tenth of its entries. */
const services = inject('services');
const databases = (['postgres', 'mysql', 'sqlite'] as const).filter((name) => services[name] !== undefined);
const size = { tenants: 10, journeys: 20, nodes: 100, contacts: 100, posts: 20, responses: 60 };

describe.concurrent.each(databases)('a write of one row, on %s,', (database) => {
  test('ends what it changed, and little else', { timeout: 60_000 }, async () => {
    const plain = await measured(database, 'nothing');
    const tenant = await measured(database, 'tenant');
    const all = await measured(database, 'tenant, grain, ignoreColumns');
    for (const { precisions } of [plain, tenant, all])
      for (const { write, stale, ended, changed } of precisions) {
        expect(stale, write.text).toBe(0);
        expect(ended, write.text).toBeGreaterThanOrEqual(changed);
      }
    // Rows that are looked for by a column that is no key depend on the whole table.
    const byOther = Math.floor(size.contacts * 0.05);
    const beyond = (text: string) => ofWrite(tenant, text).ended - ofWrite(tenant, text).covering;
    const narrow = ['contacts: UPDATE name WHERE id AND tenant_id', 'contacts: INSERT'];
    const asked = [
      'contacts: UPDATE name WHERE id',
      'contacts: DELETE WHERE id',
      'contacts: the same in a transaction',
    ];
    for (const text of database === 'postgres' ? [...narrow, ...asked] : narrow)
      expect(beyond(text), text).toBeLessThanOrEqual(byOther);
    expect(ofWrite(all, 'contacts: UPDATE seen WHERE id').ended).toBeLessThanOrEqual(1);
    expect(ofWrite(tenant, 'responses: INSERT').beyond.get('page of a parent')).toBeGreaterThan(0);
    expect(ofWrite(all, 'responses: INSERT').beyond.get('page of a parent')).toBeUndefined();
    expect(ofWrite(tenant, 'contacts: INSERT').ended).toBeLessThan(ofWrite(plain, 'contacts: INSERT').ended);
  });
});

function measured(database: Database, variant: Variant): Promise<Measured> {
  return measure(database, (services[database] as { url?: string }).url, variant, { size, seed: 1, repeat: 1 });
}

function ofWrite({ precisions }: Measured, text: string) {
  const found = precisions.find(({ write }) => write.text === text);
  if (found === undefined) throw new Error(`there is no write '${text}'`);
  return found;
}
