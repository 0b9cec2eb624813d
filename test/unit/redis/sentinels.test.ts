import { describe, expect, test } from 'vitest';
import type { Reply } from '../../../adapters/redis/client.js';
import { sourceOf } from '../../../adapters/redis/connection.js';
import type { RedisTarget } from '../../../adapters/redis/index.js';
import { isAt } from '../../../adapters/redis/mandate.js';
import { readVote } from '../../../adapters/redis/sentinels.js';

const flat = (fields: Record<string, string>): Reply =>
  Object.entries(fields)
    .flat()
    .map((it) => Buffer.from(it));
const shown = { ip: '10.0.0.1', port: '6379', runid: 'abc', 'config-epoch': '7', 'num-other-sentinels': '2' };
const at = (host: string, port: string): Reply => [Buffer.from(host), Buffer.from(port)];

describe('what a sentinel answers', () => {
  test('is the master, with its number and its run id', () => {
    const vote = { host: '10.0.0.1', port: 6379, epoch: 7, runId: 'abc', others: 2 };
    expect(readVote([flat(shown), at('10.0.0.1', '6379'), flat(shown)])).toEqual(vote);
  });

  test('has the run id of the old master while it leads a failover: that one does not count', () => {
    const vote = readVote([flat(shown), at('10.0.0.2', '6379'), flat(shown)]);
    expect(vote).toMatchObject({ host: '10.0.0.2', epoch: 7, runId: '' });
  });

  test('says nothing when the number changes while it answers', () => {
    expect(() => readVote([flat(shown), at('10.0.0.2', '6379'), flat({ ...shown, 'config-epoch': '8' })])).toThrow(
      'it is just changing over',
    );
  });

  const whole: [Reply, Reply, Reply] = [flat(shown), at('10.0.0.1', '6379'), flat(shown)];
  const without = (name: string) => flat(Object.fromEntries(Object.entries(shown).filter(([key]) => key !== name)));
  test.each<[string, Reply[]]>([
    ['nothing', []],
    ['too little', whole.slice(0, 2)],
    ['an error', [new Error('ERR No such master with that name'), whole[1], whole[2]]],
    ['an error in place of the address', [whole[0], new Error('NOPERM'), whole[2]]],
    ['no address', [whole[0], null, whole[2]]],
    ['half an address', [whole[0], [Buffer.from('10.0.0.1')], whole[2]]],
    ['an address without a host', [whole[0], at('', '6379'), whole[2]]],
    ['a port that is none', [whole[0], at('10.0.0.1', '6379x'), whole[2]]],
    ['an odd number of fields', [whole[0], whole[1], [...(whole[2] as Reply[]), Buffer.from('more')]]],
    ['no number', [without('config-epoch'), whole[1], without('config-epoch')]],
    [
      'a number that is none',
      [flat({ ...shown, 'config-epoch': '-1' }), whole[1], flat({ ...shown, 'config-epoch': '-1' })],
    ],
    ['nothing of other sentinels', [whole[0], whole[1], without('num-other-sentinels')]],
  ])('that cannot be read is no vote: %s', (_, replies) => {
    expect(() => readVote(replies)).toThrow();
  });
});

describe('sentinels of a target', () => {
  const of = (options: object) => {
    const { sentinels, translate } = sourceOf({ name: 'main', ...options } as RedisTarget);
    if (sentinels === undefined) throw new Error('it has none');
    return { ...sentinels, translate };
  };

  test('are asked with their own user, their own TLS, and nothing of the master', () => {
    const { connect, all } = of({
      sentinels: [{ host: 'one', port: 1 }],
      ...{ username: 'app', password: 'secret', tls: { servername: 'cache' }, db: 3, family: 6 },
      ...{ sentinelUsername: 'watch', sentinelPassword: 'hidden', sentinelTLS: { servername: 'sentinel' } },
    });
    expect(connect({ count: 0 }, all[0] as (typeof all)[0]).options).toMatchObject({
      ...{
        host: 'one',
        port: 1,
        username: 'watch',
        password: 'hidden',
        tls: { servername: 'sentinel' },
        db: 0,
        family: 6,
      },
      ...{ lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 0 },
    });
  });

  test('count once each, at the usual port', () => {
    const { all } = of({ sentinels: [{ host: 'one' }, { host: 'one', port: 26379 }, { host: 'two', port: 1 }] });
    expect(all).toMatchObject([
      { host: 'one', port: 26379 },
      { host: 'two', port: 1 },
    ]);
  });

  test.each([
    ['a table', { '10.0.0.1:6379': { host: 'outside', port: 7000 } }],
    ['a function', (key: string) => (key === '10.0.0.1:6379' ? { host: 'outside', port: 7000 } : null)],
  ])('name addresses that `natMap` translates: %s', (_, natMap) => {
    const { translate } = of({ sentinels: [{ host: 'one', port: 1 }], natMap });
    expect(translate({ host: '10.0.0.1', port: 6379 })).toEqual({ host: 'outside', port: 7000 });
    expect(translate({ host: '10.0.0.2', port: 6379 })).toEqual({ host: '10.0.0.2', port: 6379 });
  });

  test.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '::ffff:127.0.0.1', true],
    ['FE80::1', 'fe80::1%eth0', true],
    ['127.0.0.2', '127.0.0.1', false],
    ['nobody.invalid', '127.0.0.1', false],
  ])('may name a server as %s, which is seen as %s: %s', async (host, remote, same) => {
    expect(await isAt({ host }, remote)).toBe(same);
  });

  test('may announce names', async () => {
    const seen = await Promise.all(['127.0.0.1', '::1'].map((remote) => isAt({ host: 'localhost' }, remote)));
    expect(seen).toContain(true);
    expect(await isAt({ host: 'localhost' }, '10.1.2.3')).toBe(false);
  });
});
