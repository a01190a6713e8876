"""What is unsafe about an installation's settings, as far as they and its database show it."""

from __future__ import annotations

import ipaddress
import stat
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import make_url

from app.settings import Settings
from domain.accounts import Registration
from infra.db.roles import RoleFaults
from infra.email.servers import is_loopback

LEAST_TOKEN = 16
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_BY_TLS = ("require", "verify-ca", "verify-full")


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
    """The unsafe ones are not first: they come in the order of .env.example, of which the file itself is the first."""
    yield from _of_file(".env", Path(".env").resolve())
    if settings.for_oneself:
        yield from _of_files(settings)
        return
    yield from _of_environment(settings)
    yield from _of_files(settings)
    yield from _of_stores(settings, role)
    yield from _of_secrets(settings)
    yield from _of_addresses(settings)
    yield from _of_people(settings)
    yield from _of_connections(settings)


def _of_environment(settings: Settings) -> Iterator[Fault]:
    if not settings.is_production:
        message = f"It is {settings.env}, and others can ask."
        yield Fault(Gravity.UNSAFE, "PACEMARK_ENV", message, "production")


def _of_files(settings: Settings) -> Iterator[Fault]:
    if _mode(settings.data) & _OTHERS:
        message = "Other users of this machine can get at the data folder."
        gravity = Gravity.UNSAFE if _mode(settings.data) & _OTHERS_WRITE else Gravity.DOUBTFUL
        yield Fault(gravity, "PACEMARK_DATA", message, f"chmod go= {settings.data}")
    for path in (settings.data / "secret", settings.data / "key"):
        yield from _of_file("PACEMARK_DATA", path)
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and url.database:
        for end in ("", "-wal", "-shm"):
            yield from _of_file("PACEMARK_DATABASE_URL" if settings.database_url else "PACEMARK_DATA", Path(url.database + end))


def _of_file(setting: str, path: Path) -> Iterator[Fault]:
    if _mode(path) & _OTHERS:
        message = f"Other users of this machine can get at {path.name}."
        yield Fault(Gravity.UNSAFE, setting, message, f"chmod go= {path}")


def _mode(path: Path) -> int:
    """0 where there is nothing."""
    return path.stat().st_mode if path.exists() else 0


def _of_stores(settings: Settings, role: RoleFaults) -> Iterator[Fault]:
    if role.any:
        message = f"The role {role.name} {role}: row-level security does not hold for it."
        yield Fault(Gravity.UNSAFE, "PACEMARK_DATABASE_URL", message, "a role without rights of its own (deploy/README.md)")
    for setting, database in (("DATABASE_URL", settings.database_url), ("MIGRATION_URL", settings.migration_url)):
        url = make_url(database or "sqlite://")
        if url.get_backend_name() == "postgresql" and url.query.get("ssl") not in _BY_TLS:
            yield from _in_the_clear(setting, url.host, "the same with ?sslmode=verify-full")
    for each in (settings.nats_url or "").split(","):
        if each.strip().startswith("nats:"):
            yield from _in_the_clear("NATS_URL", urlsplit(each.strip()).hostname, "an address of tls://")
    if settings.redis_url is None and not settings.database.startswith("sqlite"):
        message = "Each process counts for itself: with several, limits on sign-in are as many times higher."
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_REDIS_URL", message, "the address of a Redis or Valkey")
    if settings.redis_url is not None and settings.redis_url.strip().startswith("redis:"):
        yield from _in_the_clear("REDIS_URL", urlsplit(settings.redis_url.strip()).hostname, "an address of rediss://")


def _of_secrets(settings: Settings) -> Iterator[Fault]:
    if settings.former_secrets:
        message = "Former secrets are still good: whoever knows one can make keys and tokens of ours."
        remedy = "empty, once what they protect is sealed anew (pacemark secrets reseal) or over (docs/security.md)"
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_FORMER_SECRETS", message, remedy)


def _of_addresses(settings: Settings) -> Iterator[Fault]:
    if settings.public_url is None or not settings.public_url.startswith("https:"):
        message = "Keys, passwords and cookies travel in the clear."
        yield Fault(Gravity.UNSAFE, "PACEMARK_PUBLIC_URL", message, "an https address, in front of which a proxy ends TLS")
    elif settings.trusted_proxies is None:
        message = "All strangers have the proxy's address, and share one allowance; the log knows no other."
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_TRUSTED_PROXIES", message, "the address of the proxy")
    if any(map(_is_everybody, (settings.trusted_proxies or "").split(","))):
        message = "Whoever asks can say that they come from anywhere: limits by address do not hold."
        yield Fault(Gravity.UNSAFE, "PACEMARK_TRUSTED_PROXIES", message, "the addresses of the proxies alone")
    for origin in settings.allowed_origins:
        if origin.startswith("http:") and not is_loopback(urlsplit(origin).hostname or ""):
            message = f"Whoever is on the way to {origin} can ask in its visitors' names."
            yield Fault(Gravity.UNSAFE, "PACEMARK_ALLOWED_ORIGINS", message, "https origins alone")


def _is_everybody(proxies: str) -> bool:
    if proxies.strip() == "*":
        return True
    try:
        return ipaddress.ip_network(proxies.strip(), strict=False).prefixlen == 0
    except ValueError:
        return False


def _of_people(settings: Settings) -> Iterator[Fault]:
    if settings.registration is Registration.OPEN:
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_REGISTRATION", "Anybody can sign up.", "invited")
    issuer = urlsplit(settings.oidc_issuer or "")
    if issuer.scheme == "http" and not is_loopback(issuer.hostname or ""):
        message = "Whoever is on the way to the issuer can sign in as anybody."
        yield Fault(Gravity.UNSAFE, "PACEMARK_OIDC_ISSUER", message, "an https address")
    if settings.who_is_shown_the_schema == "everybody":
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_INTROSPECTION", "Everybody is shown the schema.", "signed-in")


def _of_connections(settings: Settings) -> Iterator[Fault]:
    if settings.allow_private_targets:
        message = "Whoever may request audits can reach what is in this network."
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_ALLOW_PRIVATE_TARGETS", message, "false")
    if settings.s3_bucket is not None:
        yield from _of_endpoint("S3_ENDPOINT", settings.s3_endpoint)
    if settings.mail_url is None:
        message = "Mails go to the log, with links that open accounts."
        yield Fault(Gravity.UNSAFE, "PACEMARK_MAIL_URL", message, "the address of a mail server")
    yield from _of_endpoint("OTLP_ENDPOINT", settings.otlp_endpoint)
    if settings.trace_trust_incoming:
        message = "Whoever asks decides what is traced, and under which trace."
        yield Fault(Gravity.DOUBTFUL, "PACEMARK_TRACE_TRUST_INCOMING", message, "false, unless a gateway sets the header")
    if settings.metrics_token is not None and len(settings.metrics_token.get_secret_value()) < LEAST_TOKEN:
        message = f"It has fewer than {LEAST_TOKEN} characters, and may be tried as often as somebody likes."
        yield Fault(Gravity.UNSAFE, "PACEMARK_METRICS_TOKEN", message, "such as: openssl rand -hex 32")


def _of_endpoint(setting: str, url: str | None) -> Iterator[Fault]:
    parts = urlsplit(url or "")
    if parts.scheme == "http":
        yield from _in_the_clear(setting, parts.hostname, "an https address")


def _in_the_clear(setting: str, host: str | None, remedy: str) -> Iterator[Fault]:
    """A name of one label may be that of a container on a network of its own; no host is a socket of this machine."""
    if host and not is_loopback(host):
        gravity = Gravity.UNSAFE if "." in host or ":" in host else Gravity.DOUBTFUL
        message = f"Whoever is on the way to {host} can read and change what is sent there."
        yield Fault(gravity, f"PACEMARK_{setting}", message, remedy)
