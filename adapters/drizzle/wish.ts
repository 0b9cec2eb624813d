import type { Per } from '../../src/adapter/index.js';

/** What `$withCache(config)` says, in our words. @throws TypeError for what belongs to a cache of another kind */
export function wishOf(given: unknown): Per | undefined {
  if (given === undefined) return undefined;
  const { enable, autoInvalidate, tag, config = {} } = given as Given;
  if (enable === false) return false;
  const unknown = Object.keys(config).find((name) => config[name] !== undefined && name !== 'ex' && name !== 'px');
  if (unknown !== undefined) throw wrong(`no \`${unknown}\`: say \`ex\` (seconds) or \`px\` (milliseconds)`);
  if (tag !== undefined) throw wrong('no `tag`: an answer is found by its statement, and ended by its tables');
  if (autoInvalidate === false) throw wrong('no `autoInvalidate: false`: writes end what they change, always');
  const { ex, px } = config;
  if (ex !== undefined && px !== undefined) throw wrong('`ex` or `px`, not both');
  if (px !== undefined) return px;
  return ex === undefined ? {} : ex * 1000;
}

interface Given {
  readonly enable?: boolean;
  readonly autoInvalidate?: boolean;
  readonly tag?: string;
  readonly config?: { readonly ex?: number; readonly px?: number; readonly [other: string]: unknown };
}

const wrong = (what: string) =>
  new TypeError(`Expected $withCache of a database that was wrapped by withCache to have ${what}`);
