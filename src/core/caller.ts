import { encodeArguments, encodeKey, type Key, type KeyPart } from '../values/index.js';
import type { Ask, Refined } from './ask.js';
import { namesOf, refuseUnknown } from './check.js';
import { checkTags, tagsOf, type What } from './dependency.js';
import type { Duration } from './duration.js';
import { answerOf } from './entry.js';
import { describe, expected } from './errors.js';
import { type Landing, valueOf } from './flight.js';
import type { MethodOptions } from './functions.js';
import { clearTags } from './identity.js';
import type { Member } from './member.js';
import type { ReadSettings } from './options.js';
import { cachedOf } from './report.js';
import { reading, resolveReadOptions, withTags } from './resolve.js';
import { acknowledge } from './transaction.js';
import type { View } from './view.js';
import { warnOnce } from './warn.js';

/** Where handles tell which entry a call has: found across the ESM and the CommonJS copy of the package. */
export const entryOf: unique symbol = Symbol.for('unstale.entry') as never;

type Method = (this: unknown, ...args: any[]) => Promise<unknown>;
/** What the types of the face say, as seen from inside. */
type Options = {
  name?: string;
  version?: string | number;
  ttl?: Duration | ((value: unknown, ...args: unknown[]) => Duration);
  tags?: readonly What<string>[] | ((this: unknown, ...args: unknown[]) => readonly What<string>[]);
  tagsOf?: (value: unknown, ...args: unknown[]) => readonly What<string>[];
  when?: (this: unknown, ...args: unknown[]) => boolean;
  key?: (this: unknown, ...args: unknown[]) => Key;
};

const wrapNames = namesOf<MethodOptions<any[], unknown, unknown, string> & { key?: unknown }>({
  name: true,
  key: true,
  version: true,
  tagsOf: true,
  when: true,
  ...reading,
});

/**
 * A cached function: its options are checked and completed once, here, so that a call makes a key and looks.
 */
export class Caller {
  readonly #view: View;
  readonly #method: Method;
  readonly #options: Options;
  readonly #settings: ReadSettings;
  readonly #member: Member;
  /** Calls need no thought of their own when others are loading the same. */
  readonly #isPlain: boolean;
  #name: string | undefined;

  constructor(view: View, method: Method, options: Options, member: Member) {
    const { name: _, version: __, ttl, tags, tagsOf: told, when, key, ...timing } = options;
    refuseUnknown(options, wrapNames, 'withCache');
    for (const [what, fn] of Object.entries({ tagsOf: told, when, key }))
      if (fn !== undefined && typeof fn !== 'function') throw expected(what, 'a function', fn);
    this.#view = view;
    this.#method = method;
    this.#options = options;
    this.#member = member;
    this.#settings = resolveReadOptions(
      {
        ...timing,
        ...(typeof ttl === 'function' || ttl === undefined ? {} : { ttl }),
        ...(typeof tags === 'function' || tags === undefined ? {} : { tags }),
      },
      view.parts.settings.read,
    );
    this.#isPlain = when === undefined && this.#settings.tolerate === 0;
    if (options.name !== undefined) this.#claim(options.name);
  }

  call(self: unknown, args: unknown[]): Promise<unknown> {
    try {
      const key = this.#view.keyOf(this.keyText(self, args));
      const entry = this.#options.when === undefined ? this.#view.hit(key, this.#settings) : undefined;
      if (entry !== undefined) return answerOf(entry);
      const joined = this.#isPlain ? this.#view.join(key, this.#settings) : undefined;
      if (joined === undefined) return this.#miss(key, self, args).then(valueOf);
      return joined.then((landing) =>
        landing === undefined ? this.#miss(key, self, args).then(valueOf) : valueOf(landing),
      );
    } catch (error) {
      return this.#failed(error, self, args).then(valueOf);
    }
  }

  /** The text of a call: it is a plain key, so that `cache.delete(getTeam.key(7))` means this entry. */
  keyText(self: unknown, args: readonly unknown[]): string {
    const { key } = this.#options;
    const name = this.#name ?? this.#claim(this.#member.nameOn(self));
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
        return cachedOf(await landed(args, false));
      },
      key: (...args: unknown[]) => this.keyText(self, args),
      invalidate: async (...args: unknown[]) => view.delete(this.keyText(self, args)),
      explain: async (...args: unknown[]) => view.explain(this.keyText(self, args), this.#version),
      [entryOf]: (args: readonly unknown[]) => ({
        parts: view.parts,
        key: view.keyOf(this.keyText(self, args)),
      }),
      many: async (inputs: readonly unknown[]) => {
        if (!Array.isArray(inputs)) throw expected('inputs', 'a list', inputs);
        return Promise.all(inputs.map((input) => this.call(self, [input])));
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
      typeof tags === 'function' ? withTags(this.#settings, checkTags(tags.apply(self, args))) : this.#settings;
    return this.#view.ask(key, {
      name: this.#name ?? String(this.#member.name),
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
    const { ttl, tagsOf: told } = this.#options;
    if (told === undefined && typeof ttl !== 'function') return {};
    return {
      refine: (value) => ({
        ttl: typeof ttl === 'function' ? ttl(value, ...args) : undefined,
        tags: told === undefined ? undefined : tagsOf(this.#view.parts, checkTags(told(value, ...args)), 'reads'),
      }),
    };
  }

  #failed(error: unknown, self: unknown, args: unknown[]): Promise<Landing> {
    const { tags, tagsOf: told } = this.#options;
    return this.#view.unkeyable(error, this.#name ?? String(this.#member.name), async (context) => {
      // For the load around this one, which may be stored.
      if (tags !== undefined) context.tag(...(typeof tags === 'function' ? tags.apply(self, args) : tags));
      const value = await this.#load(self, args);
      if (told !== undefined) context.tag(...told(value, ...args));
      return value;
    });
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

/**
 * Invalidates for a method that has succeeded. It must not look failed, or it is tried again: when `tags` cannot be
 * told, an event says so, and everything ends, since what was written is unknown.
 */
export async function acknowledgeAfter(view: View, tags: () => readonly string[], result: unknown): Promise<void> {
  const { parts } = view;
  let own: readonly string[];
  try {
    own = tags();
  } catch (error) {
    parts.events.emit('error', { error });
    own = clearTags(parts.shared);
  }
  if (own.length > 0) await acknowledge(parts, [...new Set(own)], result);
}
