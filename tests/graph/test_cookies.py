"""What a browser that is signed in carries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from graph.cookies import Cookies


def test_cookies_are_for_this_host_alone_and_no_script_reads_them() -> None:
    until = datetime(2026, 5, 13, 12, 0, 0, tzinfo=UTC)
    now, later = until - timedelta(minutes=10), until + timedelta(days=30)
    assert Cookies(secure=True).signed_in("a.b.c", until, "pmr_x", later, now) == [
        "__Host-pacemark-access=a.b.c; HttpOnly; Max-Age=600; Path=/; SameSite=Lax; Secure",
        "__Secure-pacemark-refresh=pmr_x; HttpOnly; Max-Age=2592600; Path=/auth; SameSite=Strict; Secure",
    ]
    assert Cookies(secure=False).signed_out() == [
        "pacemark-access=; HttpOnly; Max-Age=0; Path=/; SameSite=Lax",
        "pacemark-refresh=; HttpOnly; Max-Age=0; Path=/auth; SameSite=Strict",
    ]
