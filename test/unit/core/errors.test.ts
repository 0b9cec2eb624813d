import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import * as errors from '../../../src/core/errors.js';
import {
  ClosedError,
  CommitUnknownError,
  describe as describeValue,
  expected,
  InvalidationPendingError,
  LoadTimeoutError,
  StoreUnavailableError,
  TenantMissingError,
  UnstaleError,
} from '../../../src/core/errors.js';

const source = readFileSync(new URL('../../../src/core/errors.ts', import.meta.url), 'utf8');

/** Another copy of the module, as the CommonJS build is beside the ESM one. */
function anotherCopy(options: { minify?: boolean } = {}): typeof errors {
  const { code } = transformSync(source, { loader: 'ts', format: 'cjs', ...options });
  const module = { exports: {} as typeof errors };
  new Function('module', 'exports', code)(module, module.exports);
  return module.exports;
}

const made = (from: typeof errors) => [
  new from.InvalidationPendingError(['user:1']),
  new from.CommitUnknownError(['user:1'], { cause: new Error('read ECONNRESET') }),
  new from.LoadTimeoutError('user', 100),
  new from.StoreUnavailableError('nobody answered'),
  new from.TenantMissingError('user'),
  new from.ClosedError('A read'),
];
const classes = (of: typeof errors) => [
  of.InvalidationPendingError,
  of.CommitUnknownError,
  of.LoadTimeoutError,
  of.StoreUnavailableError,
  of.TenantMissingError,
  of.ClosedError,
];

describe('instanceof', () => {
  test('tells the errors of the package apart', () => {
    for (const [place, error] of made(errors).entries()) {
      expect(error).toBeInstanceOf(Error);
      expect(error).toBeInstanceOf(UnstaleError);
      expect(classes(errors).map((one) => error instanceof one)).toEqual(classes(errors).map((_, at) => at === place));
    }
  });

  test('knows the errors of another copy of the package', () => {
    const copy = anotherCopy();
    for (const [place, error] of made(copy).entries()) {
      expect(error).toBeInstanceOf(UnstaleError);
      expect(error).toBeInstanceOf(classes(errors)[place] as never);
      expect(made(errors)[place]).toBeInstanceOf(classes(copy)[place] as never);
      expect(classes(errors).filter((one) => error instanceof one)).toHaveLength(1);
    }
  });

  // Known: classes are told apart by their own names, which a bundler changes.
  test('knows them in an application whose bundler shortens names', () => {
    const minified = anotherCopy({ minify: true });
    for (const [place, error] of made(minified).entries()) {
      expect(error instanceof (classes(minified)[place] as never)).toBe(true);
      expect(error instanceof (classes(errors)[place] as never)).toBe(true);
      expect(made(errors)[place] instanceof (classes(minified)[place] as never)).toBe(true);
    }
  });

  // Known: a class of somebody's own is asked for by its name, which its errors do not have.
  test('knows an error of a class that somebody made of ours', () => {
    class OwnError extends StoreUnavailableError {}
    expect(new OwnError('why')).toBeInstanceOf(OwnError);
    expect(new OwnError('why')).toBeInstanceOf(StoreUnavailableError);
    expect(new StoreUnavailableError('why')).not.toBeInstanceOf(OwnError);
  });

  test.each([
    [undefined],
    [null],
    ['StoreUnavailableError'],
    [7],
    [{}],
    [{ name: 'StoreUnavailableError' }],
    [new Error('x')],
    [Object.assign(new Error('x'), { name: 'StoreUnavailableError' })],
  ])('says no to %o', (value) => {
    expect((value as unknown) instanceof UnstaleError).toBe(false);
    expect((value as unknown) instanceof StoreUnavailableError).toBe(false);
  });
});

describe('every error', () => {
  test('has a code, a name, and says what happened', () => {
    expect(made(errors).map(({ code, name, message }) => ({ code, name, message }))).toEqual([
      {
        code: 'INVALIDATION_PENDING',
        name: 'InvalidationPendingError',
        message:
          "The store has not confirmed the invalidation of 'user:1'. It is kept and will be delivered when the store answers; `await cache.settled()` waits for that.",
      },
      {
        code: 'COMMIT_UNKNOWN',
        name: 'CommitUnknownError',
        message:
          "The database has not said whether it has committed the change of 'user:1'. It may have: look at the rows before you try again. To the cache it counts as committed.",
      },
      { code: 'LOAD_TIMEOUT', name: 'LoadTimeoutError', message: expect.stringContaining('longer than 100 ms') },
      {
        code: 'STORE_UNAVAILABLE',
        name: 'StoreUnavailableError',
        message: 'The store is not available: nobody answered.',
      },
      { code: 'TENANT_MISSING', name: 'TenantMissingError', message: expect.stringContaining('cache.tenant(id)') },
      { code: 'CLOSED', name: 'ClosedError', message: 'A read: the cache is closed.' },
    ]);
  });

  test('shows its name in the stack and hides its brand', () => {
    const error = new ClosedError('A read');
    expect(String(error)).toBe('ClosedError: A read: the cache is closed.');
    expect(Object.keys(error)).not.toContain('Symbol(unstale.error)');
    expect(
      Object.getOwnPropertySymbols(error).filter((symbol) => Object.prototype.propertyIsEnumerable.call(error, symbol)),
    ).toEqual([]);
  });

  test('keeps its cause', () => {
    const cause = new Error('ECONNRESET');
    expect(new StoreUnavailableError('why', { cause }).cause).toBe(cause);
    expect(new InvalidationPendingError(['a'], { cause }).cause).toBe(cause);
    expect(new CommitUnknownError(['a'], { cause })).toMatchObject({ cause, tags: ['a'] });
  });

  test('that nobody gave a cause has none', () => {
    expect('cause' in new StoreUnavailableError('why')).toBe(false);
    expect(new LoadTimeoutError('user', 1).cause).toBeUndefined();
    expect(new TenantMissingError('user').cause).toBeUndefined();
  });
});

describe('InvalidationPendingError', () => {
  test('has all tags as a field, and at most five in its message', () => {
    const tags = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const error = new InvalidationPendingError(tags);
    expect(error.tags).toEqual(tags);
    expect(error.message).toContain("'a', 'b', 'c', 'd', 'e' and 2 more");
    expect(new InvalidationPendingError(tags.slice(0, 5)).message).toContain("'d', 'e'.");
  });
});

describe('a wrong argument', () => {
  test('is a TypeError that says what was expected and what came', () => {
    const error = expected('ttl', 'a duration', 'soon');
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('Expected `ttl` to be a duration, got "soon" (string)');
  });

  test.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    ['soon', '"soon" (string)'],
    ['', '"" (string)'],
    ['a "quoted" one', String.raw`"a \"quoted\" one" (string)`],
    ['x'.repeat(41), `"${'x'.repeat(40)}…" (string)`],
    [-1, '-1 (number)'],
    [Number.NaN, 'NaN (number)'],
    [10n, '10 (bigint)'],
    [Symbol('secret'), 'a symbol'],
    [function load() {}, 'load (function)'],
    [() => {}, 'an anonymous function (function)'],
    [[1, 2], 'an array of 2'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [new Map(), 'an instance of Map'],
  ])('%o is described as %s', (value, text) => {
    expect(describeValue(value)).toBe(text);
  });

  test('does not show the whole of a long text, which may be a secret', () => {
    expect(describeValue(`token-${'s'.repeat(100)}`)).not.toContain('s'.repeat(50));
  });
});
