"""The steps of the Redis store as scripts: each runs alone, and compares everything before it writes anything.

    KEYS  1 born     the birth of this store: a random word that is gone when Redis has lost its memory
          2 keys     hash: slot -> JSON of token, fingerprint, expires and, once it is there, the answer
          3 over     sorted set: slot -> when it stops counting: the end of its lease, or of its life
          4 entries  hash: id -> JSON of one entry
          5 order    list of ids, in the order in which they happened
          6 of       list of ids: the entries of what the place is of
          7          the same of what is entered, where that is of something

A script that fails after a write leaves that write behind: Redis does not roll back. So nothing here can fail once it
has written. Where memory or disk are used up, Redis refuses the first write of a script, and lets the others follow.

Times come from the caller, as text, and are compared as numbers; no EXPIRE is set. The clock of Redis is another one
than the provider's, and what Redis takes away by itself (expiry, eviction) is a second charge if it comes too early.
"""

from __future__ import annotations

_LAW = """
local birth = ARGV[1]
if redis.call('GET', KEYS[1]) ~= birth then
  return redis.error_reply('LOST its memory is not the one that was opened')
end

local function held(slot)
  local text = redis.call('HGET', KEYS[2], slot)
  return text and cjson.decode(text)
end

local function hold(slot, key, over)
  redis.call('HSET', KEYS[2], slot, cjson.encode(key))
  redis.call('ZADD', KEYS[3], over, slot)
end

local function forget(slot)
  redis.call('HDEL', KEYS[2], slot)
  redis.call('ZREM', KEYS[3], slot)
end

local function owns(slot, token)
  local key = held(slot)
  return key and key.token == token and not key.answer
end

local function look(existing, above)
  local seen = {redis.call('HGET', KEYS[4], existing) or '', redis.call('HGET', KEYS[4], above) or ''}
  for _, id in ipairs(redis.call('LRANGE', KEYS[6], 0, -1)) do
    seen[#seen + 1] = redis.call('HGET', KEYS[4], id)
  end
  return seen
end
"""

CLAIM = f"""{_LAW}
local slot, token, fingerprint, now, leased_until, expires = unpack(ARGV, 2)
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 20)) do forget(old) end
local over = redis.call('ZSCORE', KEYS[3], slot)
if over and tonumber(over) > tonumber(now) then return redis.call('HGET', KEYS[2], slot) end
hold(slot, {{token = token, fingerprint = fingerprint, expires = expires}}, leased_until)
return false
"""
"""The key that stands, or nothing: then it is ours."""

LOOK = f"""{_LAW}
local existing, above, slot, token = unpack(ARGV, 2)
if token ~= '' and not owns(slot, token) then return false end
return look(existing, above)
"""
"""What a decision has to see, as it stands at this moment; or nothing, where the claim was taken over."""

ENTER = f"""{_LAW}
local existing, above, slot, token, seen, id, entry, answer = unpack(ARGV, 2)
if token ~= '' and not owns(slot, token) then return 'lost' end
if redis.sha1hex(table.concat(look(existing, above), '\\0')) ~= seen then return 'changed' end
if redis.call('HSETNX', KEYS[4], id, entry) == 0 then return 'taken' end
redis.call('RPUSH', KEYS[5], id)
if KEYS[7] then redis.call('RPUSH', KEYS[7], id) end
for at = 10, #ARGV, 2 do redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 1]) end
if token ~= '' then
  local key = held(slot)
  key.answer = answer
  hold(slot, key, key.expires)
end
return 'kept'
"""
"""`kept`: the entry and its answer. Otherwise nothing: `lost`, the claim is no longer ours; `changed`, the ledger is
not what was seen; `taken`, the decision entered an id that it saw taken."""

FREE = f"""{_LAW}
local slot, token = unpack(ARGV, 2)
if not owns(slot, token) then return 0 end
forget(slot)
return 1
"""
"""Whether the key was ours and is free now."""

ENTRIES = f"""{_LAW}
local all = {{}}
for _, id in ipairs(redis.call('LRANGE', KEYS[5], 0, -1)) do all[#all + 1] = redis.call('HGET', KEYS[4], id) end
return all
"""
"""Every entry, in order."""

ALL = (CLAIM, LOOK, ENTER, FREE, ENTRIES)
