"""Asking for audits, and stopping them."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain import audits
from domain.access import Permission
from domain.errors import InvalidInput as Invalid
from domain.errors import ProblemCode
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from .types import Audit


@strawberry.input(one_of=True, description="What to audit: a page that is known, or an address.")
class AuditTarget:
    page: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="A page's id.")
    url: str | None = strawberry.field(
        default=strawberry.UNSET, description="An address; its site and page are found, or made where they are new."
    )


@strawberry.input(description="An audit to make.")
class AuditRequestInput:
    workspace: strawberry.ID | None = strawberry.field(
        default=None, description="Whose audit it is; may be left out by those who are in one workspace only."
    )
    target: AuditTarget = strawberry.field(description="What to audit.")
    profile: strawberry.ID | None = strawberry.field(default=None, description="How; else as the site's default profile says.")
    environment: str | None = strawberry.field(default=None, description="Where the page stands; else `production`.")
    base_url: str | None = strawberry.field(
        default=None, description="The origin to measure instead of the site's own, such as a preview's."
    )
    runs: int | None = strawberry.field(default=None, description="How many runs, 1 to 20; else as the profile says.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="The same key with the same input gives the same audit for 24 hours."
    )


@strawberry.type(description="The audit was asked for.")
class AuditRequestPayload:
    audit: Audit = strawberry.field(description="The audit, waiting.")
    replayed: bool = strawberry.field(description="Whether it is what the same idempotency key asked for before.")


AuditRequestResult = Annotated[
    AuditRequestPayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("AuditRequestResult", description="What becomes of `auditRequest`."),
]


@strawberry.input(description="An audit to stop.")
class AuditCancelInput:
    audit: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The audit was stopped.")
class AuditCancelPayload:
    audit: Audit = strawberry.field(description="The audit, cancelled.")


AuditCancelResult = Annotated[
    AuditCancelPayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("AuditCancelResult", description="What becomes of `auditCancel`."),
]


@strawberry.type
class Mutation:
    @mutation("Measure a page now.", Permission.AUDIT_REQUEST)
    async def audit_request(self, info: Info, input: AuditRequestInput) -> AuditRequestResult:
        page, url = input.target.page or None, input.target.url or None
        if page is None and url is None:
            raise Invalid.at("target", "Give a page's id or an address.", ProblemCode.REQUIRED)
        async with info.context.work() as work:
            promised = await audits.request(
                work,
                workspace_id=decode(Kind.WORKSPACE, input.workspace, "workspace") if input.workspace else None,
                page_id=decode(Kind.PAGE, page, "target.page") if page else None,
                url=url,
                profile_id=decode(Kind.PROFILE, input.profile, "profile") if input.profile else None,
                environment=input.environment,
                base_url=input.base_url,
                runs=input.runs,
                idempotency_key=input.idempotency_key,
            )
        audit = await made(info, Kind.AUDIT, promised.id)
        return AuditRequestPayload(audit=audit, replayed=promised.replayed)

    @mutation("Stop an audit, waiting or running.", Permission.AUDIT_CANCEL)
    async def audit_cancel(self, info: Info, input: AuditCancelInput) -> AuditCancelResult:
        async with info.context.work() as work:
            id = await audits.cancel(work, audit_id=decode(Kind.AUDIT, input.audit, "audit"))
        return AuditCancelPayload(audit=await made(info, Kind.AUDIT, id))
