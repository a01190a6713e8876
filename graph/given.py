"""Which of a list's snapshots, verdicts, deploys, annotations and marks are meant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from domain.ids import Kind, decode
from domain.measuring import MetricName
from domain.paging import DEFAULT_FIRST, Window
from domain.snapshots import Cause
from domain.verdicts import Judgement

from .loaders import PageOf
from .paging import After, First

From = Annotated[datetime | None, strawberry.argument(name="from", description="Not before this moment.")]
To = Annotated[datetime | None, strawberry.argument(name="to", description="Before this moment.")]


def of_snapshots(
    first: First = DEFAULT_FIRST,
    after: After = None,
    cause: Annotated[Cause | None, strawberry.argument(description="Those that this started.")] = None,
    environment: Annotated[str | None, strawberry.argument(description="Of this environment only.")] = None,
    branch: Annotated[str | None, strawberry.argument(description="Of this branch only.")] = None,
    commit: Annotated[str | None, strawberry.argument(description="Of the commit with this whole hash only.")] = None,
) -> PageOf:
    values = (
        ("branch", branch),
        ("cause", cause),
        ("commit", commit.lower() if commit is not None else None),
        ("environment", environment),
    )
    return PageOf(Window.of(first, after), values)


def of_verdicts(
    first: First = DEFAULT_FIRST,
    after: After = None,
    judgement: Annotated[Judgement | None, strawberry.argument(description="Those that say this only.")] = None,
    metric: Annotated[MetricName | None, strawberry.argument(description="Those of this metric only.")] = None,
    profile: Annotated[strawberry.ID | None, strawberry.argument(description="Those of this profile only.")] = None,
    environment: Annotated[str | None, strawberry.argument(description="Those of this environment only.")] = None,
) -> PageOf:
    values = (
        ("environment", environment),
        ("judgement", judgement),
        ("metric", metric.value if metric is not None else None),
        ("profile", decode(Kind.PROFILE, profile, "profile") if profile is not None else None),
    )
    return PageOf(Window.of(first, after), tuple((name, value) for name, value in values if value is not None))


def of_deploys(
    first: First = DEFAULT_FIRST,
    after: After = None,
    environment: Annotated[str | None, strawberry.argument(description="In this environment only.")] = None,
    from_: From = None,
    to: To = None,
) -> PageOf:
    return PageOf(Window.of(first, after), (("environment", environment), ("since", from_), ("until", to)))


def of_marks(
    first: First = DEFAULT_FIRST,
    after: After = None,
    profile: Annotated[
        strawberry.ID | None, strawberry.argument(description="Of the verdicts, those on what was measured with this profile.")
    ] = None,
    environment: Annotated[
        str | None, strawberry.argument(description="Of deploys and verdicts, those in this environment.")
    ] = None,
    from_: From = None,
    to: To = None,
) -> PageOf:
    profile_id = decode(Kind.PROFILE, profile, "profile") if profile is not None else None
    return PageOf(
        Window.of(first, after), (("environment", environment), ("profile", profile_id), ("since", from_), ("until", to))
    )


def of_annotations(first: First = DEFAULT_FIRST, after: After = None, from_: From = None, to: To = None) -> PageOf:
    return PageOf(Window.of(first, after), (("since", from_), ("until", to)))
