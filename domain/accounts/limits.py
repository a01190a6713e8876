"""How often it may be tried to sign in, and to have mails sent: counted for each attempt, before it is looked at."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..caching import Bucket, Cache
from ..errors import LimitReached
from ..keyring import Keyring
from ..ports import Reader
from . import queries, rules

PER_NETWORK = Bucket(30, 30 / 600)
PER_ACCOUNT_AND_NETWORK = Bucket(10, 10 / 900)

PER_ACCOUNT = Bucket(50, 50 / 3600)
"""From all the networks together from which somebody never signed in: strangers use up nothing of the owner's own."""

MAILS_PER_ADDRESS = Bucket(5, 5 / 3600)
MAILS_PER_NETWORK = Bucket(30, 30 / 3600)

_PURPOSE = "limits"
_TRIED = "Too many tried to sign in: wait for a while, or choose a new password by a mail."
_MAILED = "Too many mails were asked for: wait for a while."


async def pay_for_sign_in(cache: Cache, reader: Reader, keyring: Keyring, *, email: str, address: str, now: datetime) -> None:
    """`email` is as it is compared, or any text. Whether somebody has it changes nothing. Raises LimitReached."""
    network = rules.network(address)
    await _pay(cache, keyring, "sign-in:network", network, now=now, bucket=PER_NETWORK, message=_TRIED)
    await _pay(cache, keyring, "sign-in:pair", email, network, now=now, bucket=PER_ACCOUNT_AND_NETWORK, message=_TRIED)
    seen = await queries.addresses_of(reader, email, now - rules.REMEMBERED)
    if network not in {rules.network(each) for each in seen}:
        await _pay(cache, keyring, "sign-in:account", email, now=now, bucket=PER_ACCOUNT, message=_TRIED)


async def pay_for_mail(cache: Cache, keyring: Keyring, *, email: str, address: str, now: datetime) -> None:
    """Raises LimitReached, whether somebody has the address or not."""
    network = rules.network(address)
    await _pay(cache, keyring, "mail:network", network, now=now, bucket=MAILS_PER_NETWORK, message=_MAILED)
    await _pay(cache, keyring, "mail:address", email, now=now, bucket=MAILS_PER_ADDRESS, message=_MAILED)


async def _pay(cache: Cache, keyring: Keyring, name: str, *whose: str, now: datetime, bucket: Bucket, message: str) -> None:
    spent = await cache.spend(f"{name}:{keyring.digest(' '.join(whose), _PURPOSE)}", 1, bucket)
    if not spent.granted:
        raise LimitReached(message, int(bucket.capacity), now + timedelta(seconds=spent.retry_after))
