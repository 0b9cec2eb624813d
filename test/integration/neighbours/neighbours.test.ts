import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Cache, createCache } from '../../../src/index.js';
import type { LibraryClient } from '../../support/libraries.js';
import { libraries } from '../../support/libraries-by-server.js';
import { aShop, servers } from './a-shop.js';
import { marksOn } from './marks.js';

// A program moves from one library to another, or has several for good; a part of it may know of no cache.

describe.each(servers)('all libraries on one database and one cache, %s', (server) => {
  const all = libraries[server];
  let place: Awaited<ReturnType<typeof aShop>>;
  let cache: Cache;
  const opened: LibraryClient[] = [];
  const open = async (name: string, isWrapped: boolean) => {
    const library = all.find((one) => one.name === name) as (typeof all)[0];
    const client = await library.open(
      { config: place.config, max: 2 },
      isWrapped ? { cache, default: '1h' } : undefined,
    );
    opened.push(client);
    return client;
  };
  beforeEach(async () => {
    place = await aShop(server);
    cache = createCache({ ttl: '1h', jitter: 0 });
  });
  afterEach(async () => {
    for (const client of opened.splice(0)) await client.close();
    await cache.close();
    await place.drop();
  });
  const wrapped = async () => {
    const made: { name: string; client: LibraryClient }[] = [];
    for (const { name } of all) made.push({ name, client: await open(name, true) });
    // The catalogue comes with the first statement.
    for (const { client } of made) await client.find(2);
    return made;
  };

  test('a write through any of them ends what every other has read', { timeout: 60_000 }, async () => {
    const clients = await wrapped();
    for (const writer of clients) {
      for (const { client } of clients) await client.find(1);
      const autocommit = `by ${writer.name}`;
      await writer.client.rename(1, autocommit);
      for (const { name, client } of clients)
        expect(await client.find(1), `${writer.name} wrote, ${name} reads`).toEqual({ id: 1, name: autocommit });
      const committed = `in a transaction of ${writer.name}`;
      await writer.client.transaction(async (tx) => {
        await tx.rename(1, committed);
        for (const { client } of clients) expect((await client.find(2))?.name).toBe('Bob');
      });
      for (const { name, client } of clients)
        expect(await client.find(1), `${writer.name} committed, ${name} reads`).toEqual({ id: 1, name: committed });
    }
  });

  test('a bare client beside each is as it was, and so is what the library shares', { timeout: 60_000 }, async () => {
    const bares: { name: string; client: LibraryClient }[] = [];
    for (const { name } of all) bares.push({ name, client: await open(name, false) });
    for (const { client } of bares) expect((await client.find(1))?.name).toBe('Ada');
    const before = bares.map(({ name, client }) => ({ name, marks: marksOn(client.parts) }));
    const clients = await wrapped();
    for (const { client } of clients) {
      await client.find(1);
      await client.transaction((tx) => tx.rename(1, 'Ida'));
    }
    for (const { marks, name } of before) expect(marks.changes(), name).toEqual([]);
    // Nobody tells of its writes, and it reads what is there.
    for (const { name, client } of bares) {
      await clients[0]?.client.rename(1, `before ${name}`);
      for (const one of clients) await one.client.find(1);
      await client.rename(1, `by a bare ${name}`);
      expect(await client.find(1)).toEqual({ id: 1, name: `by a bare ${name}` });
      for (const one of clients) expect((await one.client.find(1))?.name, one.name).toBe(`before ${name}`);
    }
    for (const { client } of clients) await client.close();
    opened.splice(bares.length);
    for (const { marks, name } of before) expect(marks.changes(), name).toEqual([]);
    for (const { client } of bares) expect((await client.find(2))?.name).toBe('Bob');
  });

  test('closing one does not disturb the others', { timeout: 60_000 }, async () => {
    const clients = await wrapped();
    while (clients.length > 1) {
      const { client: gone, name } = clients.shift() as (typeof clients)[0];
      for (const { client } of clients) await client.find(1);
      await gone.close();
      opened.shift();
      for (const [at, one] of clients.entries()) {
        const text = `${name} is gone, ${at} writes`;
        await one.client.transaction((tx) => tx.rename(1, text));
        for (const reader of clients) expect((await reader.client.find(1))?.name, reader.name).toBe(text);
      }
    }
  });
});

test('the check for what is left on a library notices a method in place of another', async () => {
  class Base {
    query() {}
  }
  class Client extends Base {}
  const client = new Client();
  const marks = marksOn([client]);
  expect(marks.changes()).toEqual([]);
  Base.prototype.query = () => {};
  expect(marks.changes()).toEqual(['query of Base.prototype']);
  Object.defineProperty(client, 'query', { value: () => {} });
  expect(marks.changes()).toEqual(['query of a Client', 'query of Base.prototype']);
});
