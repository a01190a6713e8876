"""The types, and what is asked first."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, NewType, TypeVar
from uuid import UUID

import strawberry
from graphql import GraphQLError
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from .loaders import Context
from .models import AuditModel, PageModel, SiteModel, State, WorkspaceModel

MALFORMED = "This is not an id; the one of a thing of this kind looks like {kind}_018f…, with 32 hex digits."
WRONG_KIND = "This id is of the kind {found}; here one of the kind {kind} is needed."

Info = strawberry.Info[Context, None]
Url = NewType("Url", str)
Cursor = NewType("Cursor", str)
T = TypeVar("T")


def encode_id(kind: str, id: UUID) -> strawberry.ID:
    return strawberry.ID(f"{kind}_{id.hex}")


def decode_id(kind: str, id: str) -> UUID:
    match = re.fullmatch(r"([a-z]+)_([0-9a-f]{32})", id)
    if match is None:
        raise GraphQLError(MALFORMED.format(kind=kind))
    if match[1] != kind:
        raise GraphQLError(WRONG_KIND.format(kind=kind, found=match[1]))
    return UUID(match[2])


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: Cursor | None


@strawberry.type
class Connection(Generic[T]):
    nodes: list[T]
    page_info: PageInfo


def connect(make: Callable[[Any], T], models: Sequence[Any], first: int, name: str, parent: UUID, *keys: str) -> Connection[T]:
    """The first of these models as nodes, with the place of the last in its list."""
    shown, end = models[:first], None
    if shown:
        last = [getattr(shown[-1], key) for key in keys]
        parts = [name, parent.hex, *(value.hex if isinstance(value, UUID) else value for value in last)]
        end = Cursor(base64.urlsafe_b64encode("\x1f".join(parts).encode()).decode().rstrip("="))
    nodes = [make(model) for model in shown]
    return Connection(nodes=nodes, page_info=PageInfo(has_next_page=len(models) > first, end_cursor=end))


@strawberry.type
class AuditMetrics:
    performance_score: float | None
    lcp_ms: float | None
    fcp_ms: float | None
    tbt_ms: float | None
    cls: float | None


@strawberry.type
class Audit:
    id: strawberry.ID
    state: strawberry.enum(State, name="AuditState")  # type: ignore[valid-type]
    requested_at: datetime
    finished_at: datetime | None
    metrics: AuditMetrics

    @classmethod
    def from_model(cls, model: AuditModel) -> Audit:
        return cls(
            id=encode_id("audit", model.id),
            state=model.state,
            requested_at=model.requested_at,
            finished_at=model.finished_at,
            metrics=AuditMetrics(
                performance_score=model.performance_score,
                lcp_ms=model.lcp_ms,
                fcp_ms=model.fcp_ms,
                tbt_ms=model.tbt_ms,
                cls=model.cls,
            ),
        )


@strawberry.type
class Page:
    key: strawberry.Private[UUID]
    id: strawberry.ID
    name: str
    path: str
    url: Url

    @classmethod
    def from_model(cls, model: PageModel) -> Page:
        url = Url(model.site.origin + model.path)
        return cls(key=model.id, id=encode_id("page", model.id), name=model.name, path=model.path, url=url)

    @strawberry.field
    async def latest_audit(self, info: Info) -> Audit | None:
        model = await info.context.latest_audit.load(self.key)
        return Audit.from_model(model) if model else None

    @strawberry.field
    async def audits(self, info: Info, first: int = 20) -> Connection[Audit]:
        models = await info.context.audits.load((self.key, first))
        return connect(Audit.from_model, models, first, "audits", self.key, "id")


@strawberry.type
class Site:
    key: strawberry.Private[UUID]
    id: strawberry.ID
    name: str
    origin: Url

    @classmethod
    def from_model(cls, model: SiteModel) -> Site:
        return cls(key=model.id, id=encode_id("site", model.id), name=model.name, origin=Url(model.origin))

    @strawberry.field
    async def pages(self, info: Info, first: int = 20) -> Connection[Page]:
        models = await info.context.pages.load((self.key, first))
        return connect(Page.from_model, models, first, "pages", self.key, "path", "id")


@strawberry.type
class Workspace:
    key: strawberry.Private[UUID]
    id: strawberry.ID
    name: str

    @classmethod
    def from_model(cls, model: WorkspaceModel) -> Workspace:
        return cls(key=model.id, id=encode_id("workspace", model.id), name=model.name)

    @strawberry.field
    async def sites(self, info: Info, first: int = 20) -> Connection[Site]:
        models = await info.context.sites.load((self.key, first))
        return connect(Site.from_model, models, first, "sites", self.key, "name", "id")

    @strawberry.field
    async def pages(self, info: Info, first: int = 20) -> Connection[Page]:
        models = await info.context.workspace_pages.load((self.key, first))
        return connect(Page.from_model, models, first, "workspacePages", self.key, "name", "id")


@strawberry.type
class Query:
    @strawberry.field
    async def workspace(self, info: Info, slug: str) -> Workspace | None:
        model = await info.context.first(select(WorkspaceModel).where(WorkspaceModel.slug == slug))
        return Workspace.from_model(model) if model else None

    @strawberry.field
    async def site(self, info: Info, id: strawberry.ID) -> Site | None:
        model = await info.context.first(select(SiteModel).where(SiteModel.id == decode_id("site", id)))
        return Site.from_model(model) if model else None

    @strawberry.field
    async def page(self, info: Info, id: strawberry.ID) -> Page | None:
        statement = select(PageModel).where(PageModel.id == decode_id("page", id))
        model = await info.context.first(statement.options(joinedload(PageModel.site)))
        return Page.from_model(model) if model else None


def written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Schema(strawberry.Schema):
    """Refusals are answers, and no news for the log."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        unexpected = [error for error in errors if error.original_error and not isinstance(error.original_error, GraphQLError)]
        super().process_errors(unexpected, execution_context)


schema = Schema(
    Query,
    config=StrawberryConfig(
        scalar_map={
            datetime: strawberry.scalar(name="DateTime", serialize=written, parse_value=datetime.fromisoformat),
            Url: strawberry.scalar(name="URL", serialize=str, parse_value=str),
            Cursor: strawberry.scalar(name="Cursor", serialize=str, parse_value=str),
        }
    ),
)
