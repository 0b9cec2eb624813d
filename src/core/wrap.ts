import { acknowledgeAfter, Caller } from './caller.js';
import { type Checked, checkTags, tagsOf } from './dependency.js';
import { describe, expected } from './errors.js';
import type { AsyncFn, InvalidatesOptions, KeyOf, MethodDecorator, MethodOptions } from './functions.js';
import { Member } from './member.js';
import type { View } from './view.js';

/**
 * Functions and methods of one cache. A decorator of ours works in both kinds: a standard one gets the method and a
 * context, a legacy one (`experimentalDecorators`) a target, a name and a descriptor.
 */

type AnyOptions = MethodOptions<any, any, any, any> & { key?: KeyOf<any, any> };
type AnyDecorator = MethodDecorator<any, any, any, true>;
type TagsOfCall = (call: { args: unknown[]; result: unknown; self: unknown }) => unknown;

/** Where a wrapped function keeps its handles: found across the ESM and the CommonJS copy of the package. */
export const handlesOf: unique symbol = Symbol.for('unstale.handles') as never;

/** `cache.withCache`: wraps a function, or makes a decorator. @throws TypeError */
export function boundWithCache(view: View, first: unknown, second?: unknown): unknown {
  refuseClients(first);
  if (isBareDecorator(second))
    throw new TypeError('`withCache` makes a decorator: write `@withCache()`, with parentheses');
  if (typeof first === 'function')
    return cachedFunction(view, first as AsyncFn, second as AnyOptions & { name: string });
  if (first !== undefined && (typeof first !== 'object' || first === null))
    throw expected('withCache', 'a function to wrap, or the options of a decorator', first);
  // Checked where it stands, so that a wrong option fails when the class is defined and not at its first call.
  return decorator((method, member) => cachedMethod(new Caller(view, method, (first ?? {}) as AnyOptions, member)));
}

/** `cache.invalidates`. @throws TypeError */
export function boundInvalidates(view: View, o: InvalidatesOptions<any, any, any, any>): AnyDecorator {
  const { tags } = o ?? {};
  if (!Array.isArray(tags) && typeof tags !== 'function')
    throw expected('tags', 'a list of texts or table(…), or a function that gives one', tags);
  const known = typeof tags === 'function' ? undefined : checkTags(tags);
  return decorator(
    (method) =>
      async function (this: unknown, ...args: unknown[]) {
        const result = await method.apply(this, args);
        const told = (): readonly Checked[] => known ?? checkTags((tags as TagsOfCall)({ args, result, self: this }));
        await acknowledgeAfter(view, () => tagsOf(view.parts, told(), 'writes'), result);
        return result;
      },
  );
}

/** What a decorator gets, instead of options: it was written without parentheses. */
function isBareDecorator(second: unknown): boolean {
  return typeof second === 'string' || typeof second === 'symbol' || (isStandard(second) && 'addInitializer' in second);
}

function cachedFunction(view: View, fn: AsyncFn, options: AnyOptions & { name: string }): unknown {
  if (typeof options?.name !== 'string' || options.name === '')
    throw new TypeError(
      `Expected \`name\` to be a non-empty text, got ${describe(options?.name)}: the name of a function does not survive a minifier, so it is not used`,
    );
  const caller = new Caller(view, fn, options, new Member(options.name));
  const wrapped = (...args: unknown[]) => caller.call(undefined, args);
  const handles = caller.handles(undefined);
  Object.defineProperty(wrapped, 'name', { value: options.name, configurable: true });
  return Object.assign(wrapped, handles, { [handlesOf]: () => handles });
}

function cachedMethod(caller: Caller): AsyncFn {
  function cached(this: unknown, ...args: unknown[]): Promise<unknown> {
    return caller.call(this, args);
  }
  return Object.assign(cached, { [handlesOf]: (self: unknown) => caller.handles(self) });
}

/** A decorator of both kinds from what it does to a method. */
export function decorator(wrap: (method: AsyncFn, member: Member) => AsyncFn): AnyDecorator {
  return ((first: unknown, second: unknown, descriptor?: PropertyDescriptor) => {
    if (isStandard(second)) {
      if (second.kind !== 'method') throw notAMethod(second.kind, second.name);
      // Decorated by `fromInstance` behind what stands in the class.
      if (second.member !== undefined) return wrap(first as AsyncFn, second.member);
      const member = new Member(second.name);
      second.addInitializer?.(function (this: unknown) {
        member.seenOn(this);
      });
      return place(member, wrap(first as AsyncFn, member));
    }
    if (typeof descriptor?.value !== 'function')
      throw notAMethod(descriptor === undefined ? 'field' : 'accessor', second as string | symbol);
    const member = new Member(second as string | symbol, first as object);
    return { ...descriptor, value: place(member, wrap(descriptor.value as AsyncFn, member)) };
  }) as AnyDecorator;
}

function place(member: Member, method: AsyncFn): AsyncFn {
  member.placed = method;
  return method;
}

function notAMethod(kind: string, name: string | symbol): TypeError {
  return new TypeError(`Expected \`decorated member\` to be a method, got the ${kind} '${String(name)}'`);
}

interface Context {
  readonly kind: string;
  readonly name: string | symbol;
  readonly member?: Member;
  addInitializer?(initializer: (this: unknown) => void): void;
}

function isStandard(second: unknown): second is Context {
  return typeof second === 'object' && second !== null && 'kind' in second;
}

/** Clients of a database that are given to the wrong `withCache`, by what only they have. */
export function refuseClients(first: unknown): void {
  if ((typeof first !== 'object' && typeof first !== 'function') || first === null) return;
  const has = (...names: string[]) => names.every((name) => name in first);
  const adapter =
    has('createQueryRunner') || has('metadata', 'manager')
      ? 'typeorm'
      : has('$connect') || has('adapterName')
        ? 'prisma'
        : has('client', 'raw', 'schema')
          ? 'knex'
          : has('$with') || (has('dialect', 'session') && has('select'))
            ? 'drizzle'
            : undefined;
  if (adapter !== undefined)
    throw new TypeError(
      `Import withCache from 'unstale/${adapter}' to wrap ${describe(first)}; the one from 'unstale' wraps functions and methods`,
    );
}
