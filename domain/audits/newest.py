"""The newest finished audit of each page under each profile in each environment, beside the middle of those before it.

A row is written with the audit that it tells of, and goes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import Float, ForeignKey, Text, Uuid, bindparam, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from .. import metrics
from ..base import Base
from ..measuring import EngineName, FormFactor, MetricName
from ..work import Work
from .model import Audit, AuditState

WATCHED = (
    MetricName.PERFORMANCE_SCORE,
    MetricName.LCP,
    MetricName.FCP,
    MetricName.TBT,
    MetricName.CLS,
    MetricName.SPEED_INDEX,
    MetricName.TTFB,
    MetricName.PAGE_LOAD,
    MetricName.REQUEST_COUNT,
    MetricName.TRANSFER_BYTES,
)
"""The metrics that pages are ordered and compared by."""

COMPARED = 5
"""Of how many earlier audits the middle is taken, at most."""
LEAST_COMPARED = 2
"""One alone says nothing of what is usual."""
LOOKED_AT = 50
"""Among so many of the newest those are sought that were measured under the same conditions."""


class LatestAudit(Base):
    """For each metric of WATCHED its value, the middle of the audits before (`_baseline`), and how far it is from that
    (`_change`, as a part of it). `compared` tells how many audits that were."""

    __tablename__ = "latest_audits"

    # With the page go its audits, and with them these. A key to the page as well would have whoever finishes an audit wait
    # for whoever deletes its page, who waits for the audit.
    page_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    profile_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    environment: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    site_id: Mapped[UUID]
    audit_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("audits.id", ondelete="CASCADE"), unique=True)
    finished_at: Mapped[datetime]
    engine: Mapped[EngineName]
    form_factor: Mapped[FormFactor]
    conditions_id: Mapped[UUID | None]
    compared: Mapped[int]


def baseline_of(metric: MetricName) -> str:
    return f"{metric.value}_baseline"


def change_of(metric: MetricName) -> str:
    return f"{metric.value}_change"


for _metric in WATCHED:
    for _name in (_metric.value, baseline_of(_metric), change_of(_metric)):
        setattr(LatestAudit, _name, mapped_column(Float(), nullable=True))

_COPIED = (
    "page_id",
    "profile_id",
    "environment",
    "workspace_id",
    "site_id",
    "finished_at",
    "engine",
    "form_factor",
    "conditions_id",
    *(metric.value for metric in WATCHED),
)
_KEY = ("page_id", "profile_id", "environment")


class Standing(NamedTuple):
    """What stands beside the newest audit's values: by the names of columns."""

    compared: int
    values: dict[str, float | None]


def standing(newest: Any, earlier: Sequence[Any]) -> Standing:
    """The newest audit beside those before it, the newest of them first.

    Without confirmations: they would make what got worse the middle of what was before it.
    """
    alike = newest.conditions_id
    same = [audit for audit in earlier if alike is not None and audit.conditions_id == alike and not audit.confirms][:COMPARED]
    return Standing(len(same), dict(_beside(newest, same)))


def _beside(newest: Any, same: Sequence[Any]) -> Iterator[tuple[str, float | None]]:
    for metric in WATCHED:
        value: float | None = getattr(newest, metric.value)
        before = [each for audit in same if (each := getattr(audit, metric.value)) is not None]
        baseline = metrics.median(before) if len(before) >= LEAST_COMPARED else None
        known = value is not None and baseline is not None
        yield baseline_of(metric), baseline if known else None
        yield change_of(metric), metrics.relative_change(metric, value, baseline) if known else None  # type: ignore[arg-type]


def _columns(*names: str) -> list[Any]:
    return [getattr(Audit, name) for name in names]


_FINISHED = select(*_columns("id", "conditions_id", "confirms", *(metric.value for metric in WATCHED))).where(
    Audit.page_id == bindparam("page_id", type_=Uuid()),
    Audit.profile_id == bindparam("profile_id", type_=Uuid()),
    Audit.environment == bindparam("environment", type_=Text()),
    Audit.state == AuditState.FINISHED,
)
_FINISHED = _FINISHED.order_by(Audit.finished_at.desc(), Audit.id.desc()).limit(LOOKED_AT)


class _Placed(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def page_id(self) -> UUID: ...
    @property
    def profile_id(self) -> UUID: ...
    @property
    def environment(self) -> str: ...


async def settle(work: Work, audit: _Placed) -> None:
    """The audit has finished, in this unit of work: it is its page's newest, unless a newer one is.

    Whoever else finishes one of the same page, profile and environment waits here for the end of this unit of work, and
    then sees what was done in it; so nothing is compared without what was there already.
    """
    await work.db.execute(_take(audit.id))
    key = {name: getattr(audit, name) for name in _KEY}
    newest, *earlier = (await work.db.execute(_FINISHED, key)).all()
    beside = standing(newest, earlier)
    await work.db.execute(
        update(LatestAudit)
        .where(*(getattr(LatestAudit, name) == value for name, value in key.items()))
        .values(compared=beside.compared, **beside.values)
    )


def _take(audit_id: UUID) -> Any:
    """Its row is locked in any case, and becomes this audit's where that is the newer one."""
    names = ["audit_id", "compared", *_COPIED]
    finished = select(Audit.id, bindparam("none", 0), *_columns(*_COPIED)).where(Audit.id == audit_id)
    taking = insert(LatestAudit).from_select(names, finished)
    new = taking.excluded
    return taking.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={name: new[name] for name in names if name not in _KEY},
        where=tuple_(LatestAudit.finished_at, LatestAudit.audit_id) < tuple_(new.finished_at, new.audit_id),
    )
