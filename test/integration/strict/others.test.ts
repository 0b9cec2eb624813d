import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { FenceUnavailableError, fenceSql } from '../../../src/index.js';
import { portIn } from '../../unit/core/strict-world.js';
import { type Database, databases } from '../knex/a-shop.js';
import { aWorld, type Process, until } from './a-world.js';

const others = (['mysql', 'sqlite'] satisfies Database[]).filter((database) => databases.includes(database));

describe.skipIf(!inject('services').redis).each(others)('strict, on %s and Redis', (database) => {
  let world: Awaited<ReturnType<typeof aWorld>>;
  let reader: Process;
  let writer: Process;
  beforeAll(async () => {
    world = await aWorld(database);
  });
  afterAll(() => world?.close());
  beforeEach(async () => {
    const name = world.name();
    await world.bare('users').where({ id: 1 }).update({ name: 'old' });
    const options = { name, ackTimeout: '10s' } as const;
    [reader, writer] = await Promise.all([world.open(1, options), world.open(1, options)]);
    await Promise.all([reader.prime(), writer.prime()]);
  });

  const rename = async (name: string) => {
    await writer.knex('users').where({ id: 1 }).update({ name });
  };
  const stored = async () => (await world.bare('users').where({ id: 1 }).first()).name as string;
  const isCommitted = (name: string) => until(async () => ((await stored()) === name ? true : undefined));
  const isFenced = () =>
    until(async () => ((await reader.cache.explain(['user'])).text.includes('is being written') ? true : undefined));

  test('a read between COMMIT and its acknowledgement gets the committed row', async () => {
    const raise = writer.store.hold('raise');
    const writing = rename('new');
    await isCommitted('new');
    await raise.arrived();
    expect(await reader.read()).toBe('new');
    raise.release();
    await writing;
    expect(await reader.prime()).toBe('new');
  });

  test('while its transaction is open the fence stays, however long that is', async () => {
    // A writer who hangs between fence and COMMIT, told step by step.
    const tags = [...(await reader.cache.explain(['user'])).tags].map(({ tag }) => tag).filter((tag) => /#/.test(tag));
    const [, name] = /^table:(.*)\.users/.exec(tags[0] ?? '') ?? [];
    const owner = { mysql: `1|row|${name}|${'ab'.repeat(16)}`, sqlite: `1|lock|${name}|the writer` }[database];
    const open = await world.bare.transaction();
    await open('users').where({ id: 1 }).update({ name: 'new' });
    if (database === 'mysql') await open.raw(`insert into unstale_fence (id) values (x'${'ab'.repeat(16)}')`);
    await portIn(writer.cache).fence(tags, owner, 50);
    const end = performance.now() + 1000;
    while (performance.now() < end) {
      expect(await reader.read()).toBe('old');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await isFenced();
    await open.commit();
    expect(await reader.read()).toBe('new');
    expect(await reader.prime()).toBe('new');
  });

  test('what cannot be fenced is refused, and has changed nothing', async () => {
    writer.redis.cut();
    await expect(rename('new')).rejects.toThrow(FenceUnavailableError);
    expect(await stored()).toBe('old');
  });

  test('a process that comes waits for the transactions that were open', async () => {
    const open = await writer.knex.transaction();
    await open('users').where({ id: 1 }).update({ name: 'new' });
    if (database === 'mysql') await open.raw(`insert into unstale_fence (id) values (x'${'cd'.repeat(16)}')`);
    const late = await world.open(1, { name: world.name() });
    expect(await late.read()).toBe('old');
    expect((await late.cache.explain(['user'])).text).toContain('quarantine');
    await open.rollback();
    expect(await late.prime()).toBe('old');
  });

  test.skipIf(database !== 'mysql')('rows of transactions that are over are removed', async () => {
    await rename('one');
    await rename('two');
    await until(async () => ((await world.bare('unstale_fence')).length === 0 ? true : undefined));
  });

  test.skipIf(database !== 'mysql')(
    'without its table nothing is committed, and the error says what to do',
    async () => {
      await world.bare.raw(fenceSql('mysql').down);
      const error = await rename('new').catch((it) => it);
      expect(error).toBeInstanceOf(FenceUnavailableError);
      expect(error.message).toContain('create table if not exists unstale_fence');
      expect(await stored()).toBe('old');
      await world.bare.raw(fenceSql('mysql').up);
    },
  );
});
