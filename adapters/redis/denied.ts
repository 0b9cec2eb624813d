import { warnOnce } from '../../src/adapter/index.js';

/**
 * Says, once for each command, that the user of the connection may not send it. Nobody would notice otherwise: a read does
 * not fail because the cache failed, so a permission that is missing looks like a cache that never has anything.
 */
export function sayDenied(error: Error): void {
  if (!denied.test(error.message)) return;
  const name = (error as { command?: { name?: string } }).command?.name?.toLowerCase() ?? 'a command';
  // Those have words of their own, for what becomes of the cache without them.
  if (name === 'info' || name === 'client') return;
  const what = /^eval/.test(name) && !error.message.includes(`'${name}'`) ? 'a command inside of a script' : name;
  warnOnce(
    `redis:denied:${what}`,
    `Redis does not let unstale use ${what} (${error.message}). Reads go to the database where that is needed. The permissions are in docs/redis.md; \`ACL LOG\` tells what was refused.`,
  );
}

/** By the command itself, and by one that a script calls, as versions of Redis put it. */
const denied = /^NOPERM|user executing the script can't run|ACL failure in script/;
