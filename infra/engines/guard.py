"""The guard of targets: which addresses a measurement may talk to, decided after the name is resolved."""

from __future__ import annotations

import asyncio
import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

import httpx

from domain.measuring import EngineFailure, FailureKind

MAX_URL_LENGTH = 4096
MAX_ADDRESSES = 8
_DEFAULT_PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?\Z")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")

# Networks whose last 32 bits are an IPv4 address that a gateway (or an old stack) would really talk to:
# IPv4-compatible (RFC 4291 §2.5.5.1) and NAT64 (RFC 6052 §2.1). Mapped, 6to4 and Teredo are known to `ipaddress`.
_EMBEDDING = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
# Local-use NAT64 (RFC 8215) is counted as global by older Pythons.
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")


def check_url(url: str) -> SplitResult:
    """The URL in the ASCII form in which it is sent, without its fragment.

    Raises EngineFailure URL_INVALID unless it is http or https, with a host, a usable port, no credentials,
    and at most 4,096 characters.
    """
    if len(url) > MAX_URL_LENGTH:
        raise _invalid(f"The address is longer than {MAX_URL_LENGTH:,} characters.")
    if _UNPRINTABLE.search(url) or "\\" in url.partition("?")[0]:
        raise _invalid("The address holds a space, a backslash or a control character.")
    try:
        typed = urlsplit(url)
        if typed.scheme not in _DEFAULT_PORTS:
            raise _invalid("The address must begin with http:// or https://.")
        if "@" in typed.netloc:
            raise _invalid("The address must not hold a user name or password; keep them in the site's access.")
        sent = httpx.URL(url)
        host, port = sent.raw_host.decode("ascii").lower(), typed.port
    except (ValueError, httpx.InvalidURL) as error:
        raise _invalid("The address is not a valid URL.") from error
    if not _is_host(host):
        raise _invalid("The address has no valid host.")
    if port == 0:
        raise _invalid("The address has no valid port.")
    netloc = f"[{host}]" if ":" in host else host
    if port not in (None, _DEFAULT_PORTS[typed.scheme]):
        netloc += f":{port}"
    path, _, query = sent.raw_path.decode("ascii").partition("?")
    return SplitResult(typed.scheme, netloc, path or "/", query, "")


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _NAME.match(host) is not None
    try:
        return isinstance(ip_address(host), IPv6Address) and "%" not in host
    except ValueError:
        return False


def _invalid(message: str) -> EngineFailure:
    return EngineFailure(FailureKind.PAGE, "URL_INVALID", message)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, and so does every IPv4 address that it embeds."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    embedded = _embedded(address)
    if embedded is not None:
        return all(is_public(inner) for inner in embedded)
    if address.is_multicast or address.is_site_local or address in _LOCAL_NAT64:
        return False
    return address.is_global


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...] | None:
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if any(address in network for network in _EMBEDDING):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return None


class Guard:
    """Resolves hosts and refuses those that lead to private, loopback or otherwise unroutable addresses.

    Whoever connects must connect to one of the answered addresses and not resolve the name again:
    a second answer of the same name server may differ (DNS rebinding).
    """

    def __init__(self, *, allow_private: bool, deadline: float = 10.0) -> None:
        self._allow_private = allow_private
        self._deadline = deadline

    async def addresses(self, host: str, port: int) -> list[str]:
        """The permitted addresses of a host (a name, or an address in any spelling, with or without brackets), in
        the resolver's order.

        Raises EngineFailure DNS_FAILURE for an unknown host, ADDRESS_REFUSED when no address is permitted.
        """
        name = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        shown = name if _is_host(name.lower()) else "This host"
        try:
            async with asyncio.timeout(self._deadline):
                found = await self.resolve(name, port)
        except TimeoutError as error:
            raise _unknown(f"{shown} could not be looked up within {self._deadline:g} s.", retryable=True) from error
        except socket.gaierror as error:
            passing = error.errno == socket.EAI_AGAIN
            why = "could not be looked up: the name server did not answer." if passing else "is not a known host name."
            raise _unknown(f"{shown} {why}", retryable=passing) from error
        except (OSError, ValueError) as error:
            raise _unknown(f"{shown} could not be looked up.", retryable=False) from error
        permitted = [address for address in found if self.permits(ip_address(address))]
        if not permitted:
            raise EngineFailure(
                FailureKind.PAGE,
                "ADDRESS_REFUSED",
                f"{shown} leads to a private or reserved address, which may not be measured here.",
            )
        return permitted[:MAX_ADDRESSES]

    def permits(self, address: Address) -> bool:
        """Whether this address may be talked to."""
        return self._allow_private or is_public(address)

    async def resolve(self, host: str, port: int) -> list[str]:
        """Every address of a host as the system's resolver gives them, each once. Raises OSError."""
        loop = asyncio.get_running_loop()
        answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


def _unknown(message: str, *, retryable: bool) -> EngineFailure:
    return EngineFailure(FailureKind.PAGE, "DNS_FAILURE", message, retryable=retryable)
