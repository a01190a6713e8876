"""Telling of deploys, and writing annotations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import marks
from domain.access import Permission
from domain.ids import Kind, decode

from ..context import Info
from ..errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, mutation
from ..node import made
from ..sites.mutation import KEY, REPLAYED
from ..snapshots.mutation import CommitInput, ids_of
from .types import Annotation, Deploy


@strawberry.input(description="How a deploy is to be measured: a snapshot of the site, as `snapshotRequest` makes it.")
class DeploySnapshotInput:
    pages: list[strawberry.ID] | None = strawberry.field(default=None, description="Which pages; else all.")
    profiles: list[strawberry.ID] | None = strawberry.field(
        default=None, description="How each is measured; else with each of the site's profiles."
    )
    base_url: str | None = strawberry.field(default=None, description="The origin to measure instead of the site's own.")
    runs: int | None = strawberry.field(default=None, description="How many runs, 1 to 20; else as each profile says.")

    def read(self) -> marks.Measured:
        return marks.Measured(
            ids_of(Kind.PAGE, self.pages, "snapshot.pages"),
            ids_of(Kind.PROFILE, self.profiles, "snapshot.profiles"),
            self.base_url,
            self.runs,
        )


@strawberry.input(description="Another version of a site.")
class DeployRecordInput:
    site: strawberry.ID = strawberry.field(description="The site.")
    version: str = strawberry.field(description="What it is called, such as v1.4.2; at most 200 characters.")
    environment: str | None = strawberry.field(default=None, description="Where it went live; else `production`.")
    commit: CommitInput | None = strawberry.field(default=None, description="What Git knows of the code.")
    url: str | None = strawberry.field(default=None, description="Where it can be looked at: the release, the build.")
    at: datetime | None = strawberry.field(default=None, description="When it went live; else now.")
    snapshot: DeploySnapshotInput | None = strawberry.field(
        default=None, description="Measure it, that way; `{}` for all pages under all profiles. Left out, it is not measured."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The deploy is known.")
class DeployRecordPayload:
    deploy: Deploy = strawberry.field(description="The deploy.")
    replayed: bool = strawberry.field(description=REPLAYED)


DeployRecordResult = Annotated[
    DeployRecordPayload | InvalidInput | NotFound | NotAllowed | Conflict | LimitReached,
    strawberry.union("DeployRecordResult", description="What becomes of `deployRecord`."),
]


@strawberry.input(description="Something to be written to a time of a site.")
class AnnotationCreateInput:
    site: strawberry.ID = strawberry.field(description="The site.")
    page: strawberry.ID | None = strawberry.field(default=None, description="The page that it is about; else the whole site.")
    text: str = strawberry.field(
        description="What to write; at most 1,000 characters. Reports of the page, or of all pages of the site, show it to "
        "whoever has their link."
    )
    at: datetime | None = strawberry.field(default=None, description="The time that it is about; else now.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The annotation was written.")
class AnnotationCreatePayload:
    annotation: Annotation = strawberry.field(description="The annotation.")
    replayed: bool = strawberry.field(description=REPLAYED)


AnnotationCreateResult = Annotated[
    AnnotationCreatePayload | InvalidInput | NotFound | NotAllowed | Conflict,
    strawberry.union("AnnotationCreateResult", description="What becomes of `annotationCreate`."),
]


@strawberry.input(description="What to change of an annotation; what is left out stays.")
class AnnotationUpdateInput:
    annotation: strawberry.ID = strawberry.field(description="Its id.")
    text: str | None = strawberry.field(default=None, description="What it says from now on.")
    at: datetime | None = strawberry.field(default=None, description="The time that it is about from now on.")


@strawberry.type(description="The annotation was changed.")
class AnnotationUpdatePayload:
    annotation: Annotation = strawberry.field(description="The annotation as it is now.")


AnnotationUpdateResult = Annotated[
    AnnotationUpdatePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("AnnotationUpdateResult", description="What becomes of `annotationUpdate`."),
]


@strawberry.input(description="An annotation to delete.")
class AnnotationDeleteInput:
    annotation: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="The annotation is gone.")
class AnnotationDeletePayload:
    annotation_id: strawberry.ID = strawberry.field(description="The id that it had.")


AnnotationDeleteResult = Annotated[
    AnnotationDeletePayload | InvalidInput | NotFound | NotAllowed,
    strawberry.union("AnnotationDeleteResult", description="What becomes of `annotationDelete`."),
]


@strawberry.type
class Mutation:
    @mutation("Tell that another version of a site went live, and have it measured.", Permission.MARK_WRITE)
    async def deploy_record(self, info: Info, input: DeployRecordInput) -> DeployRecordResult:
        async with info.context.work() as work:
            promised = await marks.record(
                work,
                site_id=decode(Kind.SITE, input.site, "site"),
                version=input.version,
                environment=input.environment,
                commit=input.commit.read() if input.commit is not None else None,
                url=input.url,
                at=input.at,
                measured=input.snapshot.read() if input.snapshot is not None else None,
                idempotency_key=input.idempotency_key,
            )
        deploy = await made(info, Kind.DEPLOY, promised.id)
        return DeployRecordPayload(deploy=deploy, replayed=promised.replayed)

    @mutation("Write something to a time of a site, or of one of its pages.", Permission.MARK_WRITE)
    async def annotation_create(self, info: Info, input: AnnotationCreateInput) -> AnnotationCreateResult:
        async with info.context.work() as work:
            promised = await marks.annotate(
                work,
                site_id=decode(Kind.SITE, input.site, "site"),
                page_id=decode(Kind.PAGE, input.page, "page") if input.page is not None else None,
                text=input.text,
                at=input.at,
                idempotency_key=input.idempotency_key,
            )
        annotation = await made(info, Kind.ANNOTATION, promised.id)
        return AnnotationCreatePayload(annotation=annotation, replayed=promised.replayed)

    @mutation("Change an annotation.", Permission.MARK_WRITE)
    async def annotation_update(self, info: Info, input: AnnotationUpdateInput) -> AnnotationUpdateResult:
        given: dict[str, Any] = {"text": input.text, "at": input.at}
        changes = {name: value for name, value in given.items() if value is not None}
        async with info.context.work() as work:
            id = decode(Kind.ANNOTATION, input.annotation, "annotation")
            await marks.update_annotation(work, annotation_id=id, changes=changes)
        return AnnotationUpdatePayload(annotation=await made(info, Kind.ANNOTATION, id))

    @mutation("Delete an annotation.", Permission.MARK_WRITE)
    async def annotation_delete(self, info: Info, input: AnnotationDeleteInput) -> AnnotationDeleteResult:
        async with info.context.work() as work:
            await marks.delete_annotation(work, annotation_id=decode(Kind.ANNOTATION, input.annotation, "annotation"))
        return AnnotationDeletePayload(annotation_id=input.annotation)
