"""A Pacemark somewhere else, asked over GraphQL on behalf of a command."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from app.auditing.plain import plain
from app.errors import Unusable

KEY = "PACEMARK_KEY"
TIMEOUT = httpx.Timeout(60, connect=10)
_HEADER = re.compile(r"[!-~]+\Z")


class Remote:
    """`ask` gives an operation's data. Whatever stands in the way of that is a sentence, which never has the key in it."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self._shown = f"'{plain(url)}'"

    async def ask(self, text: str, **variables: Any) -> Mapping[str, Any]:
        """Raises Unusable."""
        try:
            content = orjson.dumps({"query": text, "variables": variables})
            answer = await self._client.post(self._url, content=content)
        except httpx.TimeoutException:
            raise Unusable(f"{self._shown} does not answer in time.") from None
        except httpx.HTTPError as error:
            raise Unusable(f"{self._shown} cannot be reached: {_why(error)}.") from None
        return self._data(answer)

    def _data(self, answer: httpx.Response) -> Mapping[str, Any]:
        if answer.status_code == 401:
            raise Unusable(f"The key in {KEY} opens nothing at {self._shown}: it is not one of that server's, or no longer.")
        if answer.is_redirect:
            where = plain(answer.headers.get("Location", "nowhere"))
            raise Unusable(f"{self._shown} leads on to '{where}', where no key is sent. If that is right, name it yourself.")
        if answer.status_code in (404, 405):
            raise Unusable(f"There is no GraphQL at {self._shown}: its address ends in /graphql.")
        said = _json(answer)
        if not isinstance(said, dict) or not {"data", "errors"} & set(said):
            type = plain(answer.headers.get("Content-Type", "nothing"))
            raise Unusable(f"{self._shown} does not speak GraphQL: its answer is {type}, status {answer.status_code}.")
        if said.get("errors"):
            raise Unusable(f"{self._shown} refuses: {_first(said['errors'])}")
        data = said["data"]
        if not isinstance(data, dict):
            raise Unusable(f"{self._shown} answers with no data.")
        return data


@asynccontextmanager
async def opened(
    url: str, key: str | None, *, option: str = "--url", through_proxies: bool = True
) -> AsyncGenerator[Remote, None]:
    """Raises Unusable for an address or a key that cannot be one. `option`: how the address was given."""
    headers = {
        "Authorization": f"Bearer {_checked_key(key)}",
        "Content-Type": "application/json",
        "Accept": "application/graphql-response+json, application/json",
    }
    async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT, trust_env=through_proxies) as client:
        yield Remote(client, _checked_url(url, option))


def _checked_url(url: str, option: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        good = False
    if not good:
        raise Unusable(f"{option} is the address of GraphQL, such as https://pacemark.example.com/graphql")
    if "@" in parts.netloc:
        raise Unusable(f"{option} holds no names and no passwords: the key is read from {KEY}.")
    return url


def _checked_key(key: str | None) -> str:
    key = (key or "").strip()
    if not key:
        raise Unusable(f"Set {KEY} to an API key of that server: pacemark keys create NAME --role admin")
    if not _HEADER.match(key):
        raise Unusable(f"{KEY} holds no API key: one looks like pmk_… and has no spaces.")
    return key


def _why(error: BaseException) -> str:
    """What lies under it; in the words of who checked, where it is about the certificate."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS as we do"
        cause = cause.__cause__ or cause.__context__
    return plain(str(error)).rstrip(".") or type(error).__name__


def _json(answer: httpx.Response) -> Any:
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return None


def _first(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) else None
    message = first.get("message") if isinstance(first, dict) else None
    return plain(message, 500) if isinstance(message, str) else "it does not say why."
