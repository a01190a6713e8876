"""`/export/series.csv` and `/export/series.json`: a page's history as a file, for whoever may ask over GraphQL."""

from __future__ import annotations

import asyncio

import orjson
from fastapi import APIRouter, Request
from graphql import GraphQLError
from starlette.responses import Response

from app import exporting
from app.exporting import Format
from domain import audits, documents
from domain.access import SIGN_IN, Actor
from domain.documents import ClientMode
from domain.errors import InvalidInput, NotAllowed, NotFound, Refused
from domain.ports import Reader
from graph.codes import Code
from graph.context import Services
from graph.costs import HISTORY
from graph.errors import shown
from graph.execution.deadlines import Deadlines
from graph.operations import Rejected, rejection
from graph.operations.budgets import AUDITS_PER_COST, Budgets
from graph.transports.callers import caller_of
from graph.transports.connection import Connection

_TYPES = {Format.CSV: "text/csv; charset=utf-8; header=present", Format.JSON: "application/json"}
_KEPT_TO_DOCUMENTS = (ClientMode.SAFELIST, ClientMode.REGISTERED_ONLY)


def routes(services: Services) -> APIRouter:
    """Asked with the arguments of `Page.timeSeries`, and `page` or `url`."""
    router = APIRouter()
    budgets = Budgets(services.cache, services.policy)
    deadlines = Deadlines(services.policy.deadline_seconds)

    async def answer(request: Request, format: Format) -> Response:
        try:
            with deadlines.one():
                return await _export(services, budgets, request, format)
        except TimeoutError:
            refused = Rejected.of("The export took too long and was stopped. Take less time.", Code.TIMEOUT, 503)
        except Exception as error:
            refused = _refusal(error) if isinstance(error, Refused) else rejection(error)
        body = orjson.dumps(refused.body, default=str)
        return Response(body, refused.status, {**refused.headers, "Cache-Control": "no-store"}, "application/json")

    @router.get("/export/series.csv")
    async def as_csv(request: Request) -> Response:
        return await answer(request, Format.CSV)

    @router.get("/export/series.json")
    async def as_json(request: Request) -> Response:
        return await answer(request, Format.JSON)

    return router


async def _export(services: Services, budgets: Budgets, request: Request, format: Format) -> Response:
    """Raises Refused, Rejected, DatabaseAway."""
    reader = services.database.reader
    caller = await caller_of(services, Connection(request.scope))
    if not caller.actor.is_somebody:
        raise Rejected.of(SIGN_IN, Code.UNAUTHENTICATED, 401, {"WWW-Authenticate": "Bearer"})
    await _require_free(reader, caller.actor)
    wanted = exporting.Wanted.of({name: request.query_params.getlist(name) for name in request.query_params})
    with budgets.running(caller):
        ration = audits.Ration()
        charge = await budgets.spend(caller, float(HISTORY.weight) + audits.ASSUMED * len(wanted.metrics))
        export = await exporting.gather(reader, caller.actor.reach, wanted, ration)
        body = await asyncio.to_thread(export.body, format)
        await budgets.settle(charge, min(charge.requested, ration.given + ration.looked_at // AUDITS_PER_COST))
    headers = {"Content-Disposition": f'attachment; filename="{export.name}.{format}"', "Cache-Control": "no-store"}
    return Response(body, 200, {**charge.headers, **headers}, _TYPES[format])


async def _require_free(reader: Reader, actor: Actor) -> None:
    """Whoever may send registered documents alone gets nothing else by another door. Raises Rejected."""
    if actor.client_id is None:
        return
    found = (await documents.clients_by_ids(reader, actor.reach, [actor.client_id])).get(actor.client_id)
    if found is None or found.mode in _KEPT_TO_DOCUMENTS:
        raise Rejected.of("This client may send registered documents alone.", Code.PERSISTED_QUERY_ID_REQUIRED, 403)


def _refusal(refused: Refused) -> Rejected:
    status = 404 if isinstance(refused, NotFound) else 403 if isinstance(refused, NotAllowed) else 422
    if isinstance(refused, InvalidInput):
        status = 400
    return Rejected([shown(GraphQLError(refused.message, original_error=refused))], status)
