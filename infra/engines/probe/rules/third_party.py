"""Rules of third parties: what the page hangs on that its owner does not run."""

from __future__ import annotations

from domain.measuring import Severity

from ..observation import Observation, host_of
from .rule import Hit, hit_each, note, rule, size

THIRD_PARTY = "third-party"
MANY_HOSTS = 5
HEAVY_BYTES = 500_000


def _hosts(seen: Observation) -> dict[str, tuple[int, int]]:
    """Requests and transferred bytes by third-party host."""
    hosts: dict[str, tuple[int, int]] = {}
    for exchange in (exchange for one in seen.resources for exchange in one.exchanges):
        if seen.is_third_party(exchange.url):
            host = host_of(exchange.url)
            requests, transferred = hosts.get(host, (0, 0))
            hosts[host] = requests + 1, transferred + exchange.transfer_bytes
    return hosts


@rule(
    "third-party-many",
    THIRD_PARTY,
    Severity.LOW,
    "The page asks many other hosts.",
    "Serve what you can from your own host: each other one costs a lookup, a connection and a handshake.",
    "https://web.dev/articles/optimizing-content-efficiency-loading-third-party-javascript",
)
def third_party_many(seen: Observation) -> Hit | None:
    hosts = sorted(_hosts(seen).items(), key=lambda item: -item[1][0])
    return hit_each((note(host, f"{requests} requests") for host, (requests, _) in hosts), at_least=MANY_HOSTS)


@rule(
    "third-party-heavy",
    THIRD_PARTY,
    Severity.LOW,
    "Other hosts make up much of the page's weight.",
    "Load them when they are needed, or do without.",
    "https://web.dev/articles/optimizing-content-efficiency-loading-third-party-javascript",
)
def third_party_heavy(seen: Observation) -> Hit | None:
    hosts = sorted(_hosts(seen).items(), key=lambda item: -item[1][1])
    total = sum(transferred for _, (_, transferred) in hosts)
    if total <= HEAVY_BYTES:
        return None
    return Hit(tuple(note(host, size(transferred)) for host, (_, transferred) in hosts), saving_bytes=total)


@rule(
    "third-party-blocking",
    THIRD_PARTY,
    Severity.HIGH,
    "The page stays blank while another host does not answer.",
    "Load scripts of other hosts with `async` or `defer`, and keep copies of their stylesheets on your own.",
    "https://web.dev/articles/optimizing-content-efficiency-loading-third-party-javascript",
)
def third_party_blocking(seen: Observation) -> Hit | None:
    if seen.page is None:
        return None
    blocking = (*seen.page.blocking_scripts, *seen.page.blocking_stylesheets)
    return hit_each(note(url) for url in blocking if seen.is_third_party(url))


RULES = (third_party_many, third_party_heavy, third_party_blocking)
