"""The servers that a NATS address names. What one logs in with never shows in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_RIGHT = (
    "A NATS address looks like nats://host:4222 or tls://user:password@host:4222; several are separated by commas, "
    "and what is special in a password is percent-encoded."
)


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    secure: bool
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read(addresses: str) -> list[Server]:
    """The servers of `nats://…,nats://…`. Raises ValueError, which does not quote them."""
    return [_read(address.strip()) for address in addresses.split(",")]


def _read(address: str) -> Server:
    try:
        parts = urlsplit(address if "://" in address else f"nats://{address}")
        host, port = parts.hostname or "", parts.port or 4222
    except ValueError:
        raise ValueError(_RIGHT) from None  # the cause quotes a part of the address
    extra = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in ("nats", "tls") or extra or not _HOST.fullmatch(host):
        raise ValueError(_RIGHT)
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password is not None else None
    secure = parts.scheme == "tls"
    if password is None:
        return Server(host, port, secure, token=user)
    return Server(host, port, secure, user=user or "", password=password)
