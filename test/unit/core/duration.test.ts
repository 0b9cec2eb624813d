import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseDuration } from '../../../src/core/duration.js';
import { forgetWarnings } from '../../../src/core/warn.js';
import { warningsOf } from './warnings.js';

beforeEach(forgetWarnings);
afterEach(forgetWarnings);

describe('parseDuration', () => {
  test.each<[unknown, number]>([
    [0, 0],
    [1500, 1500],
    [0.5, 0.5],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['0ms', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['0.5h', 1_800_000],
    ['7d', 604_800_000],
  ])('%o is %d ms', (duration, ms) => {
    expect(parseDuration('swr', duration)).toBe(ms);
  });

  test.each([
    [-1],
    [Number.NaN],
    [Number.NEGATIVE_INFINITY],
    [''],
    ['5'],
    ['m'],
    ['-5m'],
    ['5 m'],
    [' 5m'],
    ['5m '],
    ['5M'],
    ['5min'],
    ['.5s'],
    ['5.s'],
    ['1e3ms'],
    ['Infinityms'],
    ['5m\n'],
    [null],
    [undefined],
    [true],
    [5n],
    [['5m']],
    [{ minutes: 5 }],
    [new Date()],
  ])('%o is not a duration', (duration) => {
    expect(() => parseDuration('swr', duration)).toThrow(TypeError);
    expect(() => parseDuration('swr', duration)).toThrow(/^Expected `swr` to be a duration of at least 0, .* got /);
  });

  test('names the option and what came', () => {
    expect(() => parseDuration('ttl', 'soon')).toThrow(
      'Expected `ttl` to be a duration of at least 0, in milliseconds or as text such as \'5m\', got "soon" (string)',
    );
  });

  test('a ttl of a few milliseconds, nearly always meant as seconds, is warned of once', async () => {
    const warnings = await warningsOf(() => {
      expect(parseDuration('ttl', 60)).toBe(60);
      expect(parseDuration('ttl', 60)).toBe(60);
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toBe("`ttl: 60` means 60 ms; write '60s' for seconds or '60ms' if you mean it.");
  });

  test('a ttl that says its unit, is long, none, or no whole number is not warned of', async () => {
    const warnings = await warningsOf(() => {
      for (const ttl of ['60ms', 100, 0, 60_000, 0.5]) parseDuration('ttl', ttl);
      parseDuration('swr', 60);
    });
    expect(warnings).toEqual([]);
  });
});
