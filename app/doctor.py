"""What is unsafe about an installation's settings, as far as they and its database show it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from app.settings import Settings
from domain.accounts import Registration
from infra.db.roles import RoleFaults
from infra.email.servers import is_loopback


class Gravity(StrEnum):
    """UNSAFE: others can get at what is not theirs. DOUBTFUL: it may be meant, and is worth a look."""

    UNSAFE = "UNSAFE"
    DOUBTFUL = "DOUBTFUL"


class Fault(NamedTuple):
    """`setting` is the variable to change, and `remedy` to what."""

    gravity: Gravity
    setting: str
    message: str
    remedy: str


def faults(settings: Settings, role: RoleFaults) -> Iterator[Fault]:
    """The unsafe ones are not first: they come in the order of .env.example."""
    if settings.for_oneself:
        yield from _of_files(settings)
        return
    yield from _of_environment(settings)
    yield from _of_files(settings)
    yield from _of_database(settings, role)
    yield from _of_addresses(settings)
    yield from _of_people(settings)


def _of_environment(settings: Settings) -> Iterator[Fault]:
    if not settings.is_production:
        message = f"It is {settings.env}, and others can ask."
        yield Fault(Gravity.UNSAFE, "PACEMARK_ENV", message, "production")
    if settings.former_secrets:
        message = "Former secrets are still good: whoever knows one can make keys and tokens of ours."
        remedy = "empty, once what they protect is sealed anew (pacemark secrets reseal) or over (docs/security.md)"
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_FORMER_SECRETS", message, remedy)


def _of_files(settings: Settings) -> Iterator[Fault]:
    for name in ("", "secret", "key"):
        path = settings.data / name
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and (name or settings.secret is None):
            message = f"Other users of this machine can get at {name or 'the data folder'}."
            yield Fault(Gravity.UNSAFE if name else Gravity.DOUBTFUL, "PACEMARK_DATA", message, f"chmod go= {path}")


def _of_database(settings: Settings, role: RoleFaults) -> Iterator[Fault]:
    if role.any:
        message = f"The role {role.name} {role}: row-level security does not hold for it."
        yield Fault(Gravity.UNSAFE, "PACEMARK_DATABASE_URL", message, "a role without rights of its own (deploy/README.md)")
    if settings.redis_url is None and not settings.database.startswith("sqlite"):
        message = "Each process counts for itself: with several, limits on sign-in are as many times higher."
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_REDIS_URL", message, "the address of a Redis or Valkey")


def _of_addresses(settings: Settings) -> Iterator[Fault]:
    if settings.public_url is None or not settings.public_url.startswith("https:"):
        message = "Keys, passwords and cookies travel in the clear."
        yield Fault(Gravity.UNSAFE, "PACEMARK_PUBLIC_URL", message, "an https address, in front of which a proxy ends TLS")
    elif settings.trusted_proxies is None:
        message = "All strangers have the proxy's address, and share one allowance; the log knows no other."
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_TRUSTED_PROXIES", message, "the address of the proxy")
    if settings.trusted_proxies == "*":
        message = "Whoever asks can say that they come from anywhere: limits by address do not hold."
        yield Fault(Gravity.UNSAFE, "PACEMARK_TRUSTED_PROXIES", message, "the addresses of the proxies alone")
    for origin in settings.allowed_origins:
        if origin.startswith("http:") and not _is_loopback(origin):
            message = f"Whoever is on the way to {origin} can ask in its visitors' names."
            yield Fault(Gravity.UNSAFE, "PACEMARK_ALLOWED_ORIGINS", message, "https origins alone")
    if settings.allow_private_targets:
        message = "Whoever may request audits can reach what is in this network."
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_ALLOW_PRIVATE_TARGETS", message, "false")
    if settings.trace_trust_incoming:
        message = "Whoever asks decides what is traced, and under which trace."
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_TRACE_TRUST_INCOMING", message, "false, unless a gateway sets the header")


def _of_people(settings: Settings) -> Iterator[Fault]:
    if settings.who_is_shown_the_schema == "everybody":
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_INTROSPECTION", "Everybody is shown the schema.", "signed-in")
    if settings.mail_url is None:
        message = "Mails go to the log, with links that open accounts."
        yield Fault(Gravity.UNSAFE, "PACEMARK_MAIL_URL", message, "the address of a mail server")
    if settings.registration is Registration.OPEN:
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_REGISTRATION", "Anybody can sign up.", "invited")
    if settings.oidc_issuer is not None and settings.oidc_issuer.startswith("http:") and not _is_loopback(settings.oidc_issuer):
        message = "Whoever is on the way to the issuer can sign in as anybody."
        yield Fault(Gravity.UNSAFE, "PACEMARK_OIDC_ISSUER", message, "an https address")


def _is_loopback(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
