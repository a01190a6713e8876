"""Audits that are inserted directly name their conditions, as finished ones do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Insert
from sqlalchemy.dialects.postgresql import insert

from domain.audits import Conditions, ConditionsRow, conditions_of

_OF_THE_AUDIT = (*(name for name in ConditionsRow._fields[2:] if name != "engine_major"), "engine_version")


def named(audit: dict[str, Any]) -> dict[str, Any]:
    """The conditions that the audit's row names from now on, as a row."""
    row = conditions_of(audit["workspace_id"], **{name: audit.get(name) for name in _OF_THE_AUDIT})  # type: ignore[arg-type]
    audit["conditions_id"] = row.id
    return row._asdict()


def insertion(rows: Collection[dict[str, Any]]) -> Insert:
    """Once each, and not where they are there already."""
    return insert(Conditions).values(list({row["id"]: row for row in rows}.values())).on_conflict_do_nothing()
