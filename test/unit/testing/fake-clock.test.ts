import { describe, expect, test } from 'vitest';
import { fakeClock } from '../../../src/testing/index.js';

describe('fakeClock', () => {
  test('stands still until it is moved', async () => {
    const clock = fakeClock(500);
    expect([clock.now(), clock.coarse()]).toEqual([500, 500]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(clock.now()).toBe(500);
    await clock.advance(250);
    expect([clock.now(), clock.coarse()]).toEqual([750, 750]);
    expect(fakeClock().now()).toBe(0);
  });

  test('fires what falls due, in the order of time and then of setting, each at its own time', async () => {
    const clock = fakeClock();
    const fired: string[] = [];
    const set = (name: string, ms: number) => clock.after(ms, () => fired.push(`${name} at ${clock.now()}`));
    set('late', 30);
    set('first', 10);
    set('second', 10);
    set('at once', 0);
    set('too late', 31);
    await clock.advance(30);
    expect(fired).toEqual(['at once at 0', 'first at 10', 'second at 10', 'late at 30']);
    expect(clock.pending).toBe(1);
  });

  test('does not fire what was called off, also by an earlier timer', async () => {
    const clock = fakeClock();
    const fired: string[] = [];
    const callOff = clock.after(20, () => fired.push('called off'));
    clock.after(10, callOff);
    await clock.advance(100);
    expect(fired).toEqual([]);
    expect(clock.pending).toBe(0);
    callOff();
  });

  test('lets promise jobs run before the first timer, between timers and after the last', async () => {
    const clock = fakeClock();
    const story: string[] = [];
    const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
    const run = async () => {
      await Promise.resolve();
      for (let round = 1; round <= 3; round++) {
        await wait(10);
        story.push(`woken at ${clock.now()}`);
        await Promise.resolve();
      }
      story.push(`done at ${clock.now()}`);
    };
    void run();
    clock.after(15, () => story.push('in between'));
    await clock.advance(30);
    expect(story).toEqual(['woken at 10', 'in between', 'woken at 20', 'woken at 30', 'done at 30']);
  });

  test('goes forward when it is moved twice at once', async () => {
    const clock = fakeClock();
    const times: number[] = [];
    for (let ms = 5; ms <= 50; ms += 5) clock.after(ms, () => times.push(clock.now()));
    await Promise.all([clock.advance(50), clock.advance(20)]);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect([times.length, clock.now(), clock.pending]).toEqual([10, 50, 0]);
  });

  test('hands on what a timer throws, and can be moved on', async () => {
    const clock = fakeClock();
    let fired = false;
    clock.after(1, () => {
      throw new Error('thrown in a timer');
    });
    clock.after(2, () => {
      fired = true;
    });
    await expect(clock.advance(5)).rejects.toThrow('thrown in a timer');
    await clock.advance(5);
    expect(fired).toBe(true);
  });

  test('a timer of less than no time is due at once, and one for ever never fires', async () => {
    const clock = fakeClock();
    let fired = 0;
    clock.after(-5, () => fired++);
    clock.after(Number.POSITIVE_INFINITY, () => fired++);
    await clock.advance(0);
    expect([fired, clock.now(), clock.pending]).toEqual([1, 0, 1]);
  });

  test.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY], ['5m'], [undefined]])(
    'cannot be moved by %o',
    async (ms) => {
      await expect(fakeClock().advance(ms as number)).rejects.toThrow(TypeError);
    },
  );

  test('starts at a number', () => {
    expect(() => fakeClock(Number.NaN)).toThrow(
      'Expected `start` to be a finite number of milliseconds, got NaN (number)',
    );
  });
});
