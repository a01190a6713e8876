"""Marks: what happened to a site at a time, to be seen beside what was measured then."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import marks

from ..batched import by_key
from ..loaders import Loaders
from ..node import Node, of
from ..scalars import Url
from ..sites.types import Page, Site
from ..snapshots.types import Snapshot

if TYPE_CHECKING:
    from ..verdicts.types import Verdict


@strawberry.type(description="Another version of a site went live.")
class Deploy(Node):
    is_type_of = of(marks.DeployRow)

    environment: str = strawberry.field(description="Where it went live.")
    version: str = strawberry.field(description="What it is called, such as v1.4.2.")
    commit_hash: str | None = strawberry.field(description="The commit's hash; null where nobody told.")
    branch: str | None = strawberry.field(description="The branch that it came from.")
    author: str | None = strawberry.field(description="Who wrote the commit.")
    message: str | None = strawberry.field(description="What they said of it.")
    url: Url | None = strawberry.field(description="Where it can be looked at: the release, the build.")
    at: datetime = strawberry.field(description="When it went live.")
    recorded_at: datetime = strawberry.field(description="When it was told here.")

    site: Site = by_key(Loaders.site, "site_id", "The site.")
    snapshot: Snapshot | None = by_key(
        Loaders.snapshot, "snapshot_id", "What was measured of it; null where that was not asked for, or is forgotten."
    )


@strawberry.type(description="What somebody wrote to a time of a site; reports of its pages show it too.")
class Annotation(Node):
    is_type_of = of(marks.AnnotationRow)

    at: datetime = strawberry.field(description="The time that it is about.")
    text: str = strawberry.field(description="What is written.")
    created_at: datetime = strawberry.field(description="When it was written.")

    site: Site = by_key(Loaders.site, "site_id", "The site.")
    page: Page | None = by_key(Loaders.page, "page_id", "The page that it is about; null for the whole site.")


@strawberry.type(description="Something that happened beside a page's series: exactly one of its last three is there.")
class Mark:
    at: datetime = strawberry.field(description="Where it stands in time; a verdict stands where its audit ended.")
    deploy: Deploy | None = by_key(Loaders.deploy, "deploy_id", "Another version of the site went live.")
    annotation: Annotation | None = by_key(
        Loaders.annotation, "annotation_id", "What somebody wrote to the page or to its whole site."
    )
    verdict: Annotated[Verdict, strawberry.lazy("graph.verdicts.types")] | None = by_key(
        Loaders.verdict, "verdict_id", "What regressed or improved."
    )
