import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { forkTypeScript } from '../support/fork.js';

// Real processes on a real Redis. What happens in virtual time, a thousand cycles of it, is in `warmers.unit.test.ts`.

const { redis } = inject('services');
const name = `warmers-${randomUUID()}`;
const lease = 4000;
const every = 500;
const file = fileURLToPath(new URL('../support/warm-worker.ts', import.meta.url));

interface Step {
  readonly pid: number;
  readonly cycle: number;
  readonly step: number;
}

describe.skipIf(redis === undefined)('a warmer in four processes (skipped where there is no Redis)', () => {
  const url = redis?.url as string;
  const children = new Map<number, ChildProcess>();
  let log: Redis;

  const start = () =>
    new Promise<void>((resolve, reject) => {
      const child = forkTypeScript(file, [JSON.stringify({ url, name, lease, every })], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      children.set(child.pid as number, child);
      child.once('message', () => resolve());
      child.once('error', reject);
      child.once('exit', () => reject(new Error('a worker ended')));
    });

  /** Waits for the end of a process that was told to end, or makes it. */
  const end = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  };

  beforeAll(async () => {
    log = new Redis(url);
    await Promise.all([start(), start(), start(), start()]);
  });
  afterAll(async () => {
    await Promise.all([...children.values()].map(end));
    log?.disconnect();
  });

  const steps = async (from = 0): Promise<Step[]> =>
    (await log.lrange(`${name}-log`, from, -1)).map((line) => {
      const [pid, cycle, step] = line.split(' ').map(Number) as [number, number, number];
      return { pid, cycle, step };
    });
  const leader = async () => (await steps(-1))[0]?.pid as number;

  /** Milliseconds until somebody else than `pid` makes a step. */
  async function takenOver(pid: number): Promise<number> {
    const from = performance.now();
    while ((await leader()) === pid) {
      if (performance.now() - from > 10 * lease) throw new Error('nobody took over');
      await sleep(10);
    }
    return performance.now() - from;
  }

  test('one runs, in whole cycles that never overlap', async () => {
    await expect.poll(async () => (await steps()).length, { timeout: 30_000 }).toBeGreaterThan(30);
    const all = await steps();
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(all.map(({ step }) => step)).toEqual(all.map((_, i) => i % 10));
  }, 60_000);

  test('killed, it has a successor within the lease', async () => {
    const killed = await leader();
    children.get(killed)?.kill('SIGKILL');
    expect(await takenOver(killed)).toBeLessThan(lease + 500);
    children.delete(killed);
    await start();
  });

  test('stopped in the middle of a cycle, it has one too; when it wakes up, it makes no step more', async () => {
    for (let round = 0; round < 2; round++) {
      const stopped = await leader();
      const child = children.get(stopped) as ChildProcess;
      // In the middle: between its first step and its last.
      const middle = (step: number | undefined) => step !== undefined && step > 1 && step < 7;
      await expect.poll(async () => (await steps(-1))[0]?.step, { timeout: 15_000, interval: 5 }).toSatisfy(middle);
      child.kill('SIGSTOP');
      await sleep(50);
      const from = (await steps()).length;
      expect(await takenOver(stopped)).toBeLessThan(lease + 500);
      child.kill('SIGCONT');
      await sleep(2 * every);
      const since = await steps(from);
      expect(since.length).toBeGreaterThan(2);
      expect(since.filter(({ pid }) => pid === stopped)).toEqual([]);
    }
  }, 90_000);

  test('when it ends in order, the next goes on in less than a lease', async () => {
    const closed = await leader();
    const child = children.get(closed) as ChildProcess;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.send('close');
    await exited;
    children.delete(closed);
    expect(await takenOver(closed)).toBeLessThan(lease / 2 + every);
  });
});
