"""Which pages are ours where no address is set: those of the host and the scheme by which each request came."""

from __future__ import annotations

from typing import Any

import pytest

from graph.policy import Policy
from graph.transports.connection import Connection
from graph.transports.origins import is_ours


@pytest.mark.parametrize(
    ("scheme", "origin", "ours"),
    [
        ("https", "https://pacemark.test", True),
        ("wss", "https://pacemark.test", True),
        ("https", "http://pacemark.test", False),
        ("wss", "http://pacemark.test", False),
        ("http", "http://pacemark.test", True),
        ("ws", "http://pacemark.test", True),
        ("ws", "https://pacemark.test", False),
        ("ws", "ws://pacemark.test", False),
        (None, "http://pacemark.test", True),
        (None, "https://pacemark.test", True),
        (None, "ftp://pacemark.test", False),
    ],
)
def test_where_it_is_not_the_scheme_of_the_connection_counts(scheme: str | None, origin: str, ours: bool) -> None:
    scope: dict[str, Any] = {"headers": [(b"host", b"Pacemark.test"), (b"origin", origin.encode())]}
    if scheme is not None:
        scope["scheme"] = scheme
    assert is_ours(Connection(scope), Policy()) is ours
