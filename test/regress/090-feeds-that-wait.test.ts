import { EventEmitter } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import { createFeed, type Feed, listen, poll } from '../../src/feed/index.js';
import { createCache, table } from '../../src/index.js';

// A feed that listened kept something of each heartbeat for as long as its connection lived. One that polled waited for ever
// for a statement that nobody answered, told nobody when it could not begin, and was ready before it had made known what it
// found.

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function aFeed(query: (sql: string) => Promise<unknown>) {
  const cache = createCache();
  closing.push(() => cache.close());
  const errors: string[] = [];
  const source = poll({ query, every: '5ms', timeout: '20ms' });
  const onError = (error: unknown) => errors.push((error as Error).message);
  const feed: Feed = createFeed({ cache, tables: ['orders'], source, onError });
  closing.push(feed.close);
  return { cache, feed, errors };
}

test('nothing is left of a heartbeat when it is over', async () => {
  const answers: WeakRef<object>[] = [];
  const connect = () =>
    Object.assign(new EventEmitter(), {
      connect: async () => {},
      end: async () => {},
      async query() {
        const answer = {};
        answers.push(new WeakRef(answer));
        return answer;
      },
    });
  const cache = createCache();
  closing.push(() => cache.close());
  const feed = createFeed({ cache, tables: ['orders'], source: listen({ connect, heartbeat: 2 }) });
  closing.push(feed.close);
  await feed.ready;
  await expect.poll(() => answers.length).toBeGreaterThan(20);
  await expect
    .poll(() => {
      collect();
      return answers.slice(0, 10).filter((answer) => answer.deref() !== undefined).length;
    })
    .toBe(0);
});

test('a statement that nobody answers is given up and told, and the next one is asked', async () => {
  let asked = 0;
  const { feed, errors } = aFeed(() => (++asked === 2 ? new Promise(() => {}) : Promise.resolve([])));
  await feed.ready;
  await expect.poll(() => asked).toBeGreaterThan(3);
  expect(errors).toEqual(['no answer within 20 ms']);
  await expect.poll(() => feed.listening).toBe(true);
});

test('a feed whose every statement hangs can be closed', async () => {
  const { feed } = aFeed(() => new Promise(() => {}));
  await feed.close();
  await feed.ready;
  expect(feed.listening).toBe(false);
});

test('a feed that cannot begin says so', async () => {
  const { feed, errors } = aFeed(() => Promise.reject(new Error('there is no table unstale_changes')));
  await expect.poll(() => errors[0]).toBe('there is no table unstale_changes');
  expect(feed.listening).toBe(false);
});

test('a feed that is ready has made known what it found', async () => {
  let rows = Array.from({ length: 700 }, (_, i) => ({
    number: i + 1,
    name: 'orders',
    id: `["${i + 1}"]`,
    tenant: null,
  }));
  const { cache, feed } = aFeed(async (sql) => {
    const numbers = new Set(/in \((.*)\)/.exec(sql)?.[1]?.split(',').map(Number));
    rows = rows.filter(({ number }) => !numbers.has(number));
    return rows.slice(0, 500);
  });
  for (const id of [1, 700]) await cache.read({ key: [id], tags: [table('orders', { id })], load: () => 'old' });
  await feed.ready;
  expect([await cache.has([1]), await cache.has([700])]).toEqual([false, false]);
});
