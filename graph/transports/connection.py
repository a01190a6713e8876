"""What the transports read of a request or of a socket's handshake, without searching it again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope


class Headers:
    """By their names in lower case; what came several times is joined, as RFC 9110, 5.3, says. Few are ever looked at."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        found = dict(raw)
        self._raw = found if len(found) == len(raw) else _joined(raw)

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        value = self._raw.get(name.encode())
        return default if value is None else value.decode("latin-1")

    def __contains__(self, name: str) -> bool:
        return name.encode() in self._raw


def _joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in raw:
        found[name] = found[name] + b", " + value if name in found else value
    return found


class Connection:
    __slots__ = ("headers", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.headers = Headers(scope["headers"])

    @property
    def address(self) -> str:
        client = self.scope.get("client")
        return client[0] if client else "unknown"


class Request(Connection):
    """One that is answered; its body comes by `receive`."""

    __slots__ = ("method", "receive")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope)
        self.method: str = scope["method"]
        self.receive = receive

    @property
    def query_params(self) -> QueryParams:
        return QueryParams(self.scope["query_string"])

    @property
    def path_params(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.scope.get("path_params", {})
        return found
