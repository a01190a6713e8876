"""What a browser that is signed in carries: cookies that no script can read, and that no other site's page can send."""

from __future__ import annotations

from datetime import datetime, timedelta
from http.cookies import Morsel

ACCESS = "pacemark-access"
REFRESH = "pacemark-refresh"
REFRESH_PATH = "/auth"


class Cookies:
    """Those of one installation. `secure`: it is reached by https, so that they have the prefixes that browsers enforce."""

    def __init__(self, *, secure: bool) -> None:
        self.is_secure = secure
        # __Host- asks for Path=/, which the one that opens nothing but /auth does not have.
        self.access = f"__Host-{ACCESS}" if secure else ACCESS
        self.refresh = f"__Secure-{REFRESH}" if secure else REFRESH

    def signed_in(self, access: str, access_until: datetime, refresh: str, refresh_until: datetime, now: datetime) -> list[str]:
        """Values of Set-Cookie."""
        return [
            self._written(self.access, access, access_until - now, "/", "Lax"),
            self._written(self.refresh, refresh, refresh_until - now, REFRESH_PATH, "Strict"),
        ]

    def signed_out(self) -> list[str]:
        """Values of Set-Cookie that make the browser forget."""
        return [
            self._written(self.access, "", timedelta(), "/", "Lax"),
            self._written(self.refresh, "", timedelta(), REFRESH_PATH, "Strict"),
        ]

    def _written(self, name: str, value: str, lasts: timedelta, path: str, same_site: str) -> str:
        """With an age, not a time: the browser's clock may be wrong."""
        morsel: Morsel[str] = Morsel()
        morsel.set(name, value, value)
        morsel["path"], morsel["httponly"], morsel["samesite"] = path, True, same_site
        if self.is_secure:
            morsel["secure"] = True
        morsel["max-age"] = max(0, int(lasts.total_seconds()))
        return morsel.OutputString()


def read(header: str, name: str) -> str | None:
    """The cookie's value in a Cookie header. None where it is not there, or there more than once."""
    found = every(header, name)
    return found[0] if len(found) == 1 else None


def every(header: str, name: str) -> list[str]:
    """All that the header has by that name: pages of other names of the domain can add to what is ours."""
    return [part.partition("=")[2].strip() for part in header.split(";") if part.partition("=")[0].strip() == name]
