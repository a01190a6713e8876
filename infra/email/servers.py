"""Which server takes our mails, and how it is spoken to: what its URL says."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_PORTS = {"smtp": 587, "smtps": 465}
_EXAMPLE = "a mail server is smtp://user:password@mail.example.com:587, or smtps://user:password@mail.example.com"


@dataclass(frozen=True, slots=True)
class MailServer:
    """`implicit_tls`: from the first byte, else by STARTTLS. `must_encrypt`: or nothing is sent; nor to a wrong certificate."""

    host: str
    port: int
    implicit_tls: bool
    must_encrypt: bool
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """Raises ValueError, without anything of the URL in it."""
        try:
            parts = urlsplit(url.strip())
            port, host = parts.port, parts.hostname
        except ValueError:
            raise ValueError(_EXAMPLE) from None
        if parts.scheme not in _PORTS or not host or port == 0 or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError(_EXAMPLE)
        if bool(parts.username) != bool(parts.password):
            raise ValueError(f"a user and a password go together: {_EXAMPLE}")
        user, password = (unquote(each) if each else None for each in (parts.username, parts.password))
        if any(control in (user or "") + (password or "") for control in "\r\n\0"):
            raise ValueError(_EXAMPLE)
        implicit = parts.scheme == "smtps"
        return cls(host, port or _PORTS[parts.scheme], implicit, implicit or not is_loopback(host), user, password)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
