import { deepStrictEqual } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry } from '../../src/values/index.js';
import { portraitOf } from '../unit/values/samples.js';
import { entries, types } from './entries.js';

const folder = new URL('./v1/', import.meta.url);
const limits = { maxBytes: 1 << 20 };

describe('an entry that an earlier release stored in format 1', () => {
  it('is here for every sample', () => {
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(entries)
        .map((name) => `${name}.bin`)
        .sort(),
    );
  });

  it.each(Object.entries(entries))('is read as it was written: %s', (name, { head, value }) => {
    const entry = decodeEntry(readFileSync(new URL(`${name}.bin`, folder)), limits, types)!;
    deepStrictEqual(entry.head, head);
    deepStrictEqual(entry.value(), value);
    expect(portraitOf(entry.value())).toBe(portraitOf(value));
  });

  it.each(Object.entries(entries))('can be read by it when we write it: %s', (name, { head, value }) => {
    // Other bytes would be a new format, even if we can read them ourselves: releases run side by side.
    expect(Buffer.from(encodeEntry(head, value, types)).equals(readFileSync(new URL(`${name}.bin`, folder)))).toBe(
      true,
    );
  });
});
