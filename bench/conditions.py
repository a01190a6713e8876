"""The conditions under which all seeded audits were made, as if they had been."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.audits import PRODUCTION, Conditions, conditions_of
from domain.measuring import EngineName
from domain.sites import Profile


async def kept_under(connection: AsyncConnection, workspace_id: UUID, profile_id: UUID) -> UUID:
    """Their id."""
    chosen = select(Profile.version, Profile.form_factor).where(Profile.id == profile_id)
    version, form_factor = (await connection.execute(chosen)).one()
    measured = {
        "engine": EngineName.LIGHTHOUSE,
        "engine_version": "13.4.0",
        "form_factor": form_factor,
        "runner_pool": "default",
    }
    row = conditions_of(workspace_id, environment=PRODUCTION, profile_version=version, **measured)
    await connection.execute(insert(Conditions).values(row._asdict()))
    return row.id
