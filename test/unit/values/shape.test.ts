import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyProperties } from '../../../src/values/shape.js';

/** Often enough for a compiled copy, and once more. */
const many = (value: Record<string, unknown>) => Array.from({ length: 20 }, () => copyProperties(value)).at(-1);

describe('a copy of properties', () => {
  test('is the same for shapes of any names, also when they are code', () => {
    const names = [
      'a',
      '',
      '"',
      '\\',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a name that would be code in a template
      '`${1}`',
      '\u2028',
      '__proto__',
      'constructor',
      '7',
      '];process.exit();[',
      '\ud800',
    ];
    const value = Object.fromEntries(names.map((name, i) => [name, i]));
    Object.defineProperty(value, '__proto__', { value: 'own', enumerable: true });
    expect(Object.entries(many(value) as object)).toEqual(Object.entries(value));
    expect(Object.getPrototypeOf(many(value))).toBe(Object.prototype);
  });

  test('is the same for any object', () => {
    const data = fc.dictionary(fc.string(), fc.anything(), { noNullPrototype: true });
    fc.assert(
      fc.property(data, (value) => {
        expect(Object.entries(many(value) as object)).toEqual(Object.entries(value));
      }),
      { numRuns: 200 },
    );
  });

  test('follows when rows that begin alike go on differently', () => {
    for (let i = 0; i < 100; i++) {
      expect(copyProperties({ id: i, a: 1 })).toEqual({ id: i, a: 1 });
      expect(copyProperties({ id: i, b: 2 })).toEqual({ id: i, b: 2 });
    }
  });

  test('of rows in a list share one hidden class, frozen too', () => {
    const script = `
      import { copyProperties } from './src/values/shape.ts';
      const rows = Array.from({ length: 100 }, (_, i) => Object.freeze(copyProperties({ ...{ id: i, name: 'n' + i, score: i / 3, a: 1, b: 2, c: 3, d: 4, e: 5 } })));
      console.log(%HaveSameMap(rows[50], rows[99]), %HaveSameMap(Object.freeze({ ...rows[0] }), Object.freeze({ ...rows[1] })));`;
    const run = (...flags: string[]) =>
      execFileSync(process.execPath, [...flags, '--import', 'tsx', '--input-type=module', '-e', script], {
        encoding: 'utf8',
      }).trim();
    expect(run('--allow-natives-syntax')).toMatch(/^true /);
  });

  test('needs no code from text where that is forbidden', () => {
    const script = `
      import { copyProperties } from './src/values/shape.ts';
      let last; for (let i = 0; i < 40; i++) last = copyProperties({ id: i, name: 'x' });
      console.log(JSON.stringify(last));`;
    const out = execFileSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    expect(out.trim()).toBe('{"id":39,"name":"x"}');
  });
});
