"""What must be equal for two results to be compared, kept once for all audits that were made so."""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert

from ..measuring import EngineName, FormFactor, ThrottlingMethod
from ..work import Work
from .model import AuditRow, Conditions, ConditionsRow

_MOST = 2**31 - 1


def engine_major(version: str | None) -> int | None:
    """The first of the version's numbers; None where it begins with none."""
    major = (version or "").split(".")[0]
    return int(major) if major.isascii() and major.isdigit() and int(major) <= _MOST else None


def conditions_of(
    workspace_id: UUID,
    *,
    environment: str,
    profile_version: int,
    engine: EngineName,
    engine_version: str | None,
    form_factor: FormFactor,
    throttling_method: ThrottlingMethod | None = None,
    rtt_ms: float | None = None,
    throughput_kbps: float | None = None,
    cpu_slowdown: float | None = None,
    runner_pool: str | None,
) -> ConditionsRow:
    """Equal ones of a workspace have the same id, whoever reckons it: nobody has to look whether they are there.

    The migration that brought them reckons it the same way, and so must whatever comes after it.
    """
    row = ConditionsRow(
        workspace_id,
        workspace_id,
        environment,
        profile_version,
        engine,
        engine_major(engine_version),
        form_factor,
        throttling_method,
        _number(rtt_ms),
        _number(throughput_kbps),
        _number(cpu_slowdown),
        runner_pool,
    )
    # Enumerations as the database has them.
    what = tuple(str(each) if isinstance(each, str) else each for each in row[2:])
    return row._replace(id=uuid5(workspace_id, ascii(what)))


def _number(given: float | None) -> float | None:
    return None if given is None else float(given)


async def keep(work: Work, audit: AuditRow, engine_version: str | None) -> UUID:
    """The id of the audit's conditions, which are there from now on."""
    row = conditions_of(
        audit.workspace_id,
        environment=audit.environment,
        profile_version=audit.profile_version,
        engine=audit.engine,
        engine_version=engine_version,
        form_factor=audit.form_factor,
        throttling_method=audit.throttling_method,
        rtt_ms=audit.rtt_ms,
        throughput_kbps=audit.throughput_kbps,
        cpu_slowdown=audit.cpu_slowdown,
        runner_pool=audit.runner_pool,
    )
    await work.db.execute(insert(Conditions).values(row._asdict()).on_conflict_do_nothing())
    return row.id
