"""Those who ask: each request is repeated with its idempotency key, anywhere, until it is answered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from .ledger import Kind, Ledger
from .plan import Plan
from .processes import Fleet
from .site import Site

PATIENCE_SECONDS = 6.0
AGAIN_SECONDS = 0.3
REPEATED = 0.05
"""So many are asked once more after they were answered, as a client does that lost the answer."""
TWICE = 0.03
"""So many are asked at two places at once."""
CANCELLED = 0.03
BURST = 0.02
BURST_SIZE = 25

REQUEST = """mutation ($input: AuditRequestInput!) { auditRequest(input: $input) {
  __typename ... on AuditRequestPayload { replayed audit { id } } ... on Problem { message code } } }"""
CANCEL = """mutation ($id: ID!) { auditCancel(input: {audit: $id}) {
  __typename ... on AuditCancelPayload { audit { id state } } ... on Problem { message code } } }"""
WORKSPACE = (
    "query ($slug: String!) { workspace(slug: $slug) { id eventCursor profiles { id engine } sites { nodes { id slug } } } }"
)


@dataclass(frozen=True, slots=True)
class Tenant:
    slug: str
    id: str
    key: str
    profile: str
    cursor: str


class NotAnswered(Exception):  # noqa: N818 - it is asked again
    """The API did not answer, or not with data."""


class Caller:
    """Asks whichever API process answers."""

    def __init__(self, fleet: Fleet, ledger: Ledger, random: Random) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._random = random
        self._http = httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS)

    async def close(self) -> None:
        await self._http.aclose()

    async def ask(self, key: str, query: str, **variables: Any) -> Any:
        """The data, however often it has to be asked for."""
        while True:
            try:
                return await self._once(key, query, variables)
            except NotAnswered:
                self._ledger.notes["requests repeated"] += 1
                await asyncio.sleep(AGAIN_SECONDS * self._random.uniform(0.5, 1.5))

    async def _once(self, key: str, query: str, variables: Mapping[str, Any]) -> Any:
        place = self._random.choice(self._fleet.apis)
        try:
            answer = await self._http.post(
                f"http://{place.base}/graphql",
                json={"query": query, "variables": variables},
                headers={"Authorization": f"Bearer {key}"},
            )
        except httpx.HTTPError as error:
            raise NotAnswered from error
        if answer.status_code != 200 or "errors" in (said := answer.json()):
            self._ledger.refused(f"{place.name} answered {answer.status_code}: {answer.text[:300]}")
            raise NotAnswered
        return said["data"]


class Clients:
    """Several at once, who share what there is to ask for."""

    def __init__(self, plan: Plan, caller: Caller, ledger: Ledger, site: Site, tenants: Sequence[Tenant]) -> None:
        self._plan = plan
        self._caller = caller
        self._ledger = ledger
        self._site = site
        self._random = Random(plan.seed + 1)
        self._weights = list(plan.workspaces.values())
        self._tenants = tenants
        self._left = plan.audits
        self._burst = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self._plan.clients):
                group.create_task(self._client())

    async def _client(self) -> None:
        mean = self._plan.requesting * self._plan.clients / self._plan.audits
        while self._left > 0:
            self._left -= 1
            if self._burst > 0:
                self._burst -= 1
            else:
                self._burst = BURST_SIZE if self._random.random() < BURST else 0
                await asyncio.sleep(self._random.expovariate(1 / mean))
            tenant = self._random.choices(self._tenants, self._weights)[0]
            await self._request(tenant, self._site.any(self._random))

    async def _request(self, tenant: Tenant, url: str) -> None:
        key = str(uuid.UUID(int=self._random.getrandbits(128)))
        wish = {"workspace": tenant.id, "target": {"url": url}, "profile": tenant.profile, "runs": 1, "idempotencyKey": key}
        times = 2 if self._random.random() < TWICE else 1
        answers = await asyncio.gather(*(self._caller.ask(tenant.key, REQUEST, input=wish) for _ in range(times)))
        if self._random.random() < REPEATED:
            answers.append(await self._caller.ask(tenant.key, REQUEST, input=wish))
        for said in (answer["auditRequest"] for answer in answers):
            if said["__typename"] != "AuditRequestPayload":
                self._ledger.fault(Kind.LOST, f"A request was refused: {said}")
                return
            self._ledger.accept(key, said["audit"]["id"])
        if self._random.random() < CANCELLED:
            await asyncio.sleep(self._random.expovariate(1.0))
            await self._cancel(tenant, self._ledger.accepted[key])

    async def _cancel(self, tenant: Tenant, audit: str) -> None:
        self._ledger.cancels.add(audit)
        said = (await self._caller.ask(tenant.key, CANCEL, id=audit))["auditCancel"]
        if said["__typename"] != "AuditCancelPayload" and said.get("code") != "STATE_CHANGED":
            self._ledger.fault(Kind.WRONG, f"An audit could not be cancelled: {said}")


async def tenant(caller: Caller, slug: str, key: str) -> Tenant:
    found = (await caller.ask(key, WORKSPACE, slug=slug))["workspace"]
    profile = next(each["id"] for each in found["profiles"] if each["engine"] == "PROBE")
    return Tenant(slug, found["id"], key, profile, found["eventCursor"])
