import { expect, test } from 'vitest';
import { type BreakerState, createBreaker } from '../../../adapters/redis/breaker.js';
import { fakeClock } from '../../../src/testing/index.js';

function aBreaker({ random = () => 1 - Number.EPSILON } = {}) {
  const clock = fakeClock();
  const states: BreakerState[] = [];
  const probes: number[] = [];
  const breaker = createBreaker({
    clock,
    random,
    probe: () => void probes.push(clock.now()),
    changed: (state) => void states.push(state),
  });
  return { breaker, clock, states, probes };
}

test('it opens after five failures within a second', async () => {
  const { breaker, clock } = aBreaker();
  for (let n = 0; n < 4; n++) {
    breaker.failed();
    await clock.advance(200);
  }
  expect(breaker.state).toBe('closed');
  breaker.failed();
  expect(breaker.state).toBe('open');
});

test('failures that are further apart do not open it', async () => {
  const { breaker, clock } = aBreaker();
  for (let n = 0; n < 50; n++) {
    breaker.failed();
    await clock.advance(251);
  }
  expect(breaker.state).toBe('closed');
});

test('it opens at once when the heartbeat fails', () => {
  const { breaker, states } = aBreaker();
  breaker.trip();
  expect(states).toEqual(['open']);
});

test('it sends one probe after 500 ms × 2ⁿ, at most 10 s', async () => {
  const { breaker, clock, probes } = aBreaker();
  breaker.trip();
  const waits: number[] = [];
  for (let n = 0; n < 7; n++) {
    const from = clock.now();
    await clock.advance(10_000);
    expect(probes).toHaveLength(n + 1);
    waits.push(Math.round((probes.at(-1) as number) - from));
    breaker.trip();
  }
  // The clock stands where the probe was sent, plus the rest of the ten seconds that nothing happened in.
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('jitter shortens the wait by half at most', async () => {
  const { breaker, clock, probes } = aBreaker({ random: () => 0 });
  breaker.trip();
  await clock.advance(249);
  expect(probes).toEqual([]);
  await clock.advance(1);
  expect(probes).toEqual([250]);
});

test('while the probe is out, nothing else is sent and failures do not count', async () => {
  const { breaker, clock, probes } = aBreaker();
  breaker.trip();
  await clock.advance(500);
  expect(breaker.state).toBe('half-open');
  for (let n = 0; n < 10; n++) breaker.failed();
  breaker.hint();
  await clock.advance(60_000);
  expect(probes).toHaveLength(1);
  expect(breaker.state).toBe('half-open');
});

test('it closes when the probe was answered, and begins from the first wait again', async () => {
  const { breaker, clock, states, probes } = aBreaker();
  breaker.trip();
  await clock.advance(500);
  breaker.trip();
  await clock.advance(1000);
  breaker.succeeded();
  expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  breaker.trip();
  const at = clock.now();
  await clock.advance(500);
  expect(probes.at(-1)).toBeCloseTo(at + 500, 3);
});

test('a sign of life calls for the probe at once', async () => {
  const { breaker, clock, probes } = aBreaker();
  breaker.trip();
  await clock.advance(10);
  breaker.hint();
  expect(probes).toEqual([10]);
  expect(breaker.state).toBe('half-open');
  expect(clock.pending).toBe(0);
});

test('a sign of life means nothing to a closed one', () => {
  const { breaker, probes, states } = aBreaker();
  breaker.hint();
  expect({ probes, states }).toEqual({ probes: [], states: [] });
});

test('attempts to connect that fail while it is open do not prolong the wait', async () => {
  const { breaker, clock, probes } = aBreaker();
  breaker.trip();
  for (let n = 0; n < 4; n++) {
    await clock.advance(100);
    breaker.trip();
  }
  await clock.advance(100);
  expect(probes.map(Math.round)).toEqual([500]);
});

test('a state is told once', () => {
  const { breaker, states } = aBreaker();
  breaker.succeeded();
  breaker.trip();
  breaker.trip();
  expect(states).toEqual(['open']);
});

test('stopped, it has no timer', () => {
  const { breaker, clock } = aBreaker();
  breaker.trip();
  breaker.stop();
  expect(clock.pending).toBe(0);
});
