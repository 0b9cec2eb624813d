import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('the system clock', () => {
  test('counts milliseconds, forward', async () => {
    const clock = systemClock();
    const [before, begun] = [clock.now(), performance.now()];
    await sleep(20);
    expect(clock.now() - before).toBeGreaterThan(15);
    expect(clock.now() - before).toBeLessThan(performance.now() - begun + 5);
  });

  test('never runs backwards', () => {
    const clock = systemClock();
    let last = clock.now();
    for (let round = 0; round < 10_000; round++) {
      const now = clock.now();
      expect(now >= last).toBe(true);
      last = now;
    }
  });

  test('counts the time in which the machine slept, when only the wall clock went on', () => {
    const clock = systemClock();
    const before = clock.now();
    const wall = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(wall + 3_600_000);
    expect(clock.now() - before).toBeGreaterThan(3_599_000);
  });

  test('does not go back when the wall clock is set back', () => {
    const clock = systemClock();
    const wall = Date.now();
    const now = vi.spyOn(Date, 'now').mockReturnValue(wall + 3_600_000);
    const ahead = clock.now();
    now.mockReturnValue(wall - 3_600_000);
    expect(clock.now()).toBeGreaterThanOrEqual(ahead);
    expect(clock.now()).toBeLessThan(ahead + 1000);
  });

  test('its coarse time stands still within a turn and is renewed after a moment', async () => {
    const clock = systemClock();
    const first = clock.coarse();
    const end = performance.now() + 3;
    while (performance.now() < end) expect(clock.coarse()).toBe(first);
    await sleep(30);
    expect(clock.coarse()).toBeGreaterThan(first);
    expect(clock.now() - clock.coarse()).toBeLessThan(10);
  });

  test('fires a timer once, and not the one that was called off', async () => {
    const clock = systemClock();
    const fired: string[] = [];
    clock.after(5, () => fired.push('kept'));
    const callOff = clock.after(5, () => fired.push('called off'));
    callOff();
    callOff();
    await sleep(30);
    expect(fired).toEqual(['kept']);
  });

  test('a wait longer than 31 bits of milliseconds does not fire at once', () => {
    vi.useFakeTimers();
    const clock = systemClock();
    let fired = false;
    const callOff = clock.after(365 * 24 * 3_600_000, () => {
      fired = true;
    });
    vi.advanceTimersByTime(24 * 3_600_000);
    expect(fired).toBe(false);
    callOff();
  });

  // Known: such a wait is cut to 24.8 days.
  test('a wait longer than 31 bits of milliseconds does not fire early', () => {
    vi.useFakeTimers();
    const clock = systemClock();
    let fired = false;
    clock.after(40 * 24 * 3_600_000, () => {
      fired = true;
    });
    vi.advanceTimersByTime(39 * 24 * 3_600_000);
    expect(fired).toBe(false);
    vi.advanceTimersByTime(24 * 3_600_000);
    expect(fired).toBe(true);
  });

  test('a timer does not keep the process alive', () => {
    const module = fileURLToPath(new URL('../../../src/core/clock.ts', import.meta.url));
    const program = `import { systemClock } from ${JSON.stringify(module)};
      const clock = systemClock(); clock.coarse(); clock.after(60_000, () => {});`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program];
    const { status, stderr } = spawnSync(process.execPath, args, { timeout: 8000, encoding: 'utf8' });
    expect({ status, stderr: stderr.replace(/.*Warning.*\n/g, '') }).toEqual({ status: 0, stderr: '' });
  });
});
