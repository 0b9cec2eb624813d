// What every consumer in plain JavaScript does with the entries, however it has loaded them.
const assert = require('node:assert/strict');

exports.useCore = async ({ createCache }) => {
  const cache = createCache();
  let loads = 0;
  const read = () => cache.getOrSet({ key: ['n', 1], tags: ['n'], load: () => ++loads });
  assert.equal(await read(), 1);
  assert.equal(await read(), 1, 'a second read is a hit');
  await cache.invalidate('n');
  assert.equal(await read(), 2, 'an invalidated value is loaded again');

  const double = cache.withCache(async (n) => n * 2 + 0 * ++loads, { name: 'double' });
  assert.equal(await double(4), 8);
  assert.equal(await double(4), 8);
  assert.equal(loads, 3, 'a wrapped function is cached');
  await cache.close();
};

exports.useRedis = async (
  { createCache, InvalidationPendingError, StoreUnavailableError, UnstaleError },
  { redisStore },
) => {
  // Port 1 refuses: no server is needed to see which class the error of another entry has.
  const cache = createCache({ store: redisStore('redis://127.0.0.1:1'), ackTimeout: 300 });
  cache.on('error', () => {});
  assert.equal(await cache.getOrSet({ key: 'k', load: () => 1 }), 1, 'a read does not fail because the store is down');
  const error = await cache.invalidate('t').then(
    () => assert.fail('an invalidation that nobody confirmed was acknowledged'),
    (it) => it,
  );
  assert.equal(error.constructor, InvalidationPendingError);
  assert.ok(error instanceof UnstaleError);
  assert.equal(error.cause?.constructor, StoreUnavailableError, 'one class for all entries of a format');
  await cache.close({ timeout: 100 }).catch(() => {});
  return error;
};

exports.useTesting = async ({ createCache, InvalidationPendingError }, { faultyStore, memoryStore }) => {
  const cache = createCache({ store: faultyStore(memoryStore(), { down: true }), ackTimeout: 100 });
  const alive = setInterval(() => {}, 1000); // as a server does: the timers of the cache do not
  const error = await cache.invalidate('t').then(
    () => assert.fail('an invalidation that nobody confirmed was acknowledged'),
    (it) => it,
  );
  assert.equal(error.constructor, InvalidationPendingError, 'one class for all entries of a format');
  await cache.close({ timeout: 100 }).catch(() => {});
  clearInterval(alive);
};
