"""The doors at /auth: each asks that the page is one of ours, sets or forgets cookies, and never shows a token."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

import orjson
import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.doors.auth import page
from app.doors.auth.signing_in import SigningIn
from app.wiring import House
from domain import accounts, workspaces
from domain.access import NOBODY, Actor
from domain.accounts import Registration, SignedIn, Unreadable, Untrusted
from domain.caching import Bucket
from domain.errors import DatabaseAway, Refused
from domain.work import Origin
from graph import cookies
from graph.callers import Caller
from graph.cookies import Cookies
from graph.policy import Policy
from graph.transports.connection import Connection
from graph.transports.origins import is_ours
from infra.oidc import ProviderAway

log = structlog.get_logger()

NEVER_KEPT = {"Cache-Control": "no-store"}

MOST_COOKIES = 200
"""So many of one name are looked at: no browser keeps more of a site."""

PER_NETWORK = Bucket(30, 30 / 300)
"""Of each door of another issuer: what asks it costs a stranger nothing."""


def routes(house: House, named: Cookies, policy: Policy) -> APIRouter:
    router = APIRouter(prefix="/auth")

    @router.post("/refresh")
    async def refresh(request: Request) -> Response:
        """New cookies for the refresh token in the old one. 401: sign in again."""

        async def answer() -> Response:
            token = cookies.read(request.headers.get("cookie", ""), named.refresh)
            async with house.database.work(NOBODY, origin_of(request)) as work:
                found = await accounts.refresh(work, token, keyring=house.keyring) if token else None
            if found is None:
                return _answer({"error": "This session is over: sign in again."}, 401, named.signed_out())
            issued, set_cookies = await _signed_in(house, named, found)
            return _answer({"expiresAt": issued.expires_at.isoformat()}, 200, set_cookies)

        return await _asked_for(request, policy, answer)

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """The session is over, and the browser forgets it; also where there was none.

        So is that of each cookie by our names: which one is the browser's own, and which another's, does not show.
        """

        async def answer() -> Response:
            carried = request.headers.get("cookie", "")
            tokens = dict.fromkeys(each for each in cookies.every(carried, named.refresh)[:MOST_COOKIES] if each)
            sessions = await _sessions(house, cookies.every(carried, named.access)[:MOST_COOKIES])
            if tokens or sessions:
                async with house.database.work(NOBODY, origin_of(request)) as work:
                    for token in tokens:
                        await accounts.sign_out_by_token(work, token, keyring=house.keyring)
                    for session_id in await accounts.live_sessions(work.db, sessions, work.now):
                        work.actor = Actor(roles={}, user_id=sessions[session_id], session_id=session_id)
                        await accounts.sign_out(work)
            return _answer({}, 200, named.signed_out())

        return await _asked_for(request, policy, answer)

    if house.oidc is not None:
        router.include_router(_oidc(house, named, SigningIn(house.oidc, house.keyring, secure=named.is_secure)))
    return router


def _oidc(house: House, named: Cookies, signing_in: SigningIn) -> APIRouter:
    router = APIRouter(prefix="/oidc")

    @router.get("/start")
    async def start(request: Request, to: str = "/") -> Response:
        """Off to the issuer; `to` is where to go afterwards, a path of ours."""
        if (waits := await _waits(house, "start", request)) is not None:
            return waits
        try:
            return await signing_in.begin(to)
        except ProviderAway as away:
            log.warning("The OpenID issuer is away.", why=str(away))
            return page.refused("The sign-in service does not answer: try again in a moment.", 503)

    @router.get("/callback")
    async def callback(request: Request) -> Response:
        """Back from the issuer."""
        if (waits := await _waits(house, "callback", request)) is not None:
            return waits
        try:
            person, to = await signing_in.finish(request)
            registration = house.settings.registration
            invited = registration is Registration.INVITED and await workspaces.is_invited(
                house.database.reader, person, datetime.now(UTC)
            )
            async with house.database.work(NOBODY, origin_of(request)) as work:
                found = await accounts.sign_in_by_identity(
                    work, person, registration=registration, invited=invited, keyring=house.keyring
                )
            _, set_cookies = await _signed_in(house, named, found)
        except Untrusted as untrusted:
            log.warning("A sign-in by OpenID was refused.", why=str(untrusted))
            return signing_in.forget(page.refused("This sign-in did not go through: begin again.", 400))
        except Refused as refused:
            return signing_in.forget(page.refused(refused.message, 403))
        except (ProviderAway, DatabaseAway) as away:
            log.warning("A sign-in by OpenID could not be ended.", why=str(away))
            return signing_in.forget(page.refused("The sign-in service does not answer: try again in a moment.", 503))
        answer = page.onwards(to)
        for each in set_cookies:
            answer.headers.append("set-cookie", each)
        return signing_in.forget(answer)

    return router


async def _waits(house: House, door: str, request: Request) -> Response | None:
    """The answer to whose network came too often."""
    network = accounts.network(Connection(request.scope).address)
    spent = await house.cache.spend(f"oidc:{door}:{house.keyring.digest(network, 'limits')}", 1, PER_NETWORK)
    if spent.granted:
        return None
    answer = page.refused("Too many tried to sign in: wait for a while.", 429)
    answer.headers["retry-after"] = str(math.ceil(spent.retry_after))
    return answer


async def _signed_in(house: House, named: Cookies, found: SignedIn) -> tuple[accounts.Issued, list[str]]:
    issued = await house.signing.issue(found.user_id, found.session_id)
    now = datetime.now(UTC)
    return issued, named.signed_in(issued.text, issued.expires_at, found.refresh_token, found.refresh_expires_at, now)


async def _sessions(house: House, tokens: Iterable[str]) -> dict[UUID, UUID]:
    """Those of the access tokens that are good, each with its person."""
    found = {}
    for token in dict.fromkeys(tokens):
        with contextlib.suppress(Unreadable):
            access = await house.signing.read(token)
            found[access.session_id] = access.user_id
    return found


async def _asked_for(request: Request, policy: Policy, answer: Callable[[], Awaitable[Response]]) -> Response:
    """What it answers, where one of our own pages asks; cookies come with what other pages ask, too."""
    if not is_ours(Connection(request.scope), policy):
        return _answer({"error": "A page of another site asked for this."}, 403)
    try:
        return await answer()
    except DatabaseAway:
        return _answer({"error": "The database is away for a moment: try again."}, 503)


def origin_of(request: Request) -> Origin:
    connection = Connection(request.scope)
    return Caller(address=connection.address, agent=connection.headers.get("user-agent", "")).origin


def _answer(content: dict[str, str], status: int, set_cookies: list[str] | None = None) -> Response:
    answer = Response(orjson.dumps(content), status, NEVER_KEPT, media_type="application/json")
    for each in set_cookies or ():
        answer.headers.append("set-cookie", each)
    return answer
