import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseDuration } from '../../../src/core/duration.js';
import { defaults } from '../../../src/core/options.js';
import { resolveReadOptions } from '../../../src/core/resolve.js';
import { resolveCacheOptions } from '../../../src/core/resolve-cache.js';

const source = readFileSync(new URL('../../../src/core/options.ts', import.meta.url), 'utf8');

/** What `@defaultValue` says, by the name of the option. */
function documented(): Map<string, Set<string>> {
  const said = new Map<string, Set<string>>();
  const option = /@defaultValue ((?:[^*]|\*(?!\/))*?)\s*\*\/\s*(?:\/\/[^\n]*\n\s*)*(\w+)\?:/g;
  for (const [, value = '', name = ''] of source.matchAll(option))
    said.set(name, (said.get(name) ?? new Set()).add(value.replaceAll('\\', '').trim()));
  return said;
}

/** A value as the comments write it. */
function read(text: string): unknown {
  if (text === 'false') return false;
  const number = /^\d[\d_]*(\.\d+)?$/.test(text) ? Number(text.replaceAll('_', '')) : undefined;
  return number ?? (/^'.*'$/.test(text) ? text.slice(1, -1) : text);
}

describe('@defaultValue', () => {
  const said = documented();
  const objects: Record<string, object> = {
    timeout: { hard: defaults.hard },
    memory: { maxEntries: defaults.maxEntries, maxBytes: defaults.maxBytes, tenantShare: defaults.tenantShare },
  };
  const elsewhere = {
    crashSafe: 'undefined',
    negativeTtl: '`ttl`',
    fresh: 'false',
    stats: 'neither',
    clock: "the system's",
  };

  test('stands beside every option that has a default', () => {
    expect(source.match(/@defaultValue/g)).toHaveLength([...said.values()].reduce((sum, of) => sum + of.size, 0) + 2);
    const inTable = Object.keys(defaults).filter(
      (name) => !['hard', 'maxEntries', 'maxBytes', 'tenantShare'].includes(name),
    );
    expect([...said.keys()].sort()).toEqual([...inTable, ...Object.keys(objects), ...Object.keys(elsewhere)].sort());
  });

  for (const [name, texts] of said)
    test(`of ${name} is what the table says`, () => {
      expect(texts.size, 'the same wherever it stands').toBe(1);
      const [text = ''] = texts;
      if (name in elsewhere) return expect(text).toBe(elsewhere[name as keyof typeof elsewhere]);
      if (name in objects) {
        const pairs = [...text.matchAll(/(\w+): ([^,}\s]+)/g)].map(([, key, value = '']) => [key, read(value)]);
        const parsed = Object.fromEntries(pairs.map(([key, value]) => [key, value === '64mb' ? 64 * 2 ** 20 : value]));
        return expect(parsed).toEqual(objects[name]);
      }
      expect(read(text)).toEqual(defaults[name as keyof typeof defaults]);
    });
});

describe('what is resolved', () => {
  test('without options is the table', () => {
    expect(resolveCacheOptions({})).toMatchObject({
      name: 'unstale',
      version: '',
      mode: 'on',
      ackTimeout: 1000,
      memory: { maxEntries: 10_000, maxBytes: 67_108_864, tenantShare: 0.5 },
      stats: { tags: false, tenants: false },
      read: { ttl: 60_000, jitter: 0.1, hard: 60_000, soft: undefined, negativeTtl: undefined, copy: 'frozen' },
    });
  });

  test('undefined is as if the option were not there', () => {
    const all = Object.fromEntries(
      ['ttl', 'jitter', 'timeout', 'memory', 'mode', 'name'].map((name) => [name, undefined]),
    );
    expect(resolveCacheOptions(all as never)).toEqual(resolveCacheOptions({}));
  });

  test('is frozen, and the caller’s object is left as it is', () => {
    const options = Object.freeze({ ttl: '5m', memory: Object.freeze({ maxBytes: '1mb' }) } as const);
    const resolved = resolveCacheOptions(options);
    expect(Object.isFrozen(resolved) && Object.isFrozen(resolved.read)).toBe(true);
    expect(resolved.read.ttl).toBe(300_000);
    expect(options).toEqual({ ttl: '5m', memory: { maxBytes: '1mb' } });
  });

  test('of a read goes over its cache’s, option by option', () => {
    const { read } = resolveCacheOptions({ ttl: '5m', swr: '1m', timeout: { soft: 10 }, maxStale: '2s' });
    expect(resolveReadOptions({ ttl: 1000, timeout: 5000, maxStale: '1s', tags: ['t'] }, read)).toMatchObject({
      ttl: 1000,
      swr: 60_000,
      soft: 10,
      hard: 5000,
      maxStale: 1000,
      tags: ['t'],
    });
  });

  test.each([
    ['1kb', 1024],
    ['1.5mb', 1_572_864],
    ['2gb', 2 ** 31],
    [1, 1],
  ])('%o is that many bytes', (maxBytes, bytes) => {
    expect(resolveCacheOptions({ memory: { maxBytes: maxBytes as '1kb' } }).memory?.maxBytes).toBe(bytes);
  });

  test('Infinity is a duration', () => {
    expect(parseDuration('ttl', Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
  });
});
