"""How often it may be tried to sign in, and to have mails sent: counted for each attempt, before it is looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from ..caching import Bucket, Cache
from ..errors import LimitReached
from ..keyring import Keyring
from ..ports import Reader
from . import queries, rules

PER_NETWORK = Bucket(30, 30 / 600)
"""At whatever accounts, but those whose person signed in from there."""

PER_ACCOUNT_AND_NETWORK = Bucket(10, 10 / 900)

PER_ACCOUNT = Bucket(50, 50 / 3600)
"""From all the networks together from which somebody never signed in: strangers use up nothing of the owner's own."""

MAILS_PER_ADDRESS = Bucket(5, 5 / 3600)
MAILS_PER_NETWORK = Bucket(30, 30 / 3600)


class Unasked(NamedTuple):
    """Mails that whoever causes them is told nothing of, whether they are sent or not."""

    name: str
    bucket: Bucket


REGISTERED = Unasked("mail:registered", Bucket(1, 1 / 86_400))
"""That an address has an account already."""

WAITING = Unasked("mail:waiting", Bucket(1, 1 / 3600))
"""Another link to whoever would sign in and has not verified their address."""

KNOWN_SECONDS = 86_400.0
"""So long a network is known in which a password was reset; from the next sign-in on its session tells."""

_PURPOSE = "limits"
_TRIED = "Too many tried to sign in: wait for a while, or choose a new password by a mail."
_MAILED = "Too many mails were asked for: wait for a while."


async def pay_for_sign_in(cache: Cache, reader: Reader, keyring: Keyring, *, email: str, address: str, now: datetime) -> None:
    """`email` is as it is compared, or any text. Whether somebody has it changes nothing. Raises LimitReached."""
    network = rules.network(address)
    seen = await queries.addresses_of(reader, email, now - rules.REMEMBERED)
    was_reset = await cache.get(_key(keyring, "sign-in:reset", email, network)) is not None
    is_known = was_reset or network in {rules.network(each) for each in seen}
    if not is_known:
        await _pay(cache, keyring, "sign-in:network", network, now=now, bucket=PER_NETWORK, message=_TRIED)
    await _pay(cache, keyring, "sign-in:pair", email, network, now=now, bucket=PER_ACCOUNT_AND_NETWORK, message=_TRIED)
    if not is_known:
        await _pay(cache, keyring, "sign-in:account", email, now=now, bucket=PER_ACCOUNT, message=_TRIED)


async def give_back(cache: Cache, reader: Reader, keyring: Keyring, *, user_id: UUID, address: str) -> None:
    """Whoever has reset a password has all the attempts again, from there too, whoever used them up."""
    row = await reader.first(queries.CREDENTIALS, id=user_id)
    if row is None or row.email is None:
        return
    network = rules.network(address)
    await cache.put(_key(keyring, "sign-in:reset", row.email, network), b"1", seconds=KNOWN_SECONDS)
    for bucket, key in (
        (PER_ACCOUNT, _key(keyring, "sign-in:account", row.email)),
        (PER_ACCOUNT_AND_NETWORK, _key(keyring, "sign-in:pair", row.email, network)),
    ):
        await cache.restore(key, bucket.capacity, bucket)


async def pay_for_mail(
    cache: Cache, keyring: Keyring, *, email: str, address: str, now: datetime, is_new: bool = False
) -> None:
    """`is_new`: to an address that is said to be somebody's; that uses up nothing of what is mailed to an account.

    Raises LimitReached, whether somebody has the address or not.
    """
    network, whose = rules.network(address), "mail:new" if is_new else "mail:address"
    await _pay(cache, keyring, "mail:network", network, now=now, bucket=MAILS_PER_NETWORK, message=_MAILED)
    await _pay(cache, keyring, whose, email, now=now, bucket=MAILS_PER_ADDRESS, message=_MAILED)


async def may_mail(cache: Cache, keyring: Keyring, mail: Unasked, email: str) -> bool:
    """Counted where it may."""
    return (await cache.spend(_key(keyring, mail.name, email), 1, mail.bucket)).granted


async def _pay(cache: Cache, keyring: Keyring, name: str, *whose: str, now: datetime, bucket: Bucket, message: str) -> None:
    spent = await cache.spend(_key(keyring, name, *whose), 1, bucket)
    if not spent.granted:
        raise LimitReached(message, int(bucket.capacity), now + timedelta(seconds=spent.retry_after))


def _key(keyring: Keyring, name: str, *whose: str) -> str:
    return f"{name}:{keyring.digest(' '.join(whose), _PURPOSE)}"
