"""Where Relay's compiler registers documents one by one, as `persistConfig.url` says (https://relay.dev)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.doors.bearer import key_holder
from app.wiring import House
from domain import documents
from domain.access import Actor, Permission
from domain.base import UNSTORABLE
from domain.errors import DatabaseAway, NotAllowed, Refused
from graph.documents import check
from graph.operations import documents_of
from graph.schema import schema

MAX_BODY = 512 * 1024
"""A document's most, each byte of it as three characters, and room for the other fields."""

FORM = "application/x-www-form-urlencoded"
UNTOLD = "relay"
"""The version of a compiler that says none."""


class _Unfit(Exception):  # noqa: N818 - it is the compiler's
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Form(NamedTuple):
    text: str
    client: str | None
    version: str


def routes(house: House) -> APIRouter:
    """A text goes in, `{"id": "sha256:…"}` comes out; what is refused is said as the compiler shows it."""
    router = APIRouter()

    @router.post("/graphql/persist")
    async def persist(request: Request) -> Response:
        try:
            actor = await _actor(house, request.headers.get("authorization", ""))
            form = _form(request.headers.get("content-type"), await _body(request))
            return _answer({"id": await _register(house, actor, form)})
        except _Unfit as unfit:
            return _answer({"error": {"message": str(unfit)}}, unfit.status)
        except NotAllowed as refused:
            return _answer({"error": {"message": refused.message}}, 403)
        except Refused as refused:
            return _answer({"error": {"message": refused.message}}, 422)
        except ClientDisconnect:
            return Response(status_code=400)  # to nobody
        except DatabaseAway:
            return _answer({"error": {"message": "The database is away for a moment: try again."}}, 503)

    return router


async def _register(house: House, actor: Actor, form: _Form) -> str:
    """The document's id. Raises Refused and _Unfit."""
    (workspace_id,) = actor.roles  # a key is of one
    actor.require(Permission.DOCUMENT_WRITE, workspace_id)
    client_id = actor.client_id
    if form.client is not None:
        found = await documents.client_by_name(house.database.reader, actor.reach, workspace_id, form.client)
        if found is None:
            raise _Unfit(404, "This workspace has no client of the name that `client` gives.")
        client_id = found.id
    id = f"sha256:{documents.hash_of(form.text)}"
    checked = check(documents_of(schema._schema), id, form.text)
    async with house.database.work(actor) as work:
        pushed = await documents.push(
            work, workspace_id=workspace_id, client_id=client_id, version=form.version, documents=[checked]
        )
    for _, reason in pushed.refused:
        raise _Unfit(422, reason)
    return id


async def _actor(house: House, authorization: str) -> Actor:
    actor = await key_holder(house, authorization)
    if actor is None:
        raise _Unfit(401, 'A good API key is needed: persistConfig.headers = {"Authorization": "Bearer pmk_…"}')
    return actor


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise _Unfit(413, f"The form is too large: at most {MAX_BODY:,} bytes.")
        parts.append(part)
    return b"".join(parts)


def _form(content_type: str | None, body: bytes) -> _Form:
    if (content_type or "").partition(";")[0].strip().lower() != FORM:
        raise _Unfit(415, f"The body must be a form with the document as `text`: Content-Type: {FORM}")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=20)
    except ValueError:  # of bytes that are no UTF-8, and of too many fields
        raise _Unfit(400, "The body is no form in UTF-8.") from None
    given = dict(pairs)
    if len(given) < len(pairs) or any(UNSTORABLE.search(value) for value in given.values()):
        raise _Unfit(400, "Each field is given once, and holds no U+0000.")
    if not given.get("text"):
        raise _Unfit(400, "There is no document: send one as `text`.")
    return _Form(given["text"], given.get("client"), given.get("version", UNTOLD))


def _answer(content: Mapping[str, object], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(content), status, headers, media_type="application/json")
