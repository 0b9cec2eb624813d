import { expect, test } from 'vitest';
import { createCache, TenantMissingError } from '../../src/index.js';
import { auditAfterEach, watch } from '../support/audit.js';

// A change of a tree with `tenant` that was told outside of any tenant was acknowledged and ended nothing; neither did
// one whose id or new parent was missing.

interface Row {
  id: number;
  parent: number | null;
  org: string;
  name: string;
}

auditAfterEach();

test('a change that is told for no tenant is an error, and nothing that resolves', async () => {
  const cache = watch(createCache({ jitter: 0 }));
  let name = 'old';
  const tree = cache.tree<Row>()('units', {
    id: 'id',
    parent: 'parent',
    tenant: 'org',
    rows: async () => [{ id: 1, parent: null, org: 'acme', name }],
  });
  const acme = tree.tenant('acme');
  expect((await acme.get(1))?.name).toBe('old');
  name = 'new';
  await expect(tree.invalidate(1)).rejects.toThrow(TenantMissingError);
  await expect(tree.move(1, { to: null })).rejects.toThrow(TenantMissingError);
  await expect(tree.clear()).rejects.toThrow(TenantMissingError);
  await cache.runAsTenant('acme', () => tree.invalidate(1));
  expect((await acme.get(1))?.name).toBe('new');
});

test('a change of no row, or to no parent, is an error', async () => {
  const cache = watch(createCache({ jitter: 0 }));
  const tree = cache.tree<Row>()('units', { id: 'id', parent: 'parent', rows: async () => [] });
  await expect(tree.invalidate(undefined as never)).rejects.toThrow('Expected `id` to be a number, a bigint or a text');
  await expect(tree.move(1, {} as never)).rejects.toThrow('Expected `to` to be a number, a bigint or a text');
  await expect(tree.move(1, { to: 2, from: Number.NaN })).rejects.toThrow('Expected `from` to be a number');
  await expect(tree.move(1, { to: null, from: null })).resolves.toMatchObject({});
});
