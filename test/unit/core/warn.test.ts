import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { forgetWarnings, warnOnce } from '../../../src/core/warn.js';
import { warningsOf } from './warnings.js';

beforeEach(forgetWarnings);
afterEach(() => {
  vi.restoreAllMocks();
  forgetWarnings();
});

test('a warning is a process warning that can be told from others', async () => {
  const [warning] = await warningsOf(() => warnOnce('x', 'Look out.'));
  expect(warning).toMatchObject({ name: 'UnstaleWarning', code: 'UNSTALE', message: 'Look out.' });
});

test('the same matter is warned of once, whatever the words', async () => {
  const warnings = await warningsOf(() => {
    warnOnce('x', 'one');
    warnOnce('x', 'two');
    warnOnce('y', 'three');
  });
  expect(warnings.map(({ message }) => message)).toEqual(['one', 'three']);
});

test('what was said is forgotten on demand', async () => {
  const warnings = await warningsOf(() => {
    warnOnce('x', 'one');
    forgetWarnings();
    warnOnce('x', 'two');
  });
  expect(warnings.map(({ message }) => message)).toEqual(['one', 'two']);
});

test('what was said is remembered for 1,000 matters, so that memory stays bounded', () => {
  const emit = vi.spyOn(process, 'emitWarning').mockReturnValue();
  for (let matter = 0; matter < 1000; matter++) warnOnce(`matter ${matter}`, 'once');
  warnOnce('matter 0', 'again');
  expect(emit).toHaveBeenCalledTimes(1000);
  warnOnce('one too many', 'once');
  warnOnce('matter 0', 'again');
  expect(emit).toHaveBeenCalledTimes(1002);
});
