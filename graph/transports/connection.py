"""What the transports read of a request or of a socket's handshake, without searching it again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope


class Connection:
    """Its headers by their names in lower case; what came several times is joined, as RFC 9110, 5.3, says."""

    __slots__ = ("headers", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        found: dict[str, str] = {}
        for raw, value in scope["headers"]:
            name, text = str(raw, "latin-1"), str(value, "latin-1")
            found[name] = f"{found[name]}, {text}" if name in found else text
        self.headers: Mapping[str, str] = found

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
