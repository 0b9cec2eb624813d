import { createHash } from 'node:crypto';
import type { Command, Reply } from './client.js';

/**
 * What has to happen in one step in Redis. No script touches two tags, or anything in two slots, so all of them work on
 * a Cluster; each is harmless when it is repeated or carried out late, since a command that timed out still runs.
 *
 * Reads are never scripts: Lua costs the server seven times what MGET costs.
 */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

const bySha = new Map<string, Script>();

function script(source: string): Script {
  const made = { source, sha: createHash('sha1').update(source).digest('hex') };
  bySha.set(made.sha, made);
  return made;
}

export function evaluate({ sha }: Script, keys: readonly string[], args: readonly (string | number)[]): Command {
  return ['evalsha', sha, keys.length, ...keys, ...args];
}

/** The same command with the script's text, when the server answered that it does not know it (any more). */
export function spelledOut(command: Command, reply: Reply): Command | undefined {
  if (!(reply instanceof Error) || !reply.message.startsWith('NOSCRIPT')) return undefined;
  const [, sha, ...rest] = command;
  const known = bySha.get(String(sha));
  return known && ['eval', known.source, ...rest];
}

/**
 * Gives a tag a new version and says which. KEYS: the tag, its owners. ARGV: who lets go of it, random text, TTL.
 *
 * A plain invalidation lets go in a name that nobody has. So it never lifts the fence of a writer who holds the tag:
 * as long as there is an owner, the new version is a fenced one, which holds for nobody.
 */
export const lift = script(`
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('ZCARD', KEYS[2]) > 0 then
  redis.call('SET', KEYS[1], 'f' .. ARGV[2])
  return 'f' .. ARGV[2]
end
redis.call('SET', KEYS[1], 'v' .. ARGV[2], 'PX', ARGV[3])
return 'v' .. ARGV[2]
`);

/** A name that no owner of a fence has. */
export const nobody = '';

/**
 * Fences a tag. KEYS: the tag, its owners. ARGV: the owner, milliseconds, random text.
 *
 * Neither key ends by itself, so no server drops them that keeps what has no TTL. The milliseconds count in the server's
 * time, which is the same for all who ask about them.
 */
export const fence = script(`
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])
redis.call('SET', KEYS[1], 'f' .. ARGV[3])
return 1
`);

/** The owners of a tag whose time is over; nobody, if it is fenced and has none. KEYS: the tag, its owners. */
export const expired = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
if #over > 0 or redis.call('ZCARD', KEYS[2]) > 0 then return over end
local version = redis.call('GET', KEYS[1])
if version and string.sub(version, 1, 1) == 'f' then return { '${nobody}' } end
return {}
`);

/**
 * Gives a tag a version if it has none, and says which it has. KEYS: the tag, its owners. ARGV: random text, TTL.
 *
 * For readers of strict caches: whatever a tag was lost by, it never comes back unfenced while it has an owner.
 */
export const create = script(`
local version = redis.call('GET', KEYS[1])
if version then return version end
if redis.call('ZCARD', KEYS[2]) > 0 then
  redis.call('SET', KEYS[1], 'f' .. ARGV[1])
  return 'f' .. ARGV[1]
end
redis.call('SET', KEYS[1], 'v' .. ARGV[1], 'PX', ARGV[2])
return 'v' .. ARGV[1]
`);

/**
 * Lets go of a tag where there is no room for a new version. KEYS: the tag, its owners. ARGV: who lets go of it. Returns
 * the fenced version that stays; none, when the tag was forgotten and gets another when it is read.
 */
export const forget = script(`
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('ZCARD', KEYS[2]) > 0 then return redis.call('GET', KEYS[1]) end
redis.call('UNLINK', KEYS[1])
return false
`);

/**
 * Compares the record of trust with what a node says of itself, and begins a new epoch where they differ.
 *
 * KEYS: the record. ARGV: an epoch in case a new one is needed (or '' if none may begin now), an epoch to end whatever the
 * record says (or ''), the caller's maxStale, whether it is strict (1 or 0), then the name of a node and what it said, any
 * number of times. Returns the epoch and the largest maxStale that somebody has published lately; nothing to a caller
 * that is not as strict as those who began the record, and 0 to one that needs a new epoch and brings none: the record
 * stays as it is. What a node said may stand there with more behind it: a number that only those know who asked sentinels.
 * In the steady state it only reads. Who has not logged in may send ten words, which is what this has for
 * one node, and hears what is wrong only then.
 */
export const verify = script(`
local record, flat = {}, redis.call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do record[flat[i]] = flat[i + 1] end
if record.epoch and (record.strict or '0') ~= ARGV[4] then return false end
local over = not record.epoch or record.epoch == ARGV[2]
for i = 5, #ARGV, 2 do
  local known, said = record[ARGV[i]] or '', ARGV[i + 1]
  over = over or (known ~= said and string.sub(known, 1, #said + 1) ~= said .. ' ')
end
if over and ARGV[1] == '' then return 0 end
if over then
  record.epoch = ARGV[1]
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'strict', ARGV[4])
  for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
local now, mine = tonumber(redis.call('TIME')[1]), 'reach:' .. ARGV[3]
if tonumber(ARGV[3]) > 0 then
  if not record[mine] then redis.call('HSET', KEYS[1], mine, now)
  elseif now - record[mine] > 60 then redis.pcall('HSET', KEYS[1], mine, now) end
  record[mine] = now
end
local reach = 0
for field, seen in pairs(record) do
  local ms = tonumber(string.match(field, '^reach:(.*)$') or '')
  if ms and now - seen <= ms / 1000 + 600 then reach = math.max(reach, ms)
  elseif ms then redis.pcall('HDEL', KEYS[1], field) end
end
return { record.epoch, tostring(reach) }
`);

/*
 * A lease is the text of its owner with the number of a connection behind it, or without, when it is to outlive that.
 * What a script is given is what the text begins with.
 */

/** Prolongs a lease, unless it ran out and is somebody else's by now. */
export const renew = script(`
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);

/** The same, and from now on nobody concludes from a connection that is closed that the owner is gone. */
export const keep = script(`
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

/** Gives a lease back, unless it ran out and is somebody else's by now, and wakes who waits. */
export const release = script(`
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.pcall('PUBLISH', ARGV[2], ARGV[3])
return 1
`);
