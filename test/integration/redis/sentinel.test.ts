import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { StoreSession } from '../../../src/core/store.js';
import { ask } from '../../services/redis.js';
import { type RedisSentinel, type Sentinel, startSentinel } from '../../services/redis-sentinel.js';
import { forkTypeScript } from '../../support/fork.js';
import type { Shown } from './a-reading-process.js';
import { aSession, aTrustedSession, aWatchingSession, clock, until } from './a-session.js';

describe.skipIf(!inject('services').sentinel)('behind Sentinel', () => {
  let world: RedisSentinel;
  beforeAll(async () => {
    world = await startSentinel();
  }, 60_000);
  afterAll(() => world?.stop());

  const target = (...sentinels: readonly Sentinel[]) => ({
    name: world.name,
    sentinels: sentinels.map(({ host, port }) => ({ host, port })),
  });
  const patiently = { timeout: '1s' } as const;
  const role = (server: { host: string; port: number }) =>
    ask(server, async (redis) => /role:(\w+)/.exec(await redis.info('replication'))?.[1]);
  const means = async (sentinel: Sentinel, port: number) => {
    const at = await ask(sentinel, (redis) => redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', world.name));
    return Number((at as string[])[1]) === port;
  };

  test('where no master was ever replaced, the first start waits for nobody', async () => {
    const { session } = aSession(target(...world.sentinels), patiently);
    expect(await until('it is trusted', () => session.epoch !== undefined)).toBeLessThan(2000);
  });

  test('a user of the sentinels needs three permissions, and no error tells his password', async () => {
    const rights = ['+sentinel|master', '+sentinel|get-master-addr-by-name', '+sentinel|sentinels'];
    const allow = async (user: string, ...more: string[]) => {
      for (const one of world.sentinels)
        await ask(one, (redis) => redis.acl('SETUSER', user, 'reset', 'on', '>hunter2', '&*', '-@all', ...more));
    };
    const as = (user: string) => ({
      ...target(...world.sentinels),
      sentinelUsername: user,
      sentinelPassword: 'hunter2',
    });
    await allow('permitted', ...rights);
    await aTrustedSession(as('permitted'), patiently);
    await allow('limited', ...rights.slice(1));
    const { session, heard } = aSession(as('limited'), patiently);
    await until('it says why', () => heard.errors.length > 0);
    expect(session.epoch).toBeUndefined();
    expect(String(heard.errors[0])).toMatch(/0 of 3 sentinels answered \(.*NOPERM/);
    expect(inspect(heard.errors, { depth: 5 })).not.toContain('hunter2');
  });

  test('a process that was busy for too long refuses what it is asked, and is up again at once', async () => {
    const { session, heard } = await aTrustedSession(target(...world.sentinels), patiently);
    const { ups } = heard;
    const { epoch } = session;
    for (const end = performance.now() + 2200; performance.now() < end; );
    await expect(session.raise(['tag'], 1000)).rejects.toThrow('it has not been looked at for too long');
    expect(await until('it says that it is up', () => heard.ups > ups)).toBeLessThan(1000);
    await session.raise(['tag'], 1000);
    expect(session.epoch).toBe(epoch);
  });

  test('two servers that both call themselves master are not trusted at once', { timeout: 60_000 }, async () => {
    const [first, second, third] = world.sentinels as [Sentinel, Sentinel, Sentinel];
    const deaf = await world.addDeaf();
    const name = `test-${randomUUID()}`;
    const sights = new Sights();
    const kept = await aTrustedSession(target(first, second, third), { ...patiently, name });
    const watching = await aWatchingSession(target(first, second, third), { ...patiently, name, maxStale: 1000 });
    const process = startReading(target(first, second, third), name);
    const before = kept.session.epoch;
    await sights.raise(kept.session);
    await until('the process reads', () => process.shown.some(({ sight }) => sight !== undefined));
    process.child.kill('SIGSTOP');

    await ask(first, (redis) => redis.call('SENTINEL', 'FAILOVER', world.name));
    for (const one of [first, second]) await until('it means the other', () => means(one, world.replica.port));
    expect(await means(deaf, world.master.port)).toBe(true);
    const later = aSession(target(first, second, deaf), { ...patiently, name });
    const misled = aSession(target(deaf, first, second), { ...patiently, name });
    const all = [kept, watching, later, misled].map(({ session }) => session);

    // Everybody reads, and whoever can acknowledges a write, until all are in another epoch, and a little longer.
    const storm = async (before: string | undefined, onAcknowledged = () => {}) => {
      const arrived = () => all.every(({ epoch }) => epoch !== undefined && epoch !== before);
      let acknowledgedAt = Number.POSITIVE_INFINITY;
      let rounds = 0;
      for (const end = clock.now() + 15_000; clock.now() < end && !(rounds >= 40 && arrived()); ) {
        await Promise.all(all.map((session) => sights.read(session)));
        const by = await sights.raise(later.session, kept.session, misled.session);
        if (by === later.session && by.epoch !== before && acknowledgedAt === Number.POSITIVE_INFINITY) {
          acknowledgedAt = clock.now();
          onAcknowledged();
        }
        const isOld = watching.session.epoch === undefined || watching.session.epoch === before;
        if (isOld && watching.heard.provenAt > acknowledgedAt) provenTooLate++;
        if (clock.now() > acknowledgedAt) rounds++;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(arrived()).toBe(true);
      expect(new Set(all.map(({ epoch }) => epoch)).size).toBe(1);
    };
    let provenTooLate = 0;
    await storm(before, () => process.child.kill('SIGCONT'));
    await until('the process reads again', () => process.shown.at(-1)?.sight !== undefined);

    // Back to the old one, which has not stopped to be what it was, and has heard of nothing since.
    expect(await role(world.master), 'the old master must still call itself one').toBe('master');
    await ask(first, (redis) => redis.call('SENTINEL', 'FAILOVER', world.name));
    for (const one of [first, second]) await until('it means the old one', () => means(one, world.master.port));
    await storm(later.session.epoch);
    const inProcess = process.shown.filter((it) => sights.isStale(it)).length;
    expect({ stale: sights.stale, inProcess, provenTooLate }).toEqual({ stale: 0, inProcess: 0, provenTooLate: 0 });
  });

  test('who reaches only a minority of the sentinels trusts nobody, until there are more', async () => {
    const [, second, third] = world.sentinels as [Sentinel, Sentinel, Sentinel];
    const { session, heard, name } = await aTrustedSession(target(...world.sentinels), patiently);
    const before = session.epoch;
    onTestFinished(() => {
      for (const one of [second, third]) one.resume();
    });
    let lastBegun = 0;
    const reading = setInterval(() => {
      const begun = clock.now();
      session.read(undefined, ['tag']).then(
        () => {
          lastBegun = Math.max(lastBegun, begun);
        },
        () => {},
      );
    }, 5);
    onTestFinished(() => clearInterval(reading));
    const pausedAt = clock.now();
    for (const one of [second, third]) one.pause();
    const fresh = aSession(target(...world.sentinels), { ...patiently, name });
    await until('it is not trusted', () => session.epoch === undefined);
    expect(lastBegun - pausedAt).toBeGreaterThan(0);
    expect(lastBegun - pausedAt, 'milliseconds that it went on').toBeLessThan(2100);
    for (const one of [session, fresh.session]) {
      await expect(one.raise(['tag'], 1000)).rejects.toThrow(/1 of 3 sentinels answered/);
      await expect(one.read(undefined, ['tag'])).rejects.toThrow(/1 of 3 sentinels answered/);
    }
    expect(String(heard.errors[0])).toMatch(/1 of 3 sentinels answered/);
    expect(heard.states).not.toContain('open');

    for (const one of [second, third]) one.resume();
    await until('it is trusted again', () => session.epoch !== undefined && fresh.session.epoch !== undefined);
    expect([session.epoch, fresh.session.epoch]).toEqual([before, before]);
  });
});

/** What was seen, and when nobody may see it any more: since a later raise was acknowledged. */
class Sights {
  stale = 0;
  readonly #seen = new Map<string, { first: number; replaced: number }>();

  /** By the first of them that can. Resolves with that one. */
  async raise(...sessions: readonly StoreSession[]): Promise<StoreSession | undefined> {
    for (const session of sessions) {
      const begun = micros();
      const { epoch } = session;
      const [version] = await session.raise(['tag'], 1000).catch(() => []);
      if (version === undefined) continue;
      const now = micros();
      for (const it of this.#seen.values()) if (it.first < begun) it.replaced = Math.min(it.replaced, now);
      this.#see(`${epoch} ${version}`);
      return session;
    }
    return undefined;
  }

  async read(session: StoreSession): Promise<void> {
    const begun = micros();
    const read = await session.read(undefined, ['tag']).catch(() => undefined);
    if (read === undefined) return;
    const sight = `${read.epoch} ${read.versions[0]}`;
    this.#see(sight);
    if (this.isStale({ begun, sight })) this.stale++;
  }

  #see(sight: string): void {
    if (!this.#seen.has(sight)) this.#seen.set(sight, { first: micros(), replaced: Number.POSITIVE_INFINITY });
  }

  isStale({ begun, sight }: Shown): boolean {
    const known = sight === undefined ? undefined : this.#seen.get(sight);
    return known !== undefined && begun > known.replaced;
  }
}

const micros = () => Number(process.hrtime.bigint() / 1000n);

/** A process that reads, ended when the test is over. */
function startReading(target: object, name: string): { child: ChildProcess; shown: Shown[] } {
  const file = fileURLToPath(new URL('./a-reading-process.ts', import.meta.url));
  const child = forkTypeScript(file, [JSON.stringify(target), name]);
  const shown: Shown[] = [];
  child.on('message', (one: Shown) => shown.push(one));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, shown };
}
