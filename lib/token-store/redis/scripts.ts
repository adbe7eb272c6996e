import { createHash } from 'node:crypto';

/** A script and its SHA-1, under which Redis caches it. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/**
 * A record is a hash: `version`, `lease_epoch`, `value`, `note`, `until` (when its lease expires, in
 * milliseconds since 1970). Each script touches one key, KEYS[1].
 */
const PRELUDE = `
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function number(field) return tonumber(redis.call('HGET', key, field) or 0) end
local function in_a_day() redis.call('PEXPIRE', key, 86400000) end
`;

/** One script for each step of the store; the comments name its arguments. */
export const SCRIPTS = {
  /** The answer of `load` for an empty record. */
  check: script('return {0, 0, false, false, 0, now}'),

  load: script(`
local fields = redis.call('HMGET', key, 'version', 'lease_epoch', 'value', 'note', 'until')
if not fields[1] and not fields[2] then return false end
return {tonumber(fields[1] or 0), tonumber(fields[2] or 0), fields[3], fields[4],
  math.max(0, tonumber(fields[5] or 0) - now), now}
`),

  /** version, lease_epoch, milliseconds, note */
  lease: script(`
if number('version') ~= tonumber(ARGV[1]) or number('lease_epoch') ~= tonumber(ARGV[2]) then
  return false
end
if number('until') > now then return false end
redis.call('HSET', key, 'until', string.format('%.0f', now + ARGV[3]), 'note', ARGV[4])
local lease_epoch = redis.call('HINCRBY', key, 'lease_epoch', 1)
if redis.call('HEXISTS', key, 'value') == 0 then in_a_day() end
return {lease_epoch, now}
`),

  /** version, value */
  commit: script(`
if number('version') ~= tonumber(ARGV[1]) then return false end
redis.call('HSET', key, 'value', ARGV[2])
redis.call('HDEL', key, 'until', 'note')
redis.call('PERSIST', key)
return redis.call('HINCRBY', key, 'version', 1)
`),

  /** version, lease_epoch, note */
  release: script(`
if redis.call('EXISTS', key) == 0 then return 0 end
if number('version') ~= tonumber(ARGV[1]) or number('lease_epoch') ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', key, 'note', ARGV[3])
redis.call('HDEL', key, 'until')
return 1
`),

  /** version, lease_epoch */
  forget: script(`
if redis.call('EXISTS', key) == 0 then return 0 end
if number('version') ~= tonumber(ARGV[1]) or number('lease_epoch') ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('HDEL', key, 'value', 'note', 'until')
redis.call('HINCRBY', key, 'version', 1)
redis.call('HINCRBY', key, 'lease_epoch', 1)
in_a_day()
return 1
`),

  /** expected value, value */
  compareAndSwap: script(`
if redis.call('HGET', key, 'value') ~= ARGV[1] then return 0 end
redis.call('HSET', key, 'value', ARGV[2])
return 1
`),
};

function script(body: string): RedisScript {
  const text = PRELUDE + body;
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
