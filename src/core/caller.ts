import { encodeArguments, encodeKey, type Key, type KeyPart } from '../values/index.js';
import type { Ask, Refined } from './ask.js';
import type { Duration } from './duration.js';
import { answerOf } from './entry.js';
import { describe, expected } from './errors.js';
import { type Landing, valueOf } from './flight.js';
import { ownTag } from './identity.js';
import type { ReadSettings } from './options.js';
import { checkTags, refuseUnknown, resolveReadOptions, wrapNames } from './resolve.js';
import { acknowledge } from './transaction.js';
import type { View } from './view.js';
import { warnOnce } from './warn.js';

type Method = (this: unknown, ...args: any[]) => Promise<unknown>;
/** What the types of the face say, as seen from inside. */
type Options = {
  name?: string;
  version?: string | number;
  ttl?: Duration | ((value: unknown, ...args: unknown[]) => Duration);
  tags?: readonly string[] | ((this: unknown, ...args: unknown[]) => readonly string[]);
  tagsOf?: (value: unknown, ...args: unknown[]) => readonly string[];
  when?: (this: unknown, ...args: unknown[]) => boolean;
  key?: (this: unknown, ...args: unknown[]) => Key;
};

/**
 * A cached function: its options are checked and completed once, here, so that a call makes a key and looks.
 */
export class Caller {
  readonly #view: View;
  readonly #method: Method;
  readonly #options: Options;
  readonly #settings: ReadSettings;
  readonly #given: string | symbol;
  /** Calls need no thought of their own when others are loading the same. */
  readonly #isPlain: boolean;
  #name: string | undefined;
  /** What stands in the class: tells a method from one that overrides it. */
  member: unknown;

  constructor(view: View, method: Method, options: Options, given: string | symbol, named: boolean) {
    const { name: _, version: __, ttl, tags, tagsOf, when, key, ...timing } = options;
    refuseUnknown(options, wrapNames, 'withCache');
    for (const [what, fn] of Object.entries({ tagsOf, when, key }))
      if (fn !== undefined && typeof fn !== 'function') throw expected(what, 'a function', fn);
    this.#view = view;
    this.#method = method;
    this.#options = options;
    this.#given = given;
    this.#settings = resolveReadOptions(
      {
        ...timing,
        ...(typeof ttl === 'function' || ttl === undefined ? {} : { ttl }),
        ...(typeof tags === 'function' || tags === undefined ? {} : { tags }),
      },
      view.parts.settings.read,
    );
    this.#isPlain = when === undefined && this.#settings.tolerate === 0;
    if (named) this.#claim(options.name ?? String(given));
  }

  call(self: unknown, args: unknown[]): Promise<unknown> {
    try {
      const key = this.#view.keyOf(this.keyText(self, args));
      const entry = this.#options.when === undefined ? this.#view.hit(key, this.#settings) : undefined;
      if (entry !== undefined) return answerOf(entry);
      const joined = this.#isPlain ? this.#view.join(key, this.#settings) : undefined;
      if (joined === undefined) return this.#miss(key, self, args).then(valueOf);
      return joined.then((landing) => (landing.own ? this.#miss(key, self, args).then(valueOf) : valueOf(landing)));
    } catch (error) {
      return this.#failed(error, self, args).then(valueOf);
    }
  }

  /** The text of a call: it is a plain key, so that `cache.delete(getTeam.key(7))` means this entry. */
  keyText(self: unknown, args: readonly unknown[]): string {
    const { key } = this.#options;
    const name = this.#name ?? this.#claim(nameOfMethod(self, this.#given, this.member));
    const { types } = this.#view.parts;
    if (key === undefined) return name + encodeArguments(args, types);
    const own = key.apply(self, args as unknown[]);
    return name + encodeKey(Array.isArray(own) ? own : [own as KeyPart], types);
  }

  handles(self: unknown) {
    const view = this.#view;
    const landed = (args: unknown[], fresh: boolean) => {
      try {
        return this.#miss(view.keyOf(this.keyText(self, args)), self, args, fresh);
      } catch (error) {
        return this.#failed(error, self, args);
      }
    };
    return {
      fresh: (...args: unknown[]) => landed(args, true).then(valueOf),
      read: async (...args: unknown[]) => {
        return view.cachedOf(await landed(args, false));
      },
      key: (...args: unknown[]) => this.keyText(self, args),
      invalidate: async (...args: unknown[]) => view.delete(this.keyText(self, args)),
      explain: async (...args: unknown[]) => view.explain(this.keyText(self, args), this.#version),
      many: async (inputs: readonly unknown[]) => {
        if (!Array.isArray(inputs)) throw expected('inputs', 'a list', inputs);
        // A method of one parameter takes an input each; others take a list of arguments each.
        const several = this.#method.length > 1;
        return Promise.all(inputs.map((input) => this.call(self, several && Array.isArray(input) ? input : [input])));
      },
    };
  }

  #miss(key: string, self: unknown, args: unknown[], fresh = false): Promise<Landing> {
    const { when } = this.#options;
    const ask = this.#ask(key, self, args, fresh);
    return when !== undefined && !when.apply(self, args)
      ? this.#view.past(ask, 'its `when` said so')
      : this.#view.miss(ask);
  }

  #ask(key: string, self: unknown, args: unknown[], fresh: boolean): Ask {
    const { tags } = this.#options;
    const settings =
      typeof tags === 'function' ? { ...this.#settings, tags: checkTags(tags.apply(self, args)) } : this.#settings;
    return this.#view.ask(key, {
      name: this.#name ?? String(this.#given),
      settings,
      version: this.#version,
      fresh,
      load: () => this.#load(self, args),
      ...this.#refining(args),
    });
  }

  get #version(): string {
    const { version } = this.#options;
    const own = this.#view.parts.settings.version;
    return version === undefined ? own : `${own}/${version}`;
  }

  #load(self: unknown, args: unknown[]): Promise<unknown> {
    const result: unknown = this.#method.apply(self, args);
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') return result as Promise<unknown>;
    throw new TypeError(
      `Expected '${String(this.#name)}' to return a promise, got ${describe(result)}: a synchronous function cannot be cached without becoming asynchronous`,
    );
  }

  #refining(args: unknown[]): { refine?: (value: unknown) => Refined } {
    const { ttl, tagsOf } = this.#options;
    if (tagsOf === undefined && typeof ttl !== 'function') return {};
    return {
      refine: (value) => ({
        ttl: typeof ttl === 'function' ? ttl(value, ...args) : undefined,
        tags: tagsOf === undefined ? undefined : checkTags(tagsOf(value, ...args)),
      }),
    };
  }

  #failed(error: unknown, self: unknown, args: unknown[]): Promise<Landing> {
    return this.#view.unkeyable(error, this.#name ?? String(this.#given), () => this.#load(self, args));
  }

  /** A name belongs to one function: two would share entries. */
  #claim(name: string): string {
    if (name === '' || /^["[]/.test(name) || name.includes('['))
      throw expected('name', "a non-empty text without '[' or a quote at its start", name);
    if (/^[A-Za-z_$]{1,2}\./.test(name))
      warnOnce(
        `minified:${name}`,
        `'${name}' looks like the name of a minified class; give withCache a \`name\`, or it changes with every build.`,
      );
    this.#view.claim(name, this);
    this.#name = name;
    return name;
  }
}

/** `Class.method`, by the class that has the method: a subclass shares its entries. @throws TypeError */
function nameOfMethod(self: unknown, method: string | symbol, member: unknown): string {
  let owner: unknown;
  // A method that overrides this one and calls it has the same name, and comes first; another decorator around ours
  // hides it, and then the first one has to do.
  for (let at = self; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
    const found: unknown = Object.getOwnPropertyDescriptor(at, method)?.value;
    if (found === member || (found !== undefined && owner === undefined)) owner = at;
    if (found === member) break;
  }
  const name =
    typeof owner === 'function'
      ? owner.name
      : (owner as { constructor?: { name?: string } } | undefined)?.constructor?.name;
  if (!name || name === 'Object')
    throw new TypeError(
      `Expected '${String(method)}' to be called on an instance of a class with a name; give withCache a \`name\`, or cacheOf(method, instance) the instance`,
    );
  return `${name}.${String(method)}`;
}

/** Invalidates for a method that has succeeded. */
export async function acknowledgeAfter(view: View, tags: readonly string[], result: unknown): Promise<void> {
  const own = [...new Set(checkTags(tags).map(ownTag))];
  if (own.length > 0) await acknowledge(view.parts, own, result);
}
