"""The same questions as `asking` puts, over HTTP: by somebody who is really signed in."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from tests.graph.asking import Asking
from tests.graph.credentials import Installation
from tests.graph.transports.serving import events, serving


@dataclass
class Visiting(Asking):
    """`token` is the access token of whoever asks; what `actor` says plays no part."""

    http: httpx.AsyncClient
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def whole(self, text: str, **variables: Any) -> Mapping[str, Any]:
        answer = await self.http.post("/graphql", json={"query": text, "variables": variables}, headers=self.headers)
        said: dict[str, Any] = answer.json()
        said.pop("extensions", None)
        return said

    async def events(self, text: str, **variables: Any) -> AsyncGenerator[Any, None]:
        headers = {**self.headers, "Accept": "text/event-stream"}
        asked = {"query": text, "variables": variables}
        async with self.http.stream("POST", "/graphql", json=asked, headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            async for name, data in events(response):
                if name == "next":
                    said = json.loads(data)
                    said.pop("extensions", None)
                    yield said


@asynccontextmanager
async def visiting(asking: Asking, user_id: UUID) -> AsyncGenerator[Visiting, None]:
    """As this person, who has just signed in; `asking` is the owner's."""
    async with serving(asking) as served:
        given = {name: getattr(asking, name) for name in Asking.__dataclass_fields__}
        yield Visiting(**given, http=served.http, token=await sign_in(asking, user_id))


async def sign_in(asking: Asking, user_id: UUID) -> str:
    """Their new access token."""
    services = asking.services
    there = Installation(asking.database, services.keyring, services.signing, asking.workspace_id, asking.actor)
    return await there.token(user_id)
