import type { Per } from '../../src/adapter/index.js';

/** What `$withCache(config)` says, in our words. @throws TypeError for what belongs to a cache of another kind */
export function wishOf(given: any): Per | undefined {
  if (given === undefined) return undefined;
  const { enable, autoInvalidate, tag, config = {} } = given;
  if (enable === false) return false;
  const { ex, px, ...others } = config;
  const unknown = Object.keys(others).find((name) => others[name] !== undefined);
  if (unknown !== undefined) throw wrong(`no \`${unknown}\`: say \`ex\` (seconds) or \`px\` (milliseconds)`);
  if (tag !== undefined) throw wrong('no `tag`: an answer is found by its statement, and ended by its tables');
  if (autoInvalidate === false) throw wrong('no `autoInvalidate: false`: writes end what they change, always');
  if (ex !== undefined && px !== undefined) throw wrong('`ex` or `px`, not both');
  return px ?? (ex === undefined ? {} : ex * 1000);
}

const wrong = (what: string) =>
  new TypeError(`Expected $withCache of a database that was wrapped by withCache to have ${what}`);
