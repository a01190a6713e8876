"""What Redis does in one step, by its own clock: one key each, which holds one thing and goes away by itself."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from .checks import TOLERANCE


class Script(NamedTuple):
    text: str
    digest: str


def _script(text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


# What is in the bucket now; a full one where there was none.
_LEVEL = """
local amount, capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local level = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(level[1]), tonumber(level[2])
if tokens and at then
  tokens = math.min(capacity, tokens + math.max(0, now - at) * rate / 1000000)
else
  tokens, at = capacity, now
end
"""

_KEEP = """
  redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / rate * 1000) + 1)
"""

# amount, capacity, tokens a second → "granted tokens". A refusal writes only where the clock went back.
SPEND = _script(f"""
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
{_LEVEL}
local granted = amount <= math.min(capacity, tokens + {TOLERANCE} * capacity)
if granted then tokens = math.max(0, tokens - amount) end
if granted or at > now then
  {_KEEP}
end
return string.format('%d %.17g', granted and 1 or 0, tokens)
""")

# The same numbers → "restored tokens".
RESTORE = _script(f"""
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return '0 0' end
{_LEVEL}
tokens = math.min(capacity, tokens + amount)
{_KEEP}
return string.format('1 %.17g', tokens)
""")

# limit, seconds and 0 or 1 (refuses) of each window → "granted wait". The list has the newest slots, as microseconds.
RESERVE = _script("""
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'list' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local slot, free, most, longest = now, now, 0, 0
for i = 1, #ARGV, 3 do
  local limit, span = tonumber(ARGV[i]), ARGV[i + 1] * 1000000
  local again = (tonumber(redis.call('LINDEX', KEYS[1], -limit)) or now - span) + span
  if ARGV[i + 2] == '1' then free = math.max(free, again) else slot = math.max(slot, again) end
  most, longest = math.max(most, limit), math.max(longest, span)
end
if free > now then return string.format('0 %.17g', (free - now) / 1000000) end
redis.call('RPUSH', KEYS[1], string.format('%.0f', slot))
redis.call('LTRIM', KEYS[1], -most, -1)
redis.call('PEXPIRE', KEYS[1], math.ceil((slot - now + longest) / 1000))
return string.format('1 %.17g', (slot - now) / 1000000)
""")
