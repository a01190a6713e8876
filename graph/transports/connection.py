"""A request as the transports read it: Starlette's, with headers that are looked up and not searched."""

from __future__ import annotations

from collections.abc import Mapping

from starlette import requests


class Request(requests.Request):
    """Its headers by their names in lower case; what came several times is joined, as RFC 9110, 5.3, says."""

    @property
    def headers(self) -> Mapping[str, str]:  # type: ignore[override]  # all of it that is used here
        found: dict[str, str] | None = getattr(self, "_by_name", None)
        if found is None:
            found = {}
            for raw, value in self.scope["headers"]:
                name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
                found[name] = f"{found[name]}, {text}" if name in found else text
            self._by_name = found
        return found
